"""One emulated Twilio account: its state, its API as an ASGI application, its webhooks and timers."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twilio_emulator import snapshot
from twilio_emulator.clock import Clock, utc_now
from twilio_emulator.control.api import ControlApi
from twilio_emulator.control.changes import Changes
from twilio_emulator.control.customers import Customers
from twilio_emulator.control.same_machine import SameMachine
from twilio_emulator.exceptions import INVALID_PARAMETER, METHOD_NOT_ALLOWED, TwilioError, not_found
from twilio_emulator.faults.armed import LATE_DELIVERY_KINDS, FaultKind, Faults
from twilio_emulator.models import addresses, services, timers, webhook_targets
from twilio_emulator.models.backend import Backend, LateDelivery
from twilio_emulator.models.events import POST_EVENTS, Event
from twilio_emulator.models.resources import (
    AccountConfiguration,
    AutoCreation,
    DeliveryFailure,
    DeliveryStatus,
    WebhookConfiguration,
)
from twilio_emulator.models.state import AccountState
from twilio_emulator.rest.application import RestApi
from twilio_emulator.rest.credentials import Credentials
from twilio_emulator.rest.rate_limits import ACTIONS_PER_SECOND, RateLimits
from twilio_emulator.state_file import StateFile, StateFileUnusable
from twilio_emulator.web.assets import phones_page, web_assets
from twilio_emulator.webhooks.pre_webhooks import PreWebhooks
from twilio_emulator.webhooks.sender import WebhookSender

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


class Emulator:
    """A Twilio account with one Conversations service, one SMS number and one WhatsApp sender.

    A first message to either address opens a conversation (address auto-creation is on). `app` must be served in the
    event loop that also sends the webhooks. With the same `seed`, the same calls get the same SIDs.
    `actions_per_second` is Twilio's limit on writes; None switches it off. `state_file` is loaded at the start, if it
    exists, and saved by `aclose`; `StateFileUnusable` is raised if it does not hold a state of this service. `control`
    is what `app` serves under /_emulator, for a page on another port of the same event loop; it answers only requests
    for this machine, or for `host`, what the server listens on.
    """

    def __init__(
        self,
        *,
        account_sid: str = "AC00000000000000000000000000000001",
        auth_token: str = "emulator-token",  # noqa: S107 -- not a secret: the documentation names it
        service_sid: str = "IS00000000000000000000000000000001",
        host: str = "127.0.0.1",
        clock: Callable[[], datetime] = utc_now,
        seed: str | None = None,
        actions_per_second: int | None = ACTIONS_PER_SECOND,
        state_file: Path | None = None,
    ) -> None:
        self.clock = Clock(clock)
        self.credentials = Credentials(account_sid=account_sid, auth_tokens=[auth_token])
        self.faults = Faults()
        self.changes = Changes()
        self.backend = Backend(account_sid=account_sid, clock=self.clock, on_event=self._send_webhooks, seed=seed)
        self.backend.delivery_failure = self._delivery_failure
        self.backend.late_delivery = self._late_delivery
        self.backend.skips_index = lambda sid: self.faults.trigger({FaultKind.SKIP_INDEX}, sid) is not None
        self.backend.on_phone_changed = self.changes.tell
        self._service_sid = service_sid
        self._host = host
        self._webhook_url: str | None = None
        self._sender = WebhookSender(
            account_sid=account_sid,
            auth_token=lambda: self.credentials.signing_token,
            clock=self.clock,
            faults=self.faults,
        )
        pre_webhooks = PreWebhooks(backend=self.backend, sender=self._sender)
        self.customers = Customers(backend=self.backend, pre_webhooks=pre_webhooks)
        self._rate_limits = RateLimits(backend=self.backend, actions_per_second=actions_per_second)
        self._rest = RestApi(
            backend=self.backend,
            clock=self.clock,
            credentials=self.credentials,
            faults=self.faults,
            rate_limits=self._rate_limits,
            pre_webhooks=pre_webhooks,
        )
        self._timer_task: asyncio.Task[None] | None = None
        self._timers_changed = asyncio.Event()
        self.backend.on_timer_scheduled = self._timers_changed.set
        self._create_initial_resources()
        self._state_file = StateFile(state_file) if state_file else None
        if self._state_file is not None:
            self._load_state(self._state_file)
        control = Starlette(
            routes=[*ControlApi(self).routes(), web_assets()],
            exception_handlers={TwilioError: _error_response, HTTPException: _routing_error_response},
        )
        self.control: ASGIApp = SameMachine(_TimerMiddleware(control, self._run_timers), host=host)
        self.app: ASGIApp = _TimerMiddleware(self._application(), self._run_timers)

    def on_lost_webhook(self, listener: Callable[[Sequence[tuple[str, str]], str], None]) -> None:
        """Call the listener with the fields of each webhook that does not arrive, and why."""
        self._sender.on_lost = listener

    def set_webhook(self, url: str) -> None:
        """Send every post-event webhook of the service to a URL; `reset` keeps this setting."""
        self._webhook_url = url
        services.set_webhooks(
            self.backend,
            self._service_sid,
            WebhookConfiguration(post_webhook_url=url, filters=POST_EVENTS, method="POST"),
        )

    def advance_clock(self, ahead: timedelta) -> None:
        """Move the clock forward and run the timers that are due."""
        self.clock.advance(ahead)
        self.backend.state.clock_ahead = self.clock.ahead
        timers.run_due(self.backend)
        self._timers_changed.set()  # the next timer is due sooner than before

    def reset(self, *, seed: str | None = None) -> None:
        """Delete everything but the credentials and the webhook URL, remove all faults, and undo clock advances."""
        self._sender.discard_all()
        self._rate_limits.clear()
        self.backend.clear(seed=seed)
        self.faults.clear()
        self.clock.ahead = timedelta()
        self._create_initial_resources()
        if self._webhook_url is not None:
            self.set_webhook(self._webhook_url)
        self.changes.tell_all()

    def restore(self, state: AccountState) -> None:
        """Replace the state and the clock's offset; raise 20422 if the state does not contain this service."""
        if self._service_sid not in state.services:
            raise TwilioError(INVALID_PARAMETER, f"The snapshot does not contain service {self._service_sid}")
        self.backend.state = state
        self.clock.ahead = state.clock_ahead
        self.changes.tell_all()
        self._timers_changed.set()

    async def aclose(self) -> None:
        """Stop all background work and save the state file; raise `StateFileNotSaved` if that fails."""
        if self._timer_task is not None:
            self._timer_task.cancel()
            with suppress(asyncio.CancelledError):
                await self._timer_task
            self._timer_task = None
        await self._rest.aclose()
        await self._sender.aclose()
        if self._state_file is not None:
            self._state_file.write(snapshot.dump(self.backend.state))

    def _load_state(self, file: StateFile) -> None:
        saved = file.read()
        if saved is None:
            return
        try:
            self.restore(snapshot.load(saved))
        except TwilioError as error:
            raise StateFileUnusable(f"{file.path}: {error.message}") from None

    def _create_initial_resources(self) -> None:
        services.create(self.backend, friendly_name="Switchboard", sid=self._service_sid)
        self.backend.state.configuration = AccountConfiguration(
            default_chat_service_sid=self._service_sid, default_messaging_service_sid=f"MG{self._service_sid[2:]}"
        )
        for address, kind in ((addresses.SMS_NUMBER, "sms"), (addresses.WHATSAPP_NUMBER, "whatsapp")):
            addresses.add_to_account(self.backend, address)
            addresses.configure(
                self.backend,
                type=kind,
                address=address,
                auto_creation=AutoCreation(enabled=True, conversation_service_sid=self._service_sid),
            )

    def _delivery_failure(self, address: str) -> DeliveryFailure | None:
        fault = self.faults.trigger({FaultKind.FAIL_DELIVERY}, address)
        return DeliveryFailure(fault.error_code, DeliveryStatus(fault.status)) if fault else None

    def _late_delivery(self, address: str) -> LateDelivery | None:
        fault = self.faults.trigger(LATE_DELIVERY_KINDS, address)
        if fault is None:
            return None
        return LateDelivery(timedelta(seconds=fault.seconds), may_be_overtaken=fault.kind is FaultKind.REORDER_DELIVERY)

    def _send_webhooks(self, event: Event) -> None:
        for target in webhook_targets.post_webhook_targets(self.backend, event):
            self._sender.send(event, target)

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", phones_page, methods=["GET"], middleware=[Middleware(SameMachine, host=self._host)]),
                Route("/healthz", _healthz),
                Mount("/_emulator", app=self.control),
                Route("/{path:path}", self._rest.__call__, methods=_METHODS),
            ],
            exception_handlers={TwilioError: _error_response, HTTPException: _routing_error_response},
        )

    def _run_timers(self) -> None:
        """Run the timers that are due, and start the task that runs the later ones."""
        timers.run_due(self.backend)
        if self._timer_task is None:
            self._timer_task = asyncio.get_running_loop().create_task(self._watch_timers())

    async def _watch_timers(self) -> None:
        while True:
            self._timers_changed.clear()
            due = timers.next_due(self.backend)
            wait = None if due is None else max(0.0, (due - self.clock()).total_seconds())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._timers_changed.wait(), wait)
            timers.run_due(self.backend)


class _TimerMiddleware:
    """Runs the timers that are due before every request."""

    def __init__(self, app: ASGIApp, run_timers: Callable[[], None]) -> None:
        self._app = app
        self._run_timers = run_timers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._run_timers()
        await self._app(scope, receive, send)


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _error_response(_request: Request, error: Exception) -> Response:
    if not isinstance(error, TwilioError):
        raise error
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(error.body(), error.status, headers=headers)


async def _routing_error_response(request: Request, error: Exception) -> Response:
    """Answer in Twilio's form for a path or a method that Starlette refused."""
    wrong_method = isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    return await _error_response(
        request, TwilioError(METHOD_NOT_ALLOWED) if wrong_method else not_found(request.url.path)
    )
