"""/_emulator: what Twilio has no API for: the customers' side, the clock, faults. No credentials are asked for."""

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.twilio.clock import Clock
from local.twilio.exceptions import INVALID_PARAMETER, TwilioError
from local.twilio.faults import Armed, Fault, Faults
from local.twilio.models import inbound
from local.twilio.models.records import Arrived
from local.twilio.models.world import World
from local.twilio.rest import body


class Inbound(BaseModel):
    """A text as a customer's phone, or with `to` = `chat` a visitor's browser, sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sender: Annotated[str, Field(alias="from", min_length=1, max_length=256)]
    to: Annotated[str, Field(min_length=1, max_length=256)]
    body: str = ""


class Advance(BaseModel):
    """How far the clock is to be moved: at most a hundred years."""

    model_config = ConfigDict(extra="forbid", strict=True)

    advance_seconds: Annotated[float, Field(ge=0, le=100 * 365 * 86400)]


_FAULT = TypeAdapter(Fault)


class Controlled(Protocol):
    """What is controlled: an `Emulator`."""

    world: World
    clock: Clock
    faults: Faults

    def advance_clock(self, ahead: timedelta) -> None:
        """Move the clock forward."""

    def reset(self) -> None:
        """Begin anew."""


class Control:
    """Answers what tests and people ask the emulator itself."""

    def __init__(self, emulator: Controlled) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under /_emulator."""
        return [
            Route("/inbound", self.inbound, methods=["POST"]),
            Route("/inbox", self.inbox, methods=["GET"]),
            Route("/faults", self.faults, methods=["GET"]),
            Route("/faults", self.arm, methods=["POST"]),
            Route("/faults", self.disarm, methods=["DELETE"]),
            Route("/clock", self.clock, methods=["GET"]),
            Route("/clock", self.advance_clock, methods=["POST"]),
            Route("/reset", self.reset, methods=["POST"]),
        ]

    async def inbound(self, request: Request) -> Response:
        """Take a customer's text."""
        text = _read(Inbound, await body(request))
        message = inbound.text(self._emulator.world, sender=text.sender, to=text.to, body=text.body)
        return JSONResponse(
            {"conversation_sid": message.conversation_sid, "message_sid": message.sid}, HTTPStatus.ACCEPTED
        )

    async def inbox(self, request: Request) -> Response:
        """Return what reached a phone or an identity, oldest first."""
        address = request.query_params.get("address", "")
        return JSONResponse([_arrived(each) for each in self._emulator.world.state.inboxes.get(address, {}).values()])

    async def faults(self, _request: Request) -> Response:
        """Return the armed faults, each with how often it struck."""
        return JSONResponse([_armed(each) for each in self._emulator.faults.armed])

    async def arm(self, request: Request) -> Response:
        """Arm a fault."""
        try:
            fault = _FAULT.validate_json(await body(request), extra="forbid")
        except ValidationError as error:
            raise _invalid(error) from None
        return JSONResponse(_armed(self._emulator.faults.arm(fault)), HTTPStatus.CREATED)

    async def disarm(self, _request: Request) -> Response:
        """Disarm all faults."""
        self._emulator.faults.clear()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def clock(self, _request: Request) -> Response:
        """Return the emulator's time."""
        return JSONResponse({"now": _instant(self._emulator.clock())})

    async def advance_clock(self, request: Request) -> Response:
        """Move the clock; timers that fall due do so before the answer."""
        ahead = _read(Advance, await body(request)).advance_seconds
        self._emulator.advance_clock(timedelta(seconds=ahead))
        return JSONResponse({"now": _instant(self._emulator.clock())})

    async def reset(self, _request: Request) -> Response:
        """Begin anew."""
        self._emulator.reset()
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _read[Model: BaseModel](model: type[Model], text: str) -> Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> TwilioError:
    reasons = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return TwilioError(INVALID_PARAMETER, f"Invalid body: {reasons[:500]}")


def _armed(armed: Armed) -> dict[str, object]:
    return {"id": armed.id, "struck": armed.struck, **json.loads(_FAULT.dump_json(armed.fault))}


def _arrived(arrived: Arrived) -> dict[str, str]:
    return {
        "conversation_sid": arrived.conversation_sid,
        "message_sid": arrived.message_sid,
        "body": arrived.body,
        "author": arrived.author,
        "status": arrived.status,
        "at": _instant(arrived.at),
    }


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
