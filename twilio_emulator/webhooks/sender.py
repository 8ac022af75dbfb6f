"""Sends webhooks as signed requests: one after another within a conversation, in parallel between conversations."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx

from twilio_emulator.clock import Clock
from twilio_emulator.faults.armed import WEBHOOK_KINDS, FaultKind, Faults
from twilio_emulator.models.events import Event
from twilio_emulator.models.webhook_targets import WebhookTarget
from twilio_emulator.webhooks.signing import signature

TIMEOUT_SECONDS = 5  # Twilio's own
MAY_HAVE_ARRIVED = "it may have arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook; its duplicates carry the same idempotency token."""

    event: Event
    target: WebhookTarget
    token: str
    retry_count: int = 0

    @property
    def queue_key(self) -> str:
        """The conversation; its webhooks are sent in order."""
        return self.event.conversation_sid or ""


class WebhookSender:
    """Sends webhooks in the background of the running event loop.

    `on_lost` is called with the fields of one that did not arrive, as far as Twilio knows, and why: on Twilio nobody
    would know. One that was not answered in time may have arrived.
    """

    def __init__(self, *, account_sid: str, auth_token: Callable[[], str], clock: Clock, faults: Faults) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._clock = clock
        self._faults = faults
        self._client: httpx.AsyncClient | None = None
        self._queues: dict[str, deque[Webhook]] = {}
        self._to_be_overtaken: dict[str, list[Webhook]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_lost: Callable[[Sequence[tuple[str, str]], str], None] = lambda _fields, _reason: None

    def send(self, event: Event, target: WebhookTarget) -> None:
        """Queue a webhook behind those of its conversation; a fault may drop, duplicate, delay or reorder it."""
        webhook = Webhook(event=event, target=target, token=str(uuid.uuid4()))
        fault = self._faults.trigger(WEBHOOK_KINDS, event.type)
        match fault.kind if fault else None:
            case FaultKind.DROP_WEBHOOK:
                self.on_lost(self._fields(webhook), "A fault dropped it.")
            case FaultKind.DELAY_WEBHOOK if fault:
                self._in_background(self._enqueue_after(webhook, timedelta(seconds=fault.seconds)))
            case FaultKind.REORDER_WEBHOOK if fault:
                self._to_be_overtaken.setdefault(webhook.queue_key, []).append(webhook)
                self._in_background(self._enqueue_if_not_overtaken(webhook, timedelta(seconds=fault.seconds)))
            case FaultKind.DUPLICATE_WEBHOOK:
                self._enqueue(webhook)
                self._enqueue(replace(webhook, retry_count=1))
            case _:
                self._enqueue(webhook)

    async def send_and_wait(self, event: Event, target: WebhookTarget) -> httpx.Response | None:
        """Send a webhook at once and return the response; None if there was none in time."""
        return await self._post(Webhook(event=event, target=target, token=str(uuid.uuid4())))

    def discard_all(self) -> None:
        """Discard all webhooks that were not sent yet."""
        for task in self._tasks:
            task.cancel()
        self._queues.clear()
        self._to_be_overtaken.clear()

    async def aclose(self) -> None:
        """Discard all webhooks that were not sent yet, and close all connections."""
        self.discard_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _enqueue(self, webhook: Webhook) -> None:
        """Append a webhook to its queue, followed by the webhooks that it was to overtake."""
        overtaken = self._to_be_overtaken.pop(webhook.queue_key, [])
        if webhook.queue_key in self._queues:
            self._queues[webhook.queue_key].extend([webhook, *overtaken])
            return
        self._queues[webhook.queue_key] = deque([webhook, *overtaken])
        self._in_background(self._send_queue(webhook.queue_key))

    async def _send_queue(self, queue_key: str) -> None:
        queue = self._queues[queue_key]
        while queue:
            await self._post(queue.popleft())
        del self._queues[queue_key]

    async def _enqueue_after(self, webhook: Webhook, delay: timedelta) -> None:
        await self._clock.wait(delay)
        self._enqueue(webhook)

    async def _enqueue_if_not_overtaken(self, webhook: Webhook, delay: timedelta) -> None:
        """Send a webhook that no other webhook has overtaken within `delay`."""
        await self._clock.wait(delay)
        if webhook in self._to_be_overtaken.get(webhook.queue_key, []):
            self._to_be_overtaken[webhook.queue_key].remove(webhook)
            self._enqueue(webhook)

    async def _post(self, webhook: Webhook) -> httpx.Response | None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._http.send(self._request(webhook))
        except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            self.on_lost(self._fields(webhook), f"It could not be delivered: {type(error).__name__}.")
        except (TimeoutError, httpx.TimeoutException):
            self.on_lost(self._fields(webhook), f"Not answered within {TIMEOUT_SECONDS} s: {MAY_HAVE_ARRIVED}.")
        except httpx.HTTPError as error:  # Twilio does not retry either
            self.on_lost(self._fields(webhook), f"Not answered ({type(error).__name__}): {MAY_HAVE_ARRIVED}.")
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
                trust_env=False,  # a proxy would not reach a webhook URL on this machine
            )
        return self._client
