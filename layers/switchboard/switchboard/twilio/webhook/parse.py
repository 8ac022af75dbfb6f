"""A verified form → the event it tells. Strict, because two different forms can carry the same signature.

Therefore every SID, timestamp and number must match in full, a field that we read must not be repeated, and a form
whose signed text could be cut into another one is rejected.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from switchboard.author import ASSISTANT_AUTHOR, AuthorRole, AuthorRules
from switchboard.errors import Malformed, RejectionCause
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    DeliveryFailed,
    Event,
    Ignored,
    MessageAdded,
    Owner,
    OwnerSet,
)
from switchboard.media import Media
from switchboard.twilio import fields
from switchboard.twilio.webhook.one_meaning import reject_ambiguous
from switchboard.twilio.webhook.verify import Form

POST_EVENT_TYPES = frozenset(
    {
        "onConversationAdded",
        "onConversationUpdated",
        "onConversationStateUpdated",
        "onConversationRemoved",
        "onMessageAdded",
        "onMessageUpdated",
        "onMessageRemoved",
        "onParticipantAdded",
        "onParticipantUpdated",
        "onParticipantRemoved",
        "onDeliveryUpdated",
        "onUserAdded",
        "onUserUpdated",
    }
)
# Of pre-webhooks. Where our URL is set as one by mistake, a refusal would reject the customer's message.
PRE_EVENT_TYPES = frozenset(
    {
        "onConversationAdd",
        "onConversationUpdate",
        "onConversationRemove",
        "onMessageAdd",
        "onMessageUpdate",
        "onMessageRemove",
        "onParticipantAdd",
        "onParticipantUpdate",
        "onParticipantRemove",
        "onUserUpdate",
    }
)
KNOWN = POST_EVENT_TYPES | PRE_EVENT_TYPES
FAILED = frozenset({"failed", "undelivered"})
MAX_CLOCK_SKEW = timedelta(seconds=10)  # that a human's clock may be ahead of Twilio's
# The values of those fields of which one value is a piece of another, or could be cut short.
VALUES: Mapping[str, Collection[str]] = {"EventType": KNOWN, "StateTo": frozenset(ConversationState), "Status": FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAccount:
    """The account and service whose events we accept, and the rules that say who wrote a message."""

    account_sid: str
    service_sid: str
    author_rules: AuthorRules


def parse(form: Form, *, expected: ExpectedAccount) -> Event:
    """Return the event: `Ignored` where nothing follows from it. Raise `Malformed` for what Twilio never sends."""
    if fields.sid("AccountSid", form.get("AccountSid"), prefix="AC") != expected.account_sid:
        raise Malformed(
            "AccountSid is not our account_sid: it is another account's webhook", cause=RejectionCause.WRONG_ACCOUNT
        )
    # A chat message of 2021 came without ChatServiceSid: its absence is not another service.
    service_sid = form.get("ChatServiceSid")
    if service_sid is not None and fields.sid("ChatServiceSid", service_sid, prefix="IS") != expected.service_sid:
        return Ignored(name="another_service")
    event_type = form.get("EventType") or ""
    if not event_type.isalpha():
        raise Malformed("EventType is not a valid event type", cause=RejectionCause.AMBIGUOUS)
    reject_ambiguous(form, VALUES)
    if event_type in _PARSERS:
        return _PARSERS[event_type](form, expected)
    return Ignored(name=event_type if event_type in KNOWN else "unknown_event_type")


def _message_added(form: Form, expected: ExpectedAccount) -> Event:
    author = form.get("Author")
    if not author:
        raise Malformed("Author is empty")
    author_role = expected.author_rules.classify(author)
    event = MessageAdded(
        conversation_sid=_conversation_sid(form),
        message_sid=fields.sid("MessageSid", form.get("MessageSid"), prefix="IM"),
        index=fields.integer("Index", form.get("Index")),
        author_role=author_role,
        author=author,
        body=form.get("Body") or "",
        media=media(form.get("Media")),
        at=fields.timestamp("DateCreated", form.get("DateCreated")),
        marker=fields.marker(form.get("Attributes")) if author == ASSISTANT_AUTHOR else None,
    )
    return Ignored(name=f"message_of_{author_role}") if author_role is AuthorRole.ASSISTANT else event


def _state_updated(form: Form, _ours: ExpectedAccount) -> Event:
    conversation_sid = _conversation_sid(form)
    at = fields.timestamp("StateUpdated", form.get("StateUpdated"))
    state = form.get("StateTo") or ""
    if state not in ConversationState:
        return Ignored(name="unknown_state")
    return ConversationStateUpdated(conversation_sid=conversation_sid, state=ConversationState(state), at=at)


def _removed(form: Form, _ours: ExpectedAccount) -> Event:
    # A removed conversation takes no more messages, as a closed one does.
    return ConversationStateUpdated(
        conversation_sid=_conversation_sid(form),
        state=ConversationState.CLOSED,
        at=fields.timestamp("DateRemoved", form.get("DateRemoved") or form.get("DateUpdated")),
    )


def _updated(form: Form, _ours: ExpectedAccount) -> Event:
    conversation_sid = _conversation_sid(form)
    match fields.our_attribute(form.get("Attributes")):
        # `at` is when a human decided: without it every later update of the conversation would decide again.
        case {"owner": "assistant" | "agent" | "human" as owner, "at": str(decided_at)} if fields.is_timestamp(
            decided_at
        ):
            at = fields.end_of_second("switchboard.at", decided_at)
            updated = form.get("DateUpdated")
            # A decision dated in the future would outrank every human until then.
            if updated and at > fields.timestamp("DateUpdated", updated) + MAX_CLOCK_SKEW:
                return Ignored(
                    name="owner_set_in_the_future",
                    conversation_sid=conversation_sid,
                    detail="switchboard.at is more than 10 s ahead of Twilio's clock",
                )
            return OwnerSet(conversation_sid=conversation_sid, owner=_OWNERS[owner], at=at)
        case None:
            return Ignored(name="onConversationUpdated")
        case {"owner": "assistant" | "human", "since": str(), **others} if "at" not in others:  # we wrote it ourselves
            return Ignored(name="onConversationUpdated")
        case {"owner": "assistant" | "agent" | "human"}:
            return Ignored(
                name="owner_set_without_its_time",
                conversation_sid=conversation_sid,
                detail="switchboard.at is missing, or not a time in UTC",
            )
        case wrong:
            return Ignored(name="owner_set_wrong", conversation_sid=conversation_sid, detail=_mistake(wrong))


def _mistake(value: object) -> str:
    """Return what is wrong with an owner attribute, and repeat nothing of it: anybody may have written it."""
    if not isinstance(value, dict):
        return "switchboard is not a JSON object"
    if "owner" not in value:
        return "switchboard.owner is missing"
    return "switchboard.owner is neither assistant nor human"


def _delivery_updated(form: Form, _ours: ExpectedAccount) -> Event:
    status = form.get("Status") or ""
    if status not in FAILED:
        return Ignored(name="onDeliveryUpdated")
    code = form.get("ErrorCode")
    return DeliveryFailed(
        conversation_sid=_conversation_sid(form),
        message_sid=fields.sid("MessageSid", form.get("MessageSid"), prefix="IM"),
        delivery_receipt_sid=fields.sid("DeliveryReceiptSid", form.get("DeliveryReceiptSid"), prefix="DY"),
        status=status,
        error_code=fields.integer("ErrorCode", code) if code else None,
        at=fields.timestamp("DateUpdated", form.get("DateUpdated") or form.get("DateCreated")),
    )


def _conversation_sid(form: Form) -> str:
    return fields.sid("ConversationSid", form.get("ConversationSid"), prefix="CH")


def media(text: str | None) -> tuple[Media, ...]:
    """Return the files of `Media`, a JSON array."""
    if not text:
        return ()
    try:
        files = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("Media is not valid JSON") from None
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise Malformed("Media is not a JSON array of objects")
    return tuple(map(fields.media, files))


_OWNERS = {
    "human": Owner.HUMAN,
    "assistant": Owner.ASSISTANT,
    "agent": Owner.ASSISTANT,  # the assistant's former name
}

_PARSERS: dict[str, Callable[[Form, ExpectedAccount], Event]] = {
    "onMessageAdded": _message_added,
    "onConversationStateUpdated": _state_updated,
    "onConversationRemoved": _removed,
    "onConversationUpdated": _updated,
    "onDeliveryUpdated": _delivery_updated,
}
EVENTS_WE_USE = frozenset(_PARSERS)
