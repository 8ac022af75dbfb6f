"""The control API under /_emulator: customers, the clock, faults, snapshots. It needs no credentials."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twilio_emulator import snapshot
from twilio_emulator.clock import Clock
from twilio_emulator.control.customers import Customers, Upload
from twilio_emulator.control.phones import PhonesApi, WatchedEmulator
from twilio_emulator.control.requests import (
    AddSender,
    AdvanceClock,
    InboundMessage,
    ReadInbox,
    ResetState,
    SetCredentials,
    StartTyping,
)
from twilio_emulator.control.threads import timestamp
from twilio_emulator.exceptions import INVALID_PARAMETER, NOT_FOUND, TwilioError
from twilio_emulator.faults.armed import ArmedFault, Fault, Faults
from twilio_emulator.models import addresses
from twilio_emulator.models.resources import InboxMessage
from twilio_emulator.models.state import AccountState
from twilio_emulator.rest.application import read_body
from twilio_emulator.rest.credentials import Credentials

MAX_BODY_BYTES = 150 * 1024 * 1024  # a snapshot contains the uploaded files

_FAULT = TypeAdapter(Fault)


class ControlledEmulator(WatchedEmulator, Protocol):
    """What the control API needs of an `Emulator`."""

    clock: Clock
    faults: Faults
    credentials: Credentials
    customers: Customers

    def advance_clock(self, ahead: timedelta) -> None:
        """Move the clock forward."""

    def reset(self, *, seed: str | None = None) -> None:
        """Delete the state."""

    def restore(self, state: AccountState) -> None:
        """Replace the state."""


class ControlApi:
    """Handles the requests to /_emulator."""

    def __init__(self, emulator: ControlledEmulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under /_emulator."""
        handlers: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("POST", "/inbound"): self.inbound,
            ("GET", "/inbox"): self.inbox,
            ("POST", "/read"): self.read,
            ("POST", "/typing"): self.type,
            ("GET", "/typing"): self.typing,
            ("GET", "/faults"): self.faults,
            ("POST", "/faults"): self.arm,
            ("DELETE", "/faults"): self.disarm_all,
            ("DELETE", "/faults/{id:int}"): self.disarm,
            ("GET", "/clock"): self.clock,
            ("POST", "/clock"): self.advance_clock,
            ("POST", "/reset"): self.reset,
            ("GET", "/snapshot"): self.snapshot,
            ("PUT", "/snapshot"): self.restore,
            ("POST", "/senders"): self.add_sender,
            ("PUT", "/credentials"): self.set_credentials,
        }
        own = [Route(path, handler, methods=[method]) for (method, path), handler in handlers.items()]
        return [*own, *PhonesApi(self._emulator).routes()]

    async def inbound(self, request: Request) -> Response:
        """Add a customer's message and return its SIDs.

        All SIDs are null if a pre-webhook rejected the message; `channel_message_sid` is also null in a web chat.
        """
        inbound = await _parse_body(InboundMessage, request)
        message = await self._emulator.customers.send(
            sender=inbound.sender,
            to=inbound.to,
            body=inbound.body,
            files=[
                Upload(content=file.content, content_type=file.content_type, filename=file.filename)
                for file in inbound.media
            ],
        )
        sids = {
            "conversation_sid": message.conversation_sid if message else None,
            "message_sid": message.sid if message else None,
            "channel_message_sid": message.channel_message_sid if message else None,
        }
        return JSONResponse(sids, HTTPStatus.ACCEPTED)

    async def inbox(self, request: Request) -> Response:
        """Return the messages that an address or identity received, oldest first."""
        address = request.query_params.get("address", "")
        inbox = self._emulator.backend.state.inboxes.get(address, {})
        return JSONResponse([_inbox_message_body(message) for message in inbox.values()])

    async def read(self, request: Request) -> Response:
        """Mark the messages that an address or identity received as read."""
        self._emulator.customers.read((await _parse_body(ReadInbox, request)).address)
        return _no_content()

    async def type(self, request: Request) -> Response:
        """Show a customer as typing."""
        typing = await _parse_body(StartTyping, request)
        self._emulator.customers.type(sender=typing.sender, to=typing.to)
        return _no_content()

    async def typing(self, request: Request) -> Response:
        """Return who is typing in a conversation."""
        return JSONResponse(self._emulator.customers.typing(request.query_params.get("conversation_sid", "")))

    async def faults(self, _request: Request) -> Response:
        """Return the armed faults, each with the number of times it was triggered."""
        return JSONResponse([_fault_body(each) for each in self._emulator.faults.armed])

    async def arm(self, request: Request) -> Response:
        """Arm a fault."""
        try:
            fault = _FAULT.validate_json(await read_body(request, max_bytes=MAX_BODY_BYTES), extra="forbid")
        except ValidationError as error:
            raise _invalid_body(error) from None
        return JSONResponse(_fault_body(self._emulator.faults.arm(fault)), HTTPStatus.CREATED)

    async def disarm(self, request: Request) -> Response:
        """Remove one fault and return it, with the number of times it was triggered."""
        fault_id: int = request.path_params["id"]
        if (fault := self._emulator.faults.remove(fault_id)) is None:
            raise TwilioError(NOT_FOUND, f"No fault has the id {fault_id}")
        return JSONResponse(_fault_body(fault))

    async def disarm_all(self, _request: Request) -> Response:
        """Remove all faults."""
        self._emulator.faults.clear()
        return _no_content()

    async def clock(self, _request: Request) -> Response:
        """Return the emulator's time."""
        return JSONResponse({"now": timestamp(self._emulator.clock())})

    async def advance_clock(self, request: Request) -> Response:
        """Move the clock forward and run the timers that are due before responding."""
        ahead = (await _parse_body(AdvanceClock, request)).advance_seconds
        try:
            self._emulator.advance_clock(timedelta(seconds=ahead))
        except ValueError as error:
            raise TwilioError(INVALID_PARAMETER, f"Invalid body: {error}") from None
        return JSONResponse({"now": timestamp(self._emulator.clock())})

    async def reset(self, request: Request) -> Response:
        """Delete the state; with a seed, the same calls get the same SIDs afterwards."""
        content = await read_body(request, max_bytes=MAX_BODY_BYTES)
        self._emulator.reset(seed=_parse(ResetState, content).seed if content else None)
        return _no_content()

    async def snapshot(self, _request: Request) -> Response:
        """Return the state as a snapshot."""
        return Response(snapshot.dump(self._emulator.backend.state), media_type="application/json")

    async def restore(self, request: Request) -> Response:
        """Replace the state with a snapshot."""
        self._emulator.restore(snapshot.load(await read_body(request, max_bytes=MAX_BODY_BYTES)))
        return _no_content()

    async def add_sender(self, request: Request) -> Response:
        """Add a WhatsApp sender, a phone number or a short code to the account."""
        address = (await _parse_body(AddSender, request)).address
        if addresses.channel_of(address) is None:
            raise TwilioError(
                INVALID_PARAMETER,
                "Invalid body: address must be a phone number, a short code, or one such as whatsapp:+12025550103",
            )
        return JSONResponse({"sid": addresses.add_to_account(self._emulator.backend, address)}, HTTPStatus.CREATED)

    async def set_credentials(self, request: Request) -> Response:
        """Replace the auth tokens, of which the first one signs, and the API keys."""
        new = await _parse_body(SetCredentials, request)
        self._emulator.credentials.auth_tokens = tuple(new.auth_tokens)
        self._emulator.credentials.api_keys = dict(new.api_keys)
        return _no_content()


async def _parse_body[Body: BaseModel](model: type[Body], request: Request) -> Body:
    return _parse(model, await read_body(request, max_bytes=MAX_BODY_BYTES))


def _parse[Body: BaseModel](model: type[Body], content: bytes) -> Body:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise _invalid_body(error) from None


def _invalid_body(error: ValidationError) -> TwilioError:
    reasons = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return TwilioError(INVALID_PARAMETER, f"Invalid body: {reasons[:500]}")


def _no_content() -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _fault_body(armed: ArmedFault) -> dict[str, object]:
    return {"id": armed.id, "struck": armed.times_triggered, **json.loads(_FAULT.dump_json(armed.fault))}


def _inbox_message_body(message: InboxMessage) -> dict[str, object]:
    return {
        "conversation_sid": message.conversation_sid,
        "message_sid": message.message_sid,
        "body": message.body,
        "author": message.author,
        "status": message.status,
        "at": timestamp(message.at),
        "media": [asdict(file) for file in message.media],
    }
