"""REST calls that fail as a fault says; the call may take effect all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from starlette.responses import Response as HttpResponse

from twilio_emulator.clock import Clock
from twilio_emulator.exceptions import TwilioError
from twilio_emulator.faults.armed import Commit, Fault, FaultKind
from twilio_emulator.faults.connection_reset import ConnectionReset
from twilio_emulator.responses.request import Response

type Execute = Callable[[], Awaitable[Response]]


class RestFaults:
    """Makes REST calls fail; late commits run in the background."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()

    async def apply(self, fault: Fault, execute: Execute) -> HttpResponse:
        """Execute a call never, now or later, as the fault says; then return its failure, or raise its error."""
        if fault.commit is Commit.FIRST:
            await execute()
        if fault.commit is Commit.LATE:
            task = asyncio.create_task(self._execute_late(fault, execute))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        if fault.kind is FaultKind.ANSWER:
            raise TwilioError(fault.error_code)
        return ConnectionReset(seconds=fault.seconds if fault.kind is FaultKind.TIMEOUT else 0)

    async def aclose(self) -> None:
        """Cancel the late commits."""
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _execute_late(self, fault: Fault, execute: Execute) -> None:
        await self._clock.wait(timedelta(seconds=fault.seconds))
        with suppress(TwilioError):  # the client is gone: nobody can receive the error
            await execute()
