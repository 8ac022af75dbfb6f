"""Conversations and their participants over REST."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from switchboard.conversation import OwnerChange, OwnerReason
from switchboard.errors import Permanent
from switchboard.events import ConversationState, Owner
from switchboard.twilio.fields import end_of_second, is_timestamp, our_attribute, utc
from switchboard.twilio.rest.errors import TwilioRefused, raise_twilio_errors
from switchboard.twilio.rest.services import NOT_FOUND, PAGE_SIZE, Service

CLOSED_ALREADY = 50377
_MILLISECOND = timedelta(milliseconds=1)  # times of the table are whole ones


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
class Conversations:
    """The conversations of a service."""

    service: Service

    def create_conversation(
        self, *, friendly_name: str, unique_name: str | None = None, attributes: str = "{}"
    ) -> ConversationResource:
        """Create a conversation."""
        given = {"unique_name": unique_name} if unique_name else {}
        with raise_twilio_errors("create conversation"):
            created = self.service.resource.conversations.create(
                friendly_name=friendly_name, attributes=attributes, **given
            )
        return _conversation(created)

    def get_conversation(self, sid: str) -> ConversationResource:
        """Fetch a conversation by SID or unique name."""
        with raise_twilio_errors(sid):
            return _conversation(self.service.resource.conversations(sid).fetch())

    def list_conversations(self, *, limit: int = PAGE_SIZE) -> tuple[ConversationResource, ...]:
        """List the service's newest conversations."""
        with raise_twilio_errors("list conversations"):
            found = self.service.resource.conversations.list(limit=limit, page_size=min(limit, PAGE_SIZE))
        return tuple(_conversation(each) for each in found)

    def new_conversations(self, *, since: datetime, limit: int) -> Sequence[str]:
        """Return the SIDs of conversations created since then, the newest first; costs a request for each hundred.

        A date filter compares whole days, and sorts the newest first (Twilio's description of StartDate).
        """
        with raise_twilio_errors("list conversations"):
            listed = self.service.resource.conversations.stream(
                start_date=f"{since:%Y-%m-%dT00:00:00Z}", limit=limit, page_size=PAGE_SIZE
            )
            young = takewhile(lambda each: utc(each.date_created) >= since, listed)
            return tuple(str(each.sid) for each in young)

    def update_state(self, sid: str, state: ConversationState) -> ConversationResource:
        """Set a conversation's state. Twilio accepts `active`, `inactive` and `closed`."""
        with raise_twilio_errors(sid):
            return _conversation(self.service.resource.conversations(sid).update(state=state.value))

    def close_conversation(self, sid: str) -> ConversationResource:
        """Close a conversation, for good; its customer's next text opens another."""
        return self.update_state(sid, ConversationState.CLOSED)

    def set_attributes(self, sid: str, attributes: Mapping[str, object]) -> ConversationResource:
        """Replace a conversation's attributes: a JSON object of at most 16 KB. Twilio tells everybody."""
        text = json.dumps(attributes)
        with raise_twilio_errors(sid):
            return _conversation(
                self.service.resource.conversations(sid).update(attributes=text, x_twilio_webhook_enabled="true")
            )

    def ensure_closed(self, sid: str) -> None:
        """Close a conversation and have Twilio tell everybody; one that is closed or gone already stays so."""
        try:
            with raise_twilio_errors(sid):
                self.service.resource.conversations(sid).update(
                    state=ConversationState.CLOSED.value, x_twilio_webhook_enabled="true"
                )
        except TwilioRefused as error:
            if error.code == CLOSED_ALREADY:
                return
            if error.status != NOT_FOUND:
                raise
            self.service.start()  # raises `Misconfigured` where Twilio does not know the service: then nothing is gone

    def human_owner_since(self, sid: str) -> datetime | None:
        """Return since when the attributes say that a human owns the conversation; None if they do not.

        After a failure nobody has to give it back: the customer's next message does.
        """
        match our_attribute(self.get_conversation(sid).attributes):
            case {"owner": "human", "since": str(since), **others} if is_timestamp(since):
                return None if others.get("reason") == OwnerReason.FAILURE else end_of_second("since", since)
            case _:
                return None

    def show_decision(self, change: OwnerChange, *, human: str | None = None) -> None:
        """Write an operator's decision into a conversation's attributes, beside what other programs keep there.

        Its `at` is what tells a decision from what `show_change` writes.
        """
        attributes = _object(change.conversation_sid, self.get_conversation(change.conversation_sid).attributes)
        decision = {**_shown(change), "at": _text(change.at)} | ({"human": human} if human else {})
        self._write(change.conversation_sid, {**attributes, "switchboard": decision})

    def show_change(self, change: OwnerChange) -> None:
        """Write the owner into a conversation's attributes, beside what other programs keep there.

        Without `at`, so that nobody takes it for a decision. A decision that is newer than the change stays: its
        webhook is on its way, and what comes of it will be shown. So does the human whom an operator's program named.
        """
        sid, shown = change.conversation_sid, _shown(change)
        attributes = _object(sid, self.get_conversation(sid).attributes)
        before = attributes.get("switchboard")
        if isinstance(before, dict):
            decided_at = before.get("at")
            is_time = isinstance(decided_at, str) and is_timestamp(decided_at)
            if is_time and end_of_second("at", decided_at) - change.at >= _MILLISECOND:
                return
            if before.get("owner") == change.owner == Owner.HUMAN and isinstance(before.get("human"), str):
                shown["human"] = before["human"]
        if before != shown:
            self._write(sid, {**attributes, "switchboard": shown})

    def _write(self, sid: str, attributes: dict[str, Any]) -> None:
        with raise_twilio_errors(sid):
            self.service.resource.conversations(sid).update(
                attributes=json.dumps(attributes), x_twilio_webhook_enabled="true"
            )

    def add_participant(
        self, sid: str, *, identity: str | None = None, address: str | None = None, proxy_address: str | None = None
    ) -> ParticipantResource:
        """Add a participant: by `identity` in a web chat, by `address` and our `proxy_address` on SMS or WhatsApp."""
        given = (
            {"identity": identity}
            if identity
            else {"messaging_binding_address": address, "messaging_binding_proxy_address": proxy_address}
        )
        with raise_twilio_errors(sid):
            return _participant(self.service.resource.conversations(sid).participants.create(**given))

    def list_participants(self, sid: str) -> tuple[ParticipantResource, ...]:
        """List a conversation's participants. Each hundred of them costs a request."""
        with raise_twilio_errors(sid):
            found = self.service.resource.conversations(sid).participants.list(page_size=PAGE_SIZE)
            return tuple(map(_participant, found))

    def remove_participant(self, sid: str, participant_sid: str) -> None:
        """Remove a participant; their address is free for another conversation."""
        with raise_twilio_errors(sid):
            self.service.resource.conversations(sid).participants(participant_sid).delete()


def _shown(change: OwnerChange) -> dict[str, str]:
    return {"owner": change.owner.value, "reason": change.reason, "since": _text(change.since)}


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _object(sid: str, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Permanent(f"{sid}: the conversation's attributes are not a JSON object")
    return values


def _conversation(resource: Any) -> ConversationResource:  # noqa: ANN401 -- see Service.resource
    return ConversationResource(
        sid=str(resource.sid),
        friendly_name=str(resource.friendly_name or ""),
        unique_name=resource.unique_name,
        state=str(resource.state),
        attributes=str(resource.attributes),
        created_at=utc(resource.date_created),
    )


def _participant(resource: Any) -> ParticipantResource:  # noqa: ANN401 -- see Service.resource
    binding = resource.messaging_binding or {}
    return ParticipantResource(
        sid=str(resource.sid),
        identity=resource.identity,
        address=binding.get("address"),
        proxy_address=binding.get("proxy_address"),
    )
