"""Twilio Conversations (v1, classic) over the twilio package: what a bot and its operators do with it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from twilio.rest import Client

from switchboard.errors import Misconfigured, Transient
from switchboard.events import OUR_AUTHOR, Event, Marker, MessageAdded, Sent, who_speaks
from switchboard.twilio import fields, webhook
from switchboard.twilio.answers import TwilioRefused, send_outcome, translated
from switchboard.twilio.http import KeepAliveClient
from switchboard.twilio.signature import WebhookRequest, verify

PAGE_SIZE = 100  # the most that Twilio gives
NOT_FOUND = 404
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationResource:
    """A conversation as Twilio keeps it; `state` is Twilio's word."""

    sid: str
    friendly_name: str
    unique_name: str | None
    state: str
    attributes: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantResource:
    """A participant: with `address` on SMS or WhatsApp, with `identity` in a web chat."""

    sid: str
    identity: str | None
    address: str | None
    proxy_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One Conversations service of one account. Every error keeps Twilio's status and code and says what to do."""

    client: Client
    http: KeepAliveClient
    account_sid: str
    service_sid: str
    auth_tokens: Sequence[str]
    visitor_identities: Sequence[str]

    def start(self) -> None:
        """Check the credentials and that the Conversations service exists; `Misconfigured` names the setting."""
        try:
            with translated("account"):
                self.client.api.v2010.accounts(self.account_sid).fetch()
            with translated("Conversations service"):
                self._service.fetch()
        except TwilioRefused as error:
            if error.status == UNAUTHORIZED:
                raise Misconfigured(str(error)) from None
            if error.status == NOT_FOUND:
                raise Misconfigured(
                    f"Twilio does not know this Conversations service: check TWILIO_CONVERSATIONS_SERVICE_SID"
                    f" ({self.service_sid})"
                ) from None
            raise

    def stop(self) -> None:
        """Close the connections."""
        self.http.close()

    def health(self) -> bool:
        """Tell whether Twilio answers for our service now."""
        try:
            self.start()
        except (Misconfigured, TwilioRefused, Transient):
            return False
        return True

    def create_conversation(
        self, *, friendly_name: str, unique_name: str | None = None, attributes: str = "{}"
    ) -> ConversationResource:
        """Create a conversation."""
        given = {"unique_name": unique_name} if unique_name else {}
        with translated("create conversation"):
            created = self._service.conversations.create(friendly_name=friendly_name, attributes=attributes, **given)
        return _conversation(created)

    def get_conversation(self, sid: str) -> ConversationResource:
        """Fetch a conversation by SID or unique name."""
        with translated(sid):
            return _conversation(self._service.conversations(sid).fetch())

    def list_conversations(self, *, limit: int = PAGE_SIZE) -> tuple[ConversationResource, ...]:
        """List the service's newest conversations."""
        with translated("list conversations"):
            found = self._service.conversations.list(limit=limit, page_size=min(limit, PAGE_SIZE))
        return tuple(_conversation(each) for each in found)

    def new_conversations(self, *, since: datetime, limit: int) -> tuple[str, ...]:
        """Return the SIDs of conversations created since then, the newest first; costs a request for each hundred.

        A date filter compares whole days, and sorts the newest first (Twilio's description of StartDate).
        """
        with translated("list conversations"):
            listed = self._service.conversations.stream(
                start_date=f"{since:%Y-%m-%dT00:00:00Z}", limit=limit, page_size=PAGE_SIZE
            )
            young = takewhile(lambda each: _moment(each.date_created) >= since, listed)
            return tuple(str(each.sid) for each in young)

    def update_state(self, sid: str, state: str) -> ConversationResource:
        """Set a conversation's state: `active`, `inactive` or `closed`."""
        with translated(sid):
            return _conversation(self._service.conversations(sid).update(state=state))

    def close_conversation(self, sid: str) -> ConversationResource:
        """Close a conversation, for good; its customer's next text opens another."""
        return self.update_state(sid, "closed")

    def add_participant(
        self, sid: str, *, identity: str | None = None, address: str | None = None, proxy_address: str | None = None
    ) -> ParticipantResource:
        """Add somebody: by `identity` in a web chat, by `address` and our `proxy_address` on SMS (`+…`) or WhatsApp."""
        given = (
            {"identity": identity}
            if identity
            else {"messaging_binding_address": address, "messaging_binding_proxy_address": proxy_address}
        )
        with translated(sid):
            return _participant(self._service.conversations(sid).participants.create(**given))

    def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Remove somebody; his address is free for another conversation."""
        with translated(sid):
            self._service.conversations(sid).participants(participant_sid).delete()

    def send_message(
        self, conversation_sid: str, *, body: str, marker: Marker | None = None, author: str = OUR_AUTHOR
    ) -> Sent:
        """Send a message, once: no retry. Raise `SendRefused`, `NotSent` (it certainly did not leave) or `Unknown`."""
        attributes = json.dumps({"switchboard": {"turn": marker.turn, "part": marker.part}}) if marker else "{}"
        with send_outcome(conversation_sid):
            created = self._service.conversations(conversation_sid).messages.create(
                author=author, body=body, attributes=attributes
            )
            return Sent(message_sid=str(created.sid), index=int(created.index))

    def list_messages(self, conversation_sid: str, *, from_index: int = 0) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order; costs a page for each hundred of them."""
        newest_first: list[MessageAdded] = []
        with translated(conversation_sid):
            for message in self._service.conversations(conversation_sid).messages.stream(
                order="desc", page_size=PAGE_SIZE
            ):
                if int(message.index) < from_index:
                    break
                newest_first.append(self._message(message))
        return tuple(reversed(newest_first))

    def receive_messages(
        self, conversation_sid: str, *, from_index: int, wait: Callable[[], bool]
    ) -> Iterator[MessageAdded]:
        """Yield new messages from an index on, as they come; `wait` waits a while and tells whether to look again."""
        next_index = from_index
        while True:
            for message in self.list_messages(conversation_sid, from_index=next_index):
                next_index = message.index + 1
                yield message
            if not wait():
                return

    def parse_webhook_event(self, request: WebhookRequest) -> Event:
        """Return the event that a signed webhook tells; `NotAuthentic` or `Malformed` otherwise."""
        ours = webhook.Ours(
            account_sid=self.account_sid, service_sid=self.service_sid, visitor_identities=self.visitor_identities
        )
        return webhook.parse(verify(request, auth_tokens=self.auth_tokens), ours=ours)

    @property
    def _service(self) -> Any:  # noqa: ANN401 -- the package types its resources loosely
        return self.client.conversations.v1.services(self.service_sid)

    def _message(self, message: Any) -> MessageAdded:  # noqa: ANN401 -- see _service
        author = str(message.author or "")
        return MessageAdded(
            conversation_sid=str(message.conversation_sid),
            message_sid=str(message.sid),
            index=int(message.index),
            speaker=who_speaks(
                author=author,
                participant_sid=message.participant_sid,
                visitor_identities=self.visitor_identities,
            ),
            author=author,
            body=str(message.body or ""),
            media_content_types=tuple(str(file.get("content_type") or "file") for file in message.media or ()),
            at=_moment(message.date_created),
            marker=fields.marker(message.attributes) if author == OUR_AUTHOR else None,
        )


def provider(
    *,
    account_sid: str,
    service_sid: str,
    auth_tokens: Sequence[str],
    credentials: tuple[str, str] | None = None,
    renewed: Callable[[], tuple[str, str] | None] = lambda: None,
    base_url: str | None = None,
    visitor_identities: Sequence[str] = (),
) -> Provider:
    """Build a provider. Requests carry `credentials` (an API key's SID and secret), or else the first token.

    `renewed` is asked for newer ones when Twilio refuses them. The tokens verify webhooks.
    """
    http = KeepAliveClient(base_url=base_url, renewed=renewed)
    user, password = credentials or (account_sid, auth_tokens[0])
    return Provider(
        client=Client(user, password, account_sid=account_sid, http_client=http),
        http=http,
        account_sid=account_sid,
        service_sid=service_sid,
        auth_tokens=tuple(auth_tokens),
        visitor_identities=tuple(visitor_identities),
    )


def _conversation(resource: Any) -> ConversationResource:  # noqa: ANN401 -- see Provider._service
    return ConversationResource(
        sid=str(resource.sid),
        friendly_name=str(resource.friendly_name or ""),
        unique_name=resource.unique_name,
        state=str(resource.state),
        attributes=str(resource.attributes),
        created_at=_moment(resource.date_created),
    )


def _participant(resource: Any) -> ParticipantResource:  # noqa: ANN401 -- see Provider._service
    binding = resource.messaging_binding or {}
    return ParticipantResource(
        sid=str(resource.sid),
        identity=resource.identity,
        address=binding.get("address"),
        proxy_address=binding.get("proxy_address"),
    )


def _moment(value: datetime | str) -> datetime:
    """Return an instant: the package parses whole seconds and leaves everything else a string."""
    return value.astimezone(UTC) if isinstance(value, datetime) else fields.instant("date", value)
