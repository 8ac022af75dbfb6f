"""Twilio Conversations as a library: `Provider` creates conversations, sends and receives, and answers webhooks."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from types import TracebackType
from typing import Self

from switchboard.agent import Agent
from switchboard.agents.function_agent import AnswerFunction, as_agent
from switchboard.answer_settings import AnswerSettings
from switchboard.author import ASSISTANT_AUTHOR, AuthorRules
from switchboard.consent import why_nothing_is_sent
from switchboard.content import Content
from switchboard.errors import Misconfigured, NotAuthentic, NotSent, Rejected, SendRefused, Transient
from switchboard.events import ConversationState, Ignored, MessageAdded, Sent
from switchboard.notices import Notice, facts_of
from switchboard.stores.store import Store, in_memory
from switchboard.twilio.rest.conversations import ConversationResource, Conversations, ParticipantResource
from switchboard.twilio.rest.messages import Messages
from switchboard.twilio.rest.services import PAGE_SIZE, Service, connect
from switchboard.twilio.webhook.any_request import Request, request_from_any
from switchboard.twilio.webhook.parse import EVENTS_WE_USE, ExpectedAccount, parse
from switchboard.twilio.webhook.typed_events import typed_event
from switchboard.twilio.webhook.verify import Form, verify
from switchboard.webhook_events import WebhookEvent
from switchboard.whatsapp_window import require_open_window
from switchboard.worker import Worker

EMULATOR = ("AC00000000000000000000000000000001", "emulator-token", "IS00000000000000000000000000000001")
EMULATOR_PORT = "8081"
MAX_PORT = 65535

_SIDS = {"account_sid": "AC", "conversations_service_sid": "IS"}

logger = logging.getLogger("switchboard")


class Provider:
    """A Conversations service of one Twilio account, and the assistant that answers in it.

    `auth_token` verifies webhooks, and is what requests are made with unless an API key is given. `webhook_url` is the
    URL that Twilio calls: it signs that one, whatever proxies make of it. `base_url` stands in for `https://*.twilio.com`
    (an emulator's). `author_rules` say who wrote a message.

    `store`, `settings` and `on_notice` are for `handle_webhook`: where conversations are kept (in memory; in a SQLite
    file, where it is a path), how they are answered, and what is called with each `Notice` that people should read; the
    default logs it. Raises `Misconfigured` for what cannot be right; nothing is sent before `start`.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        conversations_service_sid: str,
        webhook_url: str | None = None,
        api_key_sid: str = "",
        api_key_secret: str = "",
        base_url: str | None = None,
        author_rules: AuthorRules | None = None,
        store: Store | str | Path | None = None,
        settings: AnswerSettings | None = None,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        _check(account_sid=account_sid, conversations_service_sid=conversations_service_sid, auth_token=auth_token)
        if bool(api_key_sid) != bool(api_key_secret):
            raise Misconfigured("an API key is api_key_sid and api_key_secret: give both or neither")
        self.webhook_url = _checked_url(webhook_url) if webhook_url else None
        self._base_url = _checked_base_url(base_url) if base_url else None
        self.account_sid = account_sid
        self.conversations_service_sid = conversations_service_sid
        self._auth_token = auth_token
        self._author_rules = author_rules or AuthorRules()
        self._service = connect(
            account_sid=account_sid,
            service_sid=conversations_service_sid,
            credentials=(api_key_sid, api_key_secret) if api_key_sid else (account_sid, auth_token),
            base_url=self._base_url,
        )
        self._store = store
        self._settings = settings or AnswerSettings()
        self._on_notice = on_notice or _log_notice
        self._worker: Worker | None = None
        self._lock = Lock()
        self._stopped = Flag()

    @classmethod
    def from_env(
        cls,
        *,
        store: Store | str | Path | None = None,
        settings: AnswerSettings | None = None,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> Self:
        """Build it from the environment; raise `Misconfigured` that names the variable which is missing or wrong.

        Required: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_CONVERSATIONS_SERVICE_SID. Optional: WEBHOOK_URL,
        TWILIO_API_KEY_SID with TWILIO_API_KEY_SECRET, TWILIO_BASE_URL.
        """
        return cls(
            account_sid=_required("TWILIO_ACCOUNT_SID"),
            auth_token=_required("TWILIO_AUTH_TOKEN"),
            conversations_service_sid=_required("TWILIO_CONVERSATIONS_SERVICE_SID"),
            webhook_url=os.environ.get("WEBHOOK_URL"),
            api_key_sid=os.environ.get("TWILIO_API_KEY_SID", ""),
            api_key_secret=os.environ.get("TWILIO_API_KEY_SECRET", ""),
            base_url=os.environ.get("TWILIO_BASE_URL"),
            store=store,
            settings=settings,
            on_notice=on_notice,
        )

    @classmethod
    def local(
        cls,
        port: int | None = None,
        *,
        store: Store | str | Path | None = None,
        settings: AnswerSettings | None = None,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> Self:
        """Build it for an emulator on this machine, that of `twilio-emulator` or of `make run`; no account is needed.

        `port` is the emulator's: by default that of the variable TWILIO_PORT, else 8081.
        """
        account_sid, auth_token, service_sid = EMULATOR
        return cls(
            account_sid=account_sid,
            auth_token=auth_token,
            conversations_service_sid=service_sid,
            base_url=f"http://127.0.0.1:{port or os.environ.get('TWILIO_PORT', EMULATOR_PORT)}",
            store=store,
            settings=settings,
            on_notice=on_notice,
        )

    # ── start and stop ───────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> Self:
        """Check the credentials and that the service exists: two requests. Raise `Misconfigured` or `Transient`."""
        try:
            self._running().start()
        except NotSent as error:
            if self._base_url is None:
                raise
            raise NotSent(f"{error}: start `twilio-emulator` or `make run`, or set TWILIO_PORT to its port") from None
        return self

    def stop(self) -> None:
        """End what `receive_messages` and `handle_webhook` do, and close connections. Turns that think get a minute."""
        self._stopped.set()
        with self._lock:
            if self._worker:
                self._worker.stop()
                self._worker.store.close()
                self._worker = None
        self._service.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.stop()

    def health(self) -> bool:
        """Tell whether Twilio answers for the service now."""
        return not self._stopped.is_set() and self._service.health()

    def _running(self) -> Service:
        """Return the connection; raise `RuntimeError` once the provider is stopped."""
        if self._stopped.is_set():
            raise RuntimeError("the provider is stopped: build another one")
        return self._service

    @property
    def _conversations(self) -> Conversations:
        return Conversations(service=self._running())

    @property
    def _messages(self) -> Messages:
        return Messages(service=self._running(), author_rules=self._author_rules)

    # ── conversations ────────────────────────────────────────────────────────────────────────────────────────────────

    def create_conversation(
        self, friendly_name: str = "", *, unique_name: str | None = None, attributes: Mapping[str, object] | None = None
    ) -> ConversationResource:
        """Create a conversation. Raise `TwilioRefused` (code 50353: another one has the unique name), `Transient`."""
        return self._conversations.create_conversation(
            friendly_name=friendly_name, unique_name=unique_name, attributes=json.dumps(attributes or {})
        )

    def get_conversation(self, sid: str) -> ConversationResource:
        """Fetch a conversation by SID or unique name. Raise `TwilioRefused` (404: there is none), `Transient`."""
        return self._conversations.get_conversation(sid)

    def list_conversations(self, *, limit: int = PAGE_SIZE) -> tuple[ConversationResource, ...]:
        """List the service's newest conversations; each hundred of them costs a request. Raise `Transient`."""
        return self._conversations.list_conversations(limit=limit)

    def update_state(self, sid: str, state: ConversationState | str) -> ConversationResource:
        """Set the state: `active`, `inactive` or `closed`.

        Raise `TwilioRefused` (50377: it is closed), `Transient`, `ValueError` for what is not a state.
        """
        return self._conversations.update_state(sid, ConversationState(state))

    def close_conversation(self, sid: str) -> ConversationResource:
        """Close a conversation, for good: its customer's next text opens another. Errors as in `update_state`."""
        return self._conversations.close_conversation(sid)

    def set_attributes(self, sid: str, attributes: Mapping[str, object]) -> ConversationResource:
        """Replace the attributes, a JSON object of at most 16 KB. Raise `TwilioRefused`, `Transient`.

        The key `switchboard` says who owns the conversation (docs/handoff.md); keep it if it is there.
        """
        return self._conversations.set_attributes(sid, attributes)

    # ── participants ─────────────────────────────────────────────────────────────────────────────────────────────────

    def add_participant(
        self, sid: str, *, identity: str | None = None, address: str | None = None, proxy_address: str | None = None
    ) -> ParticipantResource:
        """Add a participant: a web chat's by `identity`, a phone by its `address` and our number, `proxy_address`.

        On WhatsApp both addresses begin with `whatsapp:`. Raise `TwilioRefused` (50416: this phone is in another open
        conversation with this number; 50433: it is in this one already), `Transient`, `ValueError` for half of a pair.
        """
        if bool(identity) == bool(address or proxy_address) or bool(address) != bool(proxy_address):
            raise ValueError("give either identity, or address and proxy_address")
        return self._conversations.add_participant(sid, identity=identity, address=address, proxy_address=proxy_address)

    def list_participants(self, sid: str) -> tuple[ParticipantResource, ...]:
        """List a conversation's participants. Raise `TwilioRefused`, `Transient`."""
        return self._conversations.list_participants(sid)

    def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Remove a participant: their address is free for another conversation. Raise `TwilioRefused`, `Transient`."""
        self._conversations.remove_participant(sid, participant_sid)

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def send_message(
        self, sid: str, body: str = "", *, author: str = ASSISTANT_AUTHOR, content: Content | None = None
    ) -> Sent:
        """Send a text to all participants, once: at most 1,600 characters where a phone takes part, else 32 KB.

        `content` is sent in its place: a card, quick replies, or a template. On WhatsApp nothing else reaches a
        customer whose last message is 24 hours old, or who never wrote: a text is `WindowClosed` then, and is not sent
        to anybody. To know, a text costs one request more, and two where somebody is on WhatsApp.

        Raise `SendRefused` (never tried again: 50377 closed, 50504 too long; where webhooks are handled, also that the
        customer has opted out), `NotSent` (it certainly did not leave: try again), or `Unknown` (it may have left: look
        with `list_messages` before you send it again).
        """
        if self._worker and self._worker.store.lifecycle.has_opted_out(sid):
            raise SendRefused(why_nothing_is_sent(sid))
        if content is None:
            require_open_window(sid, customers=self._messages, now=datetime.now(UTC))
        return self._messages.send_message(sid, body=body, author=author, content=content)

    def list_messages(self, sid: str, *, from_index: int = 0) -> tuple[MessageAdded, ...]:
        """List the messages at `from_index` and above, in order. Raise `TwilioRefused`, `Transient`."""
        return self._messages.list_messages(sid, from_index=from_index)

    def receive_messages(
        self, sid: str, *, from_index: int | None = None, poll_seconds: float = 1.0
    ) -> Iterator[MessageAdded]:
        """Yield messages as they come: those after this call, or those at `from_index` and above.

        It asks Twilio every `poll_seconds`, and ends where you leave the loop or stop the provider. A webhook costs
        less where there are many conversations. Raise `TwilioRefused`, `Transient`.
        """
        first = self._messages.last_index(sid) + 1 if from_index is None else from_index
        return self._messages.receive_messages(sid, from_index=first, wait=lambda: not self._stopped.wait(poll_seconds))

    def delete_message(self, sid: str, message_sid: str) -> None:
        """Delete a message; a phone that has it keeps it. Raise `TwilioRefused`, `Transient`."""
        self._messages.delete_message(sid, message_sid)

    # ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def configure_webhook(self, url: str | None = None) -> str:
        """Have Twilio call `url`, or the provider's `webhook_url`, after each event that we use.

        Webhooks are verified for it from now on. Return the URL that was called before, or an empty text. It is the
        service's own setting: it outlives this process. Raise `TwilioRefused`, `Transient`, `Misconfigured`.
        """
        chosen = _checked_url(url or self.webhook_url or "")
        before = self._running().configure_webhook(chosen, events=EVENTS_WE_USE)
        self.webhook_url = chosen
        return before

    def parse_webhook(self, request: Request) -> WebhookEvent:
        """Return the event that a request tells, verified: one of 13 post-events or 10 pre-events.

        `request` is a WSGI environ, a request of Flask, Django, Starlette, FastAPI, aiohttp, Quart or Sanic, or a tuple
        (url, headers, body). Await the body of an asynchronous framework's request before. Raise `NotAuthentic` (answer
        403: Twilio did not sign it) or `Malformed` (answer 400).
        """
        return typed_event(self._verified(request), expected=self._expected())

    def handle_webhook(self, request: Request, agent: Agent | AnswerFunction) -> HTTPStatus:
        """Keep what a request tells, have `agent` answer it in a thread of this process, and return the HTTP status.

        200: it is kept. 403: Twilio did not sign it. 400: it is malformed. 503: the store cannot be written. `request`
        is as in `parse_webhook`. `agent` is a function that is given a `Question` and returns a text or an `Answer`, or
        an object with a method `answer` that does: the same one at each call.
        """
        worker = self.resume(agent)
        try:
            event = parse(self._verified(request), expected=self._expected())
            if not isinstance(event, Ignored):
                worker.accept(event)
        except Rejected as error:
            logger.warning("a webhook was rejected: %s: %s", error.cause, error)
            return HTTPStatus.FORBIDDEN if isinstance(error, NotAuthentic) else HTTPStatus.BAD_REQUEST
        except Transient as error:
            logger.warning("a webhook was not kept; a sweep finds its message: %s", error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.OK

    def resume(self, agent: Agent | AnswerFunction) -> Worker:
        """Begin to answer, also what waits in the store since the process before: call it once the agent is there."""
        with self._lock:
            self._running()
            if self._worker is None:
                self._worker = self._new_worker(agent)
                self._worker.start()
            return self._worker

    def _new_worker(self, agent: Agent | AnswerFunction) -> Worker:
        return Worker(
            store=_opened(self._store),
            agent=as_agent(agent),
            messages=self._messages,
            conversations=self._conversations,
            settings=self._settings,
            on_notice=self._on_notice,
            threads=ThreadPoolExecutor(self._settings.turns_at_once, thread_name_prefix="switchboard"),
        )

    def _verified(self, request: Request) -> Form:
        return verify(request_from_any(request, webhook_url=self.webhook_url), auth_tokens=[self._auth_token])

    def _expected(self) -> ExpectedAccount:
        return ExpectedAccount(
            account_sid=self.account_sid,
            service_sid=self.conversations_service_sid,
            author_rules=self._author_rules,
        )


def _opened(store: Store | str | Path | None) -> Store:
    if store is None:
        return in_memory()
    if isinstance(store, Store):
        return store
    from switchboard.stores.sqlite import in_sqlite  # noqa: PLC0415 -- only where a file is asked for

    return in_sqlite(store)


def _log_notice(notice: Notice) -> None:
    logger.warning("people must be told: %s", facts_of(notice))


def _check(*, auth_token: str, **sids: str) -> None:
    for name, value in sids.items():
        if not re.fullmatch(rf"{_SIDS[name]}[0-9a-fA-F]{{32}}", value):
            raise Misconfigured(f"{name} is not a valid SID: it must be {_SIDS[name]} and 32 hex digits")
    if not auth_token:
        raise Misconfigured("auth_token is empty")


def _checked_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s?#/]+(/[^\s?#]*)?", url):
        raise Misconfigured(
            f"the webhook URL is {url!r}: it must be http:// or https://, a host and a path, and no query"
        )
    return url


def _checked_base_url(url: str) -> str:
    if not re.fullmatch(r"https?://([^\s/?#:@\[\]]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?/?", url) or _port(url) > MAX_PORT:
        raise Misconfigured(f"base_url is {url!r}: it must be http:// or https://, a host, and a port if it needs one")
    return url


def _port(url: str) -> int:
    _, _, port = url.removesuffix("/").rpartition(":")
    return int(port) if port.isdecimal() else 0


def _required(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise Misconfigured(
            f"{name} is not set. To try it without an account, use Provider.local() beside `twilio-emulator`"
        )
    return value
