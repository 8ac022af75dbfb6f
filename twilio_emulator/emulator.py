"""One emulated Twilio account: its state, its API as an ASGI application, its webhooks and timers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twilio_emulator import snapshot
from twilio_emulator.clock import Clock, utc_now
from twilio_emulator.control.api import Control
from twilio_emulator.control.customers import Phones
from twilio_emulator.exceptions import INVALID_PARAMETER, METHOD_NOT_ALLOWED, TwilioError, not_found
from twilio_emulator.faults.armed import Faults, Kind
from twilio_emulator.models import addresses, services, timers, webhook_targets
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import POST_EVENTS, Event
from twilio_emulator.models.resources import (
    AccountConfiguration,
    AutoCreation,
    DeliveryFailure,
    DeliveryStatus,
    WebhookConfiguration,
)
from twilio_emulator.models.state import AccountState
from twilio_emulator.rest.application import Rest
from twilio_emulator.rest.credentials import Credentials
from twilio_emulator.rest.rate_limits import ACTIONS_PER_SECOND, Rates
from twilio_emulator.state_file import StateFile, Unusable
from twilio_emulator.webhooks.pre_webhooks import Asking
from twilio_emulator.webhooks.sender import WebhookSender

SMS_NUMBER = "+12025550100"
WHATSAPP_NUMBER = "whatsapp:+12025550101"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


class Emulator:
    """A Twilio account with one Conversations service and one number on SMS and on WhatsApp, both auto-creating.

    `app` is to be served in the event loop that also sends the webhooks. `seed` makes its SIDs the same every time;
    `actions_per_second` is Twilio's limit on writes, None for none; `state_file` is read at the start, if it is there
    (`Unusable` where it is no state of this service), and replaced by `aclose`.
    """

    def __init__(
        self,
        *,
        account_sid: str = "AC00000000000000000000000000000001",
        auth_token: str = "emulator-token",  # noqa: S107 -- the emulator's own, known to everybody
        service_sid: str = "IS00000000000000000000000000000001",
        clock: Callable[[], datetime] = utc_now,
        seed: str | None = None,
        actions_per_second: int | None = ACTIONS_PER_SECOND,
        state_file: Path | None = None,
    ) -> None:
        self.clock = Clock(clock)
        self.credentials = Credentials(account_sid=account_sid, auth_tokens=[auth_token])
        self.faults = Faults()
        self.world = World(account_sid=account_sid, clock=self.clock, happened=self._happened, seed=seed)
        self.world.delivery_failure = self._delivery_failure
        self.world.skips_index = lambda sid: self.faults.strike({Kind.SKIP_INDEX}, sid) is not None
        self._service_sid = service_sid
        self._webhook_url: str | None = None
        self._sender = WebhookSender(
            account_sid=account_sid,
            auth_token=lambda: self.credentials.signing_token,
            clock=self.clock,
            faults=self.faults,
        )
        asking = Asking(world=self.world, sender=self._sender)
        self.phones = Phones(world=self.world, asking=asking)
        self._rates = Rates(world=self.world, actions_per_second=actions_per_second)
        self._rest = Rest(
            world=self.world,
            clock=self.clock,
            credentials=self.credentials,
            faults=self.faults,
            rates=self._rates,
            asking=asking,
        )
        self._timers: asyncio.Task[None] | None = None
        self._timer_set = asyncio.Event()
        self.world.timer_set = self._timer_set.set
        self._furnish()
        self._state_file = StateFile(state_file) if state_file else None
        if self._state_file is not None:
            self._go_on_from(self._state_file)
        self.app: ASGIApp = _Woken(self._application(), self._wake)

    def set_webhook(self, url: str) -> None:
        """Subscribe a URL to every event of the service, after it happened; a reset leaves it so."""
        self._webhook_url = url
        services.set_webhooks(
            self.world,
            self._service_sid,
            WebhookConfiguration(post_webhook_url=url, filters=POST_EVENTS, method="POST"),
        )

    def advance_clock(self, ahead: timedelta) -> None:
        """Move the clock forward; what falls due happens at once."""
        self.clock.advance(ahead)
        self.world.state.clock_ahead = self.clock.ahead
        timers.run_due(self.world)
        self._timer_set.set()  # the next one is nearer now

    def reset(self, *, seed: str | None = None) -> None:
        """Forget everything but the identity and the webhook, disarm all faults, and set the clock right."""
        self._sender.forget()
        self._rates.forget()
        self.world.empty(seed=seed)
        self.faults.clear()
        self.clock.ahead = timedelta()
        self._furnish()
        if self._webhook_url is not None:
            self.set_webhook(self._webhook_url)

    def restore(self, state: AccountState) -> None:
        """Take a state, and the clock as it was set; 20422 where the state is not of this service."""
        if self._service_sid not in state.services:
            raise TwilioError(INVALID_PARAMETER, f"This is no snapshot of service {self._service_sid}")
        self.world.state = state
        self.clock.ahead = state.clock_ahead
        self._timer_set.set()

    async def aclose(self) -> None:
        """End what runs in the background, and keep the state if it has a file (`NotKept` where that fails)."""
        if self._timers is not None:
            self._timers.cancel()
            with suppress(asyncio.CancelledError):
                await self._timers
            self._timers = None
        await self._rest.aclose()
        await self._sender.aclose()
        if self._state_file is not None:
            self._state_file.write(snapshot.dump(self.world.state))

    def _go_on_from(self, file: StateFile) -> None:
        kept = file.read()
        if kept is None:
            return
        try:
            self.restore(snapshot.load(kept))
        except TwilioError as error:
            raise Unusable(f"{file.path}: {error.message}") from None

    def _furnish(self) -> None:
        services.create(self.world, friendly_name="Switchboard", sid=self._service_sid)
        self.world.state.configuration = AccountConfiguration(
            default_chat_service_sid=self._service_sid, default_messaging_service_sid=f"MG{self._service_sid[2:]}"
        )
        for address, kind in ((SMS_NUMBER, "sms"), (WHATSAPP_NUMBER, "whatsapp")):
            addresses.own(self.world, address)
            addresses.configure(
                self.world,
                type=kind,
                address=address,
                auto_creation=AutoCreation(enabled=True, conversation_service_sid=self._service_sid),
            )

    def _delivery_failure(self, address: str) -> DeliveryFailure | None:
        fault = self.faults.strike({Kind.FAIL_DELIVERY}, address)
        return DeliveryFailure(fault.code, DeliveryStatus(fault.status)) if fault else None

    def _happened(self, event: Event) -> None:
        for target in webhook_targets.after(self.world, event):
            self._sender.send(event, target)

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", _healthz),
                Mount("/_emulator", routes=Control(self).routes()),
                Route("/{path:path}", self._rest.__call__, methods=_METHODS),
            ],
            exception_handlers={TwilioError: _refuse, HTTPException: _refuse_route},
        )

    def _wake(self) -> None:
        """Catch up with the clock, and from now on watch it."""
        timers.run_due(self.world)
        if self._timers is None:
            self._timers = asyncio.get_running_loop().create_task(self._watch_timers())

    async def _watch_timers(self) -> None:
        while True:
            self._timer_set.clear()
            due = timers.next_due(self.world)
            wait = None if due is None else max(0.0, (due - self.clock()).total_seconds())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._timer_set.wait(), wait)
            timers.run_due(self.world)


class _Woken:
    """An application that wakes the emulator before every request."""

    def __init__(self, app: ASGIApp, wake: Callable[[], None]) -> None:
        self._app = app
        self._wake = wake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._wake()
        await self._app(scope, receive, send)


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _refuse(_request: Request, error: Exception) -> Response:
    if not isinstance(error, TwilioError):
        raise error
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None  # noqa: PLR2004
    return JSONResponse(error.body(), error.status, headers=headers)


async def _refuse_route(request: Request, error: Exception) -> Response:
    """Answer for a path or method that Starlette itself refused."""
    wrong_method = isinstance(error, HTTPException) and error.status_code == 405  # noqa: PLR2004
    return await _refuse(request, TwilioError(METHOD_NOT_ALLOWED) if wrong_method else not_found(request.url.path))
