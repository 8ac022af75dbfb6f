"""Webhooks on their way: signed forms over HTTP, one after another in a conversation, conversations side by side."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from urllib.parse import urlencode

import httpx

from local.twilio.models.events import Event
from local.twilio.models.subscriptions import Target
from local.twilio.signing import signature

TIMEOUT_SECONDS = 5  # Twilio's own; it does not try again


class WebhookSender:
    """Sends what it is given, in the background of the running event loop."""

    def __init__(self, *, account_sid: str, auth_token: Callable[[], str]) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._client: httpx.AsyncClient | None = None
        self._waiting: dict[str, deque[tuple[Event, Target]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, event: Event, target: Target) -> None:
        """Have a webhook sent after those of its conversation that wait already."""
        lane = event.conversation_sid or ""
        if lane in self._waiting:
            self._waiting[lane].append((event, target))
            return
        self._waiting[lane] = deque([(event, target)])
        task = asyncio.get_running_loop().create_task(self._send_lane(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Give up what was not sent, and close all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send_lane(self, lane: str) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting:
                await self._post(*waiting.popleft())
        finally:
            del self._waiting[lane]

    async def _post(self, event: Event, target: Target) -> None:
        request = self._request(event, target)
        try:
            await self._http.send(request)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
            return  # nobody there, or too slow: Twilio does not try again

    def _request(self, event: Event, target: Target) -> httpx.Request:
        fields = self._fields(event)
        headers = {"I-Twilio-Idempotency-Token": str(uuid.uuid4())}
        form = urlencode(fields)
        if target.method == "GET":
            url = f"{target.url}{'&' if '?' in target.url else '?'}{form}"
            headers["X-Twilio-Signature"] = signature(self._auth_token(), url)
            return self._http.build_request("GET", url, headers=headers)
        headers["X-Twilio-Signature"] = signature(self._auth_token(), target.url, fields)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        return self._http.build_request("POST", target.url, content=form.encode(), headers=headers)

    def _fields(self, event: Event) -> list[tuple[str, str]]:
        common = [("AccountSid", self._account_sid), ("EventType", event.type), ("RetryCount", "0")]
        if event.origin.source is not None:
            common.append(("Source", event.origin.source))
        if event.origin.client_identity is not None:
            common.append(("ClientIdentity", event.origin.client_identity))
        return [*common, *event.fields]

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
