"""What the pane "Break it" asks: its switches, the clock, the agent's process, the dead letters; all under /breaking.

One stream of server-sent events tells how everything stands: a state at once, then each that differs. It ends with the
stack.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from local.aws.ministack import Throttling
from local.aws.trouble import AGENT, Trouble
from local.page.dead_letters import DeadLetters
from local.page.switches import FaultSwitch, Options, Switch, switches_of
from twilio_emulator import Emulator

LOOK_SECONDS = 0.25  # between looks how everything stands; what a stopping server waits for a stream at most
LOOKS_BETWEEN_COUNTS = 8  # the dead letters are counted by a request to the local AWS


class Breakable(Protocol):
    """What the pane needs of the local stack."""

    emulator: Emulator
    trouble: Trouble

    @property
    def environments(self) -> Mapping[str, Mapping[str, str]]:
        """The variables of each function, by its logical id."""

    @property
    def is_ready(self) -> bool:
        """Whether everything is up, and nothing is ending."""

    def kill(self, function: str) -> None:
        """End every process of a function."""

    def client(self, service: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        """Return a client of the local AWS."""

    def throttle_tables(self, seconds: float) -> Throttling:
        """Have DynamoDB refuse the functions' requests for so long; 0 ends it."""

    def throttling(self) -> Throttling:
        """Return how it stands with that."""


class TurnOn(BaseModel):
    """How a switch is turned on: how often or how long it strikes, and with which code."""

    model_config = ConfigDict(extra="forbid")

    count: Annotated[int, Field(ge=1, le=100)] = 1
    seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    code: Annotated[int, Field(ge=0, le=99999)] = 0


class MoveClock(BaseModel):
    """How far the clock moves on."""

    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(gt=0, le=timedelta(days=366).total_seconds())]


class Redrive(BaseModel):
    """Whose dead letters go back; empty is everybody's."""

    model_config = ConfigDict(extra="forbid")

    conversation_sid: str = ""


def breaking_routes(stack: Breakable) -> list[BaseRoute]:
    """Return the pane's routes, to be mounted under /_page."""
    return _Breaking(stack).routes()


class _Breaking:
    """The pane of one stack. Its switches are made with the first request, when the stack's parts are there."""

    def __init__(self, stack: Breakable) -> None:
        self._stack = stack
        self._letters = DeadLetters(stack)
        self._switches: Mapping[str, Switch] = switches_of(stack.emulator.faults, stack.trouble, stack)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/breaking/events", self.events),
            Route("/breaking/switches", self.end_everything, methods=["DELETE"]),
            Route("/breaking/switches/{name}", self.turn_on, methods=["POST"]),
            Route("/breaking/switches/{name}", self.turn_off, methods=["DELETE"]),
            Route("/breaking/kill", self.kill, methods=["POST"]),
            Route("/breaking/clock", self.move_clock, methods=["POST"]),
            Route("/breaking/letters", self.letters, methods=["GET"]),
            Route("/breaking/redrive", self.redrive, methods=["POST"]),
        ]

    async def events(self, _request: Request) -> Response:
        """Stream how everything stands."""
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._states(), media_type="text/event-stream", headers=headers)

    async def turn_on(self, request: Request) -> Response:
        """Turn a switch on, and return how it stands."""
        switch = self._switches.get(request.path_params["name"])
        if switch is None:
            return _refused(HTTPStatus.NOT_FOUND, "There is no such switch")
        try:
            chosen = TurnOn.model_validate_json(await request.body() or b"{}")
            await switch.turn_on(Options(count=chosen.count, seconds=chosen.seconds, code=chosen.code))
        except ValueError as error:
            return _refused(HTTPStatus.BAD_REQUEST, _sentence(error))
        return JSONResponse(asdict(await switch.state()))

    async def turn_off(self, request: Request) -> Response:
        """Turn a switch off, and return how it stands."""
        switch = self._switches.get(request.path_params["name"])
        if switch is None:
            return _refused(HTTPStatus.NOT_FOUND, "There is no such switch")
        await switch.turn_off()
        return JSONResponse(asdict(await switch.state()))

    async def end_everything(self, _request: Request) -> Response:
        """Turn every switch off, and remove the faults that somebody else has armed."""
        for switch in self._switches.values():
            await switch.turn_off()
        self._stack.emulator.faults.clear()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def kill(self, _request: Request) -> Response:
        """End the agent's processes, whatever they are doing."""
        await run_in_threadpool(self._stack.kill, AGENT)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def move_clock(self, request: Request) -> Response:
        """Move the emulator's clock forward, and with it that of the functions' next invocations."""
        try:
            ahead = timedelta(seconds=MoveClock.model_validate_json(await request.body()).seconds)
            self._stack.emulator.advance_clock(ahead)
        except ValueError as error:
            return _refused(HTTPStatus.BAD_REQUEST, _sentence(error))
        return JSONResponse({"ahead_seconds": self._ahead_seconds})

    async def letters(self, _request: Request) -> Response:
        """Return the dead letters."""
        return JSONResponse([asdict(letter) for letter in await run_in_threadpool(self._letters.read)])

    async def redrive(self, request: Request) -> Response:
        """Put dead letters back on their queue."""
        try:
            wanted = Redrive.model_validate_json(await request.body() or b"{}")
        except ValueError as error:
            return _refused(HTTPStatus.BAD_REQUEST, _sentence(error))
        put_back, left = await run_in_threadpool(self._letters.redrive, wanted.conversation_sid)
        return JSONResponse({"put_back": put_back, "left": left})

    @property
    def _ahead_seconds(self) -> float:
        return self._stack.emulator.clock.ahead.total_seconds()

    async def _states(self) -> AsyncIterator[str]:
        told, looks, letters, back_after = None, 0, 0, await self._visibility_seconds()
        while self._stack.is_ready:
            if looks % LOOKS_BETWEEN_COUNTS == 0:
                letters = await self._count(letters)
            looks += 1
            now = {
                "switches": {name: asdict(await switch.state()) for name, switch in self._switches.items()},
                "others": self._others(),
                "ahead_seconds": self._ahead_seconds,
                "letters": letters,
                "back_after_seconds": back_after,
            }
            if now != told:
                told = now
                yield f"data: {json.dumps(now)}\n\n"
            await asyncio.sleep(LOOK_SECONDS)

    async def _count(self, before: int) -> int:
        """Count the dead letters; where the local AWS is just ending, there are as many as before."""
        try:
            return await run_in_threadpool(self._letters.count)
        except (BotoCoreError, ClientError):
            return before

    async def _visibility_seconds(self) -> int:
        """Return after how many seconds a killed worker's records come back."""
        url = self._stack.environments["AgentFunction"]["MESSAGES_QUEUE_URL"]

        def asked() -> int:
            sqs = self._stack.client("sqs")
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
            return int(found["Attributes"]["VisibilityTimeout"])

        try:
            return await run_in_threadpool(asked)
        except (BotoCoreError, ClientError):
            return 0

    def _others(self) -> list[dict[str, object]]:
        """Return the faults that are armed by somebody else, a storm or a terminal."""
        switches = [switch for switch in self._switches.values() if isinstance(switch, FaultSwitch)]
        return [
            {"kind": armed.fault.kind.value, "on": armed.fault.on, "struck": armed.times_triggered}
            for armed in self._stack.emulator.faults.armed
            if not armed.is_spent and not any(switch.has(armed) for switch in switches)
        ]


def _refused(status: HTTPStatus, why: str) -> Response:
    return JSONResponse({"error": why}, status)


def _sentence(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
