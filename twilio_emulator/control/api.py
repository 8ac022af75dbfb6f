"""/_emulator: what Twilio has no API for: the customers' side, the clock, faults, snapshots. It asks no credentials."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twilio_emulator import snapshot
from twilio_emulator.clock import Clock
from twilio_emulator.control.customers import Phones, Upload
from twilio_emulator.control.requests import Advance, Inbound, NewCredentials, Read, Reset, Sender, Typing
from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.faults.armed import Armed, Fault, Faults
from twilio_emulator.models import addresses
from twilio_emulator.models.backend import World
from twilio_emulator.models.resources import Arrived
from twilio_emulator.models.state import AccountState
from twilio_emulator.rest.application import read
from twilio_emulator.rest.credentials import Credentials

MOST_BYTES = 150 * 1024 * 1024  # a snapshot holds files

_FAULT = TypeAdapter(Fault)


class Controlled(Protocol):
    """What is controlled: an `Emulator`."""

    world: World
    clock: Clock
    faults: Faults
    credentials: Credentials
    phones: Phones

    def advance_clock(self, ahead: timedelta) -> None:
        """Move the clock forward."""

    def reset(self, *, seed: str | None = None) -> None:
        """Begin anew."""

    def restore(self, state: AccountState) -> None:
        """Go on from a state."""


class Control:
    """Answers what tests and people ask the emulator itself."""

    def __init__(self, emulator: Controlled) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under /_emulator."""
        answers: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("POST", "/inbound"): self.inbound,
            ("GET", "/inbox"): self.inbox,
            ("POST", "/read"): self.read,
            ("POST", "/typing"): self.type,
            ("GET", "/typing"): self.typing,
            ("GET", "/faults"): self.faults,
            ("POST", "/faults"): self.arm,
            ("DELETE", "/faults"): self.disarm,
            ("GET", "/clock"): self.clock,
            ("POST", "/clock"): self.advance_clock,
            ("POST", "/reset"): self.reset,
            ("GET", "/snapshot"): self.snapshot,
            ("PUT", "/snapshot"): self.restore,
            ("POST", "/senders"): self.add_sender,
            ("PUT", "/credentials"): self.set_credentials,
        }
        return [Route(path, answer, methods=[method]) for (method, path), answer in answers.items()]

    async def inbound(self, request: Request) -> Response:
        """Take a customer's text; SIDs are null where a pre-webhook rejected it, the channel's also in a web chat."""
        order = await _order(Inbound, request)
        message = await self._emulator.phones.text(
            sender=order.sender,
            to=order.to,
            body=order.body,
            files=[
                Upload(content=file.content, content_type=file.content_type, filename=file.filename)
                for file in order.media
            ],
        )
        sids = {
            "conversation_sid": message.conversation_sid if message else None,
            "message_sid": message.sid if message else None,
            "channel_message_sid": message.channel_message_sid if message else None,
        }
        return JSONResponse(sids, HTTPStatus.ACCEPTED)

    async def inbox(self, request: Request) -> Response:
        """Return what reached a phone or an identity, oldest first."""
        address = request.query_params.get("address", "")
        return JSONResponse([_arrived(each) for each in self._emulator.world.state.inboxes.get(address, {}).values()])

    async def read(self, request: Request) -> Response:
        """Read what arrived at a phone or an identity."""
        self._emulator.phones.read((await _order(Read, request)).address)
        return _done()

    async def type(self, request: Request) -> Response:
        """Type as a customer."""
        order = await _order(Typing, request)
        self._emulator.phones.type(sender=order.sender, to=order.to)
        return _done()

    async def typing(self, request: Request) -> Response:
        """Return who is typing in a conversation."""
        return JSONResponse(self._emulator.phones.typing(request.query_params.get("conversation_sid", "")))

    async def faults(self, _request: Request) -> Response:
        """Return the armed faults, each with how often it struck."""
        return JSONResponse([_armed(each) for each in self._emulator.faults.armed])

    async def arm(self, request: Request) -> Response:
        """Arm a fault."""
        try:
            fault = _FAULT.validate_json(await read(request, most=MOST_BYTES), extra="forbid")
        except ValidationError as error:
            raise _invalid(error) from None
        return JSONResponse(_armed(self._emulator.faults.arm(fault)), HTTPStatus.CREATED)

    async def disarm(self, _request: Request) -> Response:
        """Disarm all faults."""
        self._emulator.faults.clear()
        return _done()

    async def clock(self, _request: Request) -> Response:
        """Return the emulator's time."""
        return JSONResponse({"now": _instant(self._emulator.clock())})

    async def advance_clock(self, request: Request) -> Response:
        """Move the clock; timers that fall due do so before the answer."""
        ahead = (await _order(Advance, request)).advance_seconds
        try:
            self._emulator.advance_clock(timedelta(seconds=ahead))
        except ValueError as error:
            raise TwilioError(INVALID_PARAMETER, f"Invalid body: {error}") from None
        return JSONResponse({"now": _instant(self._emulator.clock())})

    async def reset(self, request: Request) -> Response:
        """Begin anew, with the SIDs of a seed if one is given."""
        content = await read(request, most=MOST_BYTES)
        self._emulator.reset(seed=_parsed(Reset, content).seed if content else None)
        return _done()

    async def snapshot(self, _request: Request) -> Response:
        """Return the state."""
        return Response(snapshot.dump(self._emulator.world.state), media_type="application/json")

    async def restore(self, request: Request) -> Response:
        """Take the state of a snapshot."""
        self._emulator.restore(snapshot.load(await read(request, most=MOST_BYTES)))
        return _done()

    async def add_sender(self, request: Request) -> Response:
        """Give the account an address: a WhatsApp sender, a phone number."""
        address = (await _order(Sender, request)).address
        if addresses.channel_of(address) is None:
            raise TwilioError(INVALID_PARAMETER, "Invalid body: address belongs to no channel")
        return JSONResponse({"sid": addresses.own(self._emulator.world, address)}, HTTPStatus.CREATED)

    async def set_credentials(self, request: Request) -> Response:
        """Replace the auth tokens, the one that signs first, and the API keys."""
        order = await _order(NewCredentials, request)
        self._emulator.credentials.auth_tokens = tuple(order.auth_tokens)
        self._emulator.credentials.api_keys = dict(order.api_keys)
        return _done()


async def _order[Order: BaseModel](model: type[Order], request: Request) -> Order:
    return _parsed(model, await read(request, most=MOST_BYTES))


def _parsed[Order: BaseModel](model: type[Order], content: bytes) -> Order:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> TwilioError:
    reasons = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return TwilioError(INVALID_PARAMETER, f"Invalid body: {reasons[:500]}")


def _done() -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT)


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
