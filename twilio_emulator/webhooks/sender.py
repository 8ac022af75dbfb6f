"""Webhooks on their way: signed forms over HTTP, one after another in a conversation, conversations side by side."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx

from twilio_emulator.clock import Clock
from twilio_emulator.faults.armed import WEBHOOK_KINDS, Faults, Kind
from twilio_emulator.models.events import Event
from twilio_emulator.models.webhook_targets import Target
from twilio_emulator.webhooks.signing import signature

TIMEOUT_SECONDS = 5  # Twilio's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook; all that is sent of it carries one idempotency token."""

    event: Event
    target: Target
    token: str
    retry_count: int = 0

    @property
    def lane(self) -> str:
        """What webhooks keep their order in: the conversation."""
        return self.event.conversation_sid or ""


class WebhookSender:
    """Sends what it is given, in the background of the running event loop."""

    def __init__(self, *, account_sid: str, auth_token: Callable[[], str], clock: Clock, faults: Faults) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._clock = clock
        self._faults = faults
        self._client: httpx.AsyncClient | None = None
        self._waiting: dict[str, deque[Webhook]] = {}
        self._held_back: dict[str, list[Webhook]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, event: Event, target: Target) -> None:
        """Have a webhook sent after those of its conversation that wait already, unless a fault says otherwise."""
        webhook = Webhook(event=event, target=target, token=str(uuid.uuid4()))
        fault = self._faults.strike(WEBHOOK_KINDS, event.type)
        match fault.kind if fault else None:
            case Kind.DROP_WEBHOOK:
                pass
            case Kind.DELAY_WEBHOOK if fault:
                self._in_background(self._line_up_later(webhook, timedelta(seconds=fault.seconds)))
            case Kind.REORDER_WEBHOOK if fault:
                self._held_back.setdefault(webhook.lane, []).append(webhook)
                self._in_background(self._release(webhook, timedelta(seconds=fault.seconds)))
            case Kind.DUPLICATE_WEBHOOK:
                self._line_up(webhook)
                self._line_up(replace(webhook, retry_count=1))
            case _:
                self._line_up(webhook)

    async def ask(self, event: Event, target: Target) -> httpx.Response | None:
        """Send a pre-webhook and return its answer; None where there was none in time."""
        return await self._post(Webhook(event=event, target=target, token=str(uuid.uuid4())))

    def forget(self) -> None:
        """Give up what was not sent."""
        for task in self._tasks:
            task.cancel()
        self._waiting.clear()
        self._held_back.clear()

    async def aclose(self) -> None:
        """Give up what was not sent, and close all connections."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _line_up(self, webhook: Webhook) -> None:
        """Put a webhook at the end of its lane, and behind it those that it was to overtake."""
        overtaken = self._held_back.pop(webhook.lane, [])
        if webhook.lane in self._waiting:
            self._waiting[webhook.lane].extend([webhook, *overtaken])
            return
        self._waiting[webhook.lane] = deque([webhook, *overtaken])
        self._in_background(self._send_lane(webhook.lane))

    async def _send_lane(self, lane: str) -> None:
        waiting = self._waiting[lane]
        while waiting:
            await self._post(waiting.popleft())
        del self._waiting[lane]

    async def _line_up_later(self, webhook: Webhook, delay: timedelta) -> None:
        await self._clock.wait(delay)
        self._line_up(webhook)

    async def _release(self, webhook: Webhook, after: timedelta) -> None:
        """Line up a webhook that nothing has overtaken in this time."""
        await self._clock.wait(after)
        if webhook in self._held_back.get(webhook.lane, []):
            self._held_back[webhook.lane].remove(webhook)
            self._line_up(webhook)

    async def _post(self, webhook: Webhook) -> httpx.Response | None:
        with suppress(TimeoutError, httpx.HTTPError, httpx.InvalidURL):  # Twilio does not try again
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._http.send(self._request(webhook))
        return None

    def _request(self, webhook: Webhook) -> httpx.Request:
        url = webhook.target.url
        fields = self._fields(webhook)
        headers = {"I-Twilio-Idempotency-Token": webhook.token}
        if webhook.target.method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"
            headers["X-Twilio-Signature"] = signature(self._auth_token(), url)
            return self._http.build_request("GET", url, headers=headers)
        headers["X-Twilio-Signature"] = signature(self._auth_token(), url, fields)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        return self._http.build_request("POST", url, content=urlencode(fields).encode(), headers=headers)

    def _fields(self, webhook: Webhook) -> list[tuple[str, str]]:
        event = webhook.event
        common = [
            ("AccountSid", self._account_sid),
            ("EventType", event.type),
            ("RetryCount", str(webhook.retry_count)),
        ]
        if event.origin.source is not None:
            common.append(("Source", event.origin.source))
        if event.origin.client_identity is not None:
            common.append(("ClientIdentity", event.origin.client_identity))
        return [*common, *event.fields]

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=TIMEOUT_SECONDS,
                headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=50),
                trust_env=False,  # a webhook URL on this machine is not the proxy's business
            )
        return self._client
