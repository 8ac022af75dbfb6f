"""A verified form → the event it tells. Strict: two different forms can carry one signature.

Names and values are signed without separators, so a forger may move a piece of one field into its neighbour. Every SID,
instant and number is therefore matched in full, no field that we read may be repeated, and one that is absent must not
stand inside its neighbours.
"""

import json
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from switchboard.errors import Malformed
from switchboard.events import (
    OUR_AUTHOR,
    ConversationStateUpdated,
    DeliveryFailed,
    Event,
    Ignored,
    MessageAdded,
    OwnerSet,
    Speaker,
    who_speaks,
)
from switchboard.twilio import fields
from switchboard.twilio.signature import Form

TOLD_AFTER = frozenset(
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
# What a pre-webhook asks; one that is set to our URL by mistake must not be refused, or the message would be.
ASKED_BEFORE = frozenset(
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
KNOWN = TOLD_AFTER | ASKED_BEFORE
LONGEST = max(map(len, KNOWN))
FAILED = frozenset({"failed", "undelivered"})
A_DESK_MAY_BE_AHEAD = timedelta(seconds=10)  # of Twilio's clock
MAY_BE_ABSENT = (
    "Attributes",
    "Body",
    "ChatServiceSid",
    "ClientIdentity",
    "DateUpdated",
    "ErrorCode",
    "Media",
    "MessagingServiceSid",
    "ParticipantSid",
    "RetryCount",
    "Source",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Whose events we take, and which identities are customers."""

    account_sid: str
    service_sid: str
    visitor_identities: Sequence[str]


def parse(form: Form, *, ours: Ours) -> Event:
    """Return the event; `Ignored` for what is none of our business, `Malformed` for what Twilio never sends."""
    if fields.sid("AccountSid", form.one("AccountSid"), prefix="AC") != ours.account_sid:
        raise Malformed("AccountSid is not our account")
    # A chat message of 2021 came without ChatServiceSid: its absence is not another service.
    service_sid = form.one("ChatServiceSid")
    if service_sid is not None and fields.sid("ChatServiceSid", service_sid, prefix="IS") != ours.service_sid:
        return Ignored(name="another_service")
    event_type = form.one("EventType") or ""
    _refuse_a_form_split_anew(form, event_type)
    if event_type in _PARSERS:
        return _PARSERS[event_type](form, ours)
    return Ignored(name=event_type if event_type in KNOWN else "unknown_event_type")


def _refuse_a_form_split_anew(form: Form, event_type: str) -> None:
    """Refuse a form in which a field that is missing can be read where it would stand, whatever it was cut into.

    A customer who writes the very name of a field that his webhook lacks is refused too; the sweeper finds his message.
    """
    names = sorted(form)
    spelled = event_type + _signed(form, names[bisect(names, "EventType") :], most=LONGEST)
    is_longer = event_type not in KNOWN and event_type.startswith(tuple(KNOWN))
    is_shorter = any(spelled.startswith(known) for known in KNOWN if len(known) > len(event_type))
    if not event_type.isalpha() or is_longer or is_shorter:
        raise Malformed("EventType is none")
    for absent in MAY_BE_ABSENT:
        if absent not in form.fields:
            place = bisect(names, absent)
            before = "".join(name + "".join(form.values(name)) for name in names[max(place - 1, 0) : place])
            # Fields whose names are pieces of the absent one may follow each other.
            if absent in before + _signed(form, names[place:], most=len(absent)):
                raise Malformed(f"{absent} is part of another field")


def _signed(form: Form, names: Sequence[str], *, most: int) -> str:
    """Return the first characters that are signed of some fields."""
    return "".join(name + "".join(form.values(name))[:most] for name in names[:most])[:most]


def _message_added(form: Form, ours: Ours) -> Event:
    author = form.one("Author")
    if not author:
        raise Malformed("Author is empty")
    participant_sid = form.one("ParticipantSid")
    if participant_sid:
        fields.sid("ParticipantSid", participant_sid, prefix="MB")
    speaker = who_speaks(author=author, participant_sid=participant_sid, visitor_identities=ours.visitor_identities)
    event = MessageAdded(
        conversation_sid=_conversation_sid(form),
        message_sid=fields.sid("MessageSid", form.one("MessageSid"), prefix="IM"),
        index=fields.index("Index", form.one("Index")),
        speaker=speaker,
        author=author,
        body=form.one("Body") or "",
        media_content_types=_media(form.one("Media")),
        at=fields.instant("DateCreated", form.one("DateCreated")),
        marker=fields.marker(form.one("Attributes")) if author == OUR_AUTHOR else None,
    )
    return event if speaker in {Speaker.CUSTOMER, Speaker.COLLEAGUE} else Ignored(name=f"message_of_{speaker}")


def _state_updated(form: Form, _ours: Ours) -> Event:
    return ConversationStateUpdated(
        conversation_sid=_conversation_sid(form),
        state=form.one("StateTo") or "",
        at=fields.instant("StateUpdated", form.one("StateUpdated")),
    )


def _removed(form: Form, _ours: Ours) -> Event:
    # A conversation that is gone takes no more messages: the same as closed.
    return ConversationStateUpdated(
        conversation_sid=_conversation_sid(form),
        state="closed",
        at=fields.instant("DateRemoved", form.one("DateRemoved") or form.one("DateUpdated")),
    )


def _updated(form: Form, _ours: Ours) -> Event:
    conversation_sid = _conversation_sid(form)
    match fields.attributes(form.one("Attributes")):
        # `at` is when a colleague's desk decided: without it every later change of the conversation would decide again.
        case {"owner": "agent" | "human" as owner, "at": str(decided_at)} if fields.is_instant(decided_at):
            at = fields.end_of_instant("switchboard.at", decided_at)
            updated = form.one("DateUpdated")
            # What is decided in the future would outrank every colleague until then.
            if updated and at > fields.instant("DateUpdated", updated) + A_DESK_MAY_BE_AHEAD:
                return Ignored(name="owner_set_in_the_future")
            return OwnerSet(conversation_sid=conversation_sid, owner=owner, at=at)
        case {"owner": _}:
            return Ignored(name="owner_set_without_its_time")
        case _:
            return Ignored(name="onConversationUpdated")


def _delivery_updated(form: Form, _ours: Ours) -> Event:
    status = form.one("Status") or ""
    if status not in FAILED:
        return Ignored(name="onDeliveryUpdated")
    code = form.one("ErrorCode")
    return DeliveryFailed(
        conversation_sid=_conversation_sid(form),
        message_sid=fields.sid("MessageSid", form.one("MessageSid"), prefix="IM"),
        delivery_receipt_sid=fields.sid("DeliveryReceiptSid", form.one("DeliveryReceiptSid"), prefix="DY"),
        status=status,
        error_code=fields.index("ErrorCode", code) if code else None,
        at=fields.instant("DateUpdated", form.one("DateUpdated") or form.one("DateCreated")),
    )


def _conversation_sid(form: Form) -> str:
    return fields.sid("ConversationSid", form.one("ConversationSid"), prefix="CH")


def _media(text: str | None) -> tuple[str, ...]:
    """Return the content types of `Media`, a JSON array; its keys are from samples: their absence is no error."""
    if not text:
        return ()
    try:
        files = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("Media is no JSON") from None
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise Malformed("Media is no JSON array of objects")
    return tuple(str(file.get("ContentType") or file.get("content_type") or "file") for file in files)


_PARSERS: dict[str, Callable[[Form, Ours], Event]] = {
    "onMessageAdded": _message_added,
    "onConversationStateUpdated": _state_updated,
    "onConversationRemoved": _removed,
    "onConversationUpdated": _updated,
    "onDeliveryUpdated": _delivery_updated,
}
