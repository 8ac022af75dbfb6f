"""A verified form → one of all events of Twilio Conversations, for programs that use this package as a library.

The webhook function uses `parse` instead: it reads only what the flows need.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from switchboard import webhook_events as events
from switchboard.author import ASSISTANT_AUTHOR
from switchboard.errors import Malformed, RejectionCause
from switchboard.events import ConversationState
from switchboard.twilio import fields
from switchboard.twilio.webhook.parse import ExpectedAccount, media
from switchboard.twilio.webhook.signed_text import reject_other_cuts
from switchboard.twilio.webhook.verify import Form
from switchboard.webhook_events import WebhookEvent

type Values = dict[str, Any]

_WORD = re.compile("[a-z_-]+")
_CHANNEL_MESSAGE_SID = re.compile("[A-Z]{2}[0-9a-fA-F]{32}")  # SM, MM or another channel's


def typed_event(form: Form, *, expected: ExpectedAccount) -> WebhookEvent:
    """Return the event that a form tells; raise `Malformed` for what Twilio never sends.

    An event type that we do not know is an `UnknownEvent`, an event of another service an `EventOfAnotherService`.
    """
    if fields.sid("AccountSid", form.get("AccountSid"), prefix="AC") != expected.account_sid:
        raise Malformed(
            "AccountSid is not our account_sid: it is another account's webhook", cause=RejectionCause.WRONG_ACCOUNT
        )
    event_type = form.get("EventType") or ""
    if not event_type.isalpha():
        raise Malformed("EventType is not a valid event type", cause=RejectionCause.AMBIGUOUS)
    form = reject_other_cuts(form)
    service_sid = _sid(form, "ChatServiceSid", "IS")
    if service_sid not in {None, expected.service_sid}:
        return events.EventOfAnotherService(service_sid=str(service_sid))
    if event_type not in _EVENTS:
        return events.UnknownEvent(name=event_type)
    event, read = _EVENTS[event_type]
    values = read(form, expected)
    if event_type.endswith("Removed"):
        values["date_removed"] = _time(form, "DateRemoved")
    if event is events.ConversationStateUpdated and values["state"] is None:
        return events.UnknownEvent(name=event_type)
    return event(**values)


def _new_conversation(form: Form, _expected: ExpectedAccount) -> Values:
    return {
        **_common(form),
        "messaging_service_sid": _sid(form, "MessagingServiceSid", "MG"),
        "friendly_name": form.get("FriendlyName"),
        "unique_name": form.get("UniqueName"),
        "attributes": _attributes(form),
        "state": _state(form, "State"),
        "addresses": _sorted(form, "MessagingBinding.Address"),
        "proxy_addresses": _sorted(form, "MessagingBinding.ProxyAddress"),
        "projected_addresses": _sorted(form, "MessagingBinding.ProjectedAddress"),
        "author_addresses": _sorted(form, "MessagingBinding.AuthorAddress"),
    }


def _conversation(form: Form, expected: ExpectedAccount) -> Values:
    return {**_new_conversation(form, expected), "conversation_sid": _conversation_sid(form), **_dates(form)}


def _conversation_add(form: Form, expected: ExpectedAccount) -> Values:
    return {
        **_new_conversation(form, expected),
        "message_body": form.get("MessageBody"),
        "media": media(form.get("Media")),
    }


def _state_updated(form: Form, _expected: ExpectedAccount) -> Values:
    return {
        **_common(form),
        "conversation_sid": _conversation_sid(form),
        "messaging_service_sid": _sid(form, "MessagingServiceSid", "MG"),
        "state_from": _state(form, "StateFrom"),
        "state": _state(form, "StateTo"),
        "at": fields.timestamp("StateUpdated", form.get("StateUpdated")),
        "reason": form.get("Reason"),
    }


def _new_message(form: Form, expected: ExpectedAccount) -> Values:
    author = form.get("Author")
    if not author:
        raise Malformed("Author is empty")
    return {
        **_common(form),
        "messaging_service_sid": _sid(form, "MessagingServiceSid", "MG"),
        "conversation_sid": _conversation_sid(form),
        "participant_sid": _sid(form, "ParticipantSid", "MB"),
        "author": author,
        "author_role": expected.author_rules.classify(author),
        "body": form.get("Body") or "",
        "media": media(form.get("Media")),
        "attributes": _attributes(form),
    }


def _message(form: Form, expected: ExpectedAccount) -> Values:
    return {**_new_message(form, expected), **_message_key(form), **_dates(form)}


def _message_key(form: Form) -> Values:
    return {
        "message_sid": fields.sid("MessageSid", form.get("MessageSid"), prefix="IM"),
        "index": fields.integer("Index", form.get("Index")),
    }


def _message_added(form: Form, expected: ExpectedAccount) -> Values:
    is_ours = form.get("Author") == ASSISTANT_AUTHOR
    return {
        **_new_message(form, expected),
        **_message_key(form),
        "at": fields.timestamp("DateCreated", form.get("DateCreated")),
        "marker": fields.marker(form.get("Attributes")) if is_ours else None,
    }


def _new_participant(form: Form, _expected: ExpectedAccount) -> Values:
    return {
        **_common(form),
        "conversation_sid": _conversation_sid(form),
        "identity": form.get("Identity"),
        "role_sid": _sid(form, "RoleSid", "RL"),
        "attributes": _attributes(form),
        "address": form.get("MessagingBinding.Address"),
        "proxy_address": form.get("MessagingBinding.ProxyAddress"),
        "projected_address": form.get("MessagingBinding.ProjectedAddress"),
        "messaging_type": form.get("MessagingBinding.Type"),
    }


def _participant(form: Form, expected: ExpectedAccount) -> Values:
    return {
        **_new_participant(form, expected),
        "participant_sid": fields.sid("ParticipantSid", form.get("ParticipantSid"), prefix="MB"),
        "last_read_message_index": _integer(form, "LastReadMessageIndex"),
        **_dates(form),
    }


def _delivery_updated(form: Form, _expected: ExpectedAccount) -> Values:
    channel_message_sid = form.get("ChannelMessageSid") or None
    if channel_message_sid and not _CHANNEL_MESSAGE_SID.fullmatch(channel_message_sid):
        raise Malformed("ChannelMessageSid is not a valid SID: it must be two letters and 32 hex digits")
    return {
        **_common(form),
        **_dates(form),
        "conversation_sid": _conversation_sid(form),
        "message_sid": fields.sid("MessageSid", form.get("MessageSid"), prefix="IM"),
        "delivery_receipt_sid": fields.sid("DeliveryReceiptSid", form.get("DeliveryReceiptSid"), prefix="DY"),
        "channel_message_sid": channel_message_sid,
        "participant_sid": _sid(form, "ParticipantSid", "MB"),
        "status": form.get("Status") or "",
        "error_code": _integer(form, "ErrorCode"),
    }


def _user(form: Form, _expected: ExpectedAccount) -> Values:
    return {
        **_common(form),
        "user_sid": fields.sid("UserSid", form.get("UserSid"), prefix="US"),
        "identity": form.get("Identity"),
        "role_sid": _sid(form, "RoleSid", "RL"),
        "friendly_name": form.get("FriendlyName"),
        "attributes": _attributes(form),
        "is_online": _boolean(form, "isOnline"),
        "is_notifiable": _boolean(form, "isNotifiable"),
        **_dates(form),
    }


def _common(form: Form) -> Values:
    return {
        "service_sid": _sid(form, "ChatServiceSid", "IS"),
        "origin": events.Origin(
            source=form.get("Source"),
            client_identity=form.get("ClientIdentity"),
            retry_count=_integer(form, "RetryCount"),
        ),
    }


def _dates(form: Form) -> Values:
    return {"date_created": _time(form, "DateCreated"), "date_updated": _time(form, "DateUpdated")}


def _conversation_sid(form: Form) -> str:
    return fields.sid("ConversationSid", form.get("ConversationSid"), prefix="CH")


def _sid(form: Form, name: str, prefix: str) -> str | None:
    value = form.get(name)
    return fields.sid(name, value, prefix=prefix) if value else None


def _time(form: Form, name: str) -> datetime | None:
    value = form.get(name)
    return fields.timestamp(name, value) if value else None


def _integer(form: Form, name: str) -> int | None:
    value = form.get(name)
    return fields.integer(name, value) if value else None


def _boolean(form: Form, name: str) -> bool | None:
    value = form.get(name)
    if value not in {None, "", "true", "false"}:
        raise Malformed(f"{name} is neither true nor false")
    return value == "true" if value else None


def _attributes(form: Form) -> str | None:
    text = form.get("Attributes")
    try:
        json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise Malformed("Attributes is not valid JSON") from None
    return text or None


def _state(form: Form, name: str) -> ConversationState | None:
    """Return a state; None for one that Twilio may add. A value that is no word may hold another field's name."""
    value = form.get(name)
    if value is not None and not _WORD.fullmatch(value):
        raise Malformed(f"{name} is not a valid state: it must be a word in small letters")
    return ConversationState(value) if value in set(ConversationState) else None


def _sorted(form: Form, name: str) -> tuple[str, ...]:
    """Return the values of a field that may be repeated, each once: their order and number are not signed."""
    return tuple(sorted(set(form.values(name))))


_EVENTS: Mapping[str, tuple[Callable[..., WebhookEvent], Callable[[Form, ExpectedAccount], Values]]] = {
    "onConversationAdd": (events.ConversationAdd, _conversation_add),
    "onConversationAdded": (events.ConversationAdded, _conversation),
    "onConversationUpdate": (events.ConversationUpdate, _conversation),
    "onConversationUpdated": (events.ConversationUpdated, _conversation),
    "onConversationStateUpdated": (events.ConversationStateUpdated, _state_updated),
    "onConversationRemove": (events.ConversationRemove, _conversation),
    "onConversationRemoved": (events.ConversationRemoved, _conversation),
    "onMessageAdd": (events.MessageAdd, _new_message),
    "onMessageAdded": (events.MessageAdded, _message_added),
    "onMessageUpdate": (events.MessageUpdate, _message),
    "onMessageUpdated": (events.MessageUpdated, _message),
    "onMessageRemove": (events.MessageRemove, _message),
    "onMessageRemoved": (events.MessageRemoved, _message),
    "onParticipantAdd": (events.ParticipantAdd, _new_participant),
    "onParticipantAdded": (events.ParticipantAdded, _participant),
    "onParticipantUpdate": (events.ParticipantUpdate, _participant),
    "onParticipantUpdated": (events.ParticipantUpdated, _participant),
    "onParticipantRemove": (events.ParticipantRemove, _participant),
    "onParticipantRemoved": (events.ParticipantRemoved, _participant),
    "onDeliveryUpdated": (events.DeliveryUpdated, _delivery_updated),
    "onUserAdded": (events.UserAdded, _user),
    "onUserUpdate": (events.UserUpdate, _user),
    "onUserUpdated": (events.UserUpdated, _user),
}
