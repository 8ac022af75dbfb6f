"""A REST call that ends as a fault says, carried out never, first or late."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from starlette.responses import Response

from twilio_emulator.clock import Clock
from twilio_emulator.exceptions import TwilioError
from twilio_emulator.faults.armed import Commit, Fault, Kind
from twilio_emulator.faults.connection_reset import HangUp
from twilio_emulator.responses.request import Answer

type CarryOut = Callable[[], Awaitable[Answer]]


class Misbehaving:
    """Ends REST calls badly; what is to be carried out late is, in the background."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()

    async def end(self, fault: Fault, carry_out: CarryOut) -> Response:
        """End a call as the fault says; raise the error where it is an answer."""
        if fault.commit is Commit.FIRST:
            await carry_out()
        if fault.commit is Commit.LATE:
            task = asyncio.create_task(self._carry_out_late(fault, carry_out))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        if fault.kind is Kind.ANSWER:
            raise TwilioError(fault.code)
        return HangUp(seconds=fault.seconds if fault.kind is Kind.TIMEOUT else 0)

    async def aclose(self) -> None:
        """Forget what was to be carried out late."""
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _carry_out_late(self, fault: Fault, carry_out: CarryOut) -> None:
        await self._clock.wait(timedelta(seconds=fault.seconds))
        with suppress(TwilioError):  # nobody is there to be told
            await carry_out()
