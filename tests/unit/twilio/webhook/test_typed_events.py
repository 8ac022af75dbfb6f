"""Typed events: each form of Twilio's becomes a value with all its documented fields, in the library."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import get_args

import pytest

from switchboard import events, webhook_events
from switchboard.author import AuthorRole, AuthorRules
from switchboard.errors import Malformed, RejectionCause
from switchboard.events import ConversationState, Marker
from switchboard.media import Media
from switchboard.twilio.webhook.parse import KNOWN, POST_EVENT_TYPES, PRE_EVENT_TYPES, ExpectedAccount
from switchboard.twilio.webhook.typed_events import typed_event
from switchboard.twilio.webhook.verify import Form
from switchboard.webhook_events import PreEvent, WebhookEvent
from tests.builders import sid
from tests.signing import ACCOUNT, SERVICE, Fields, message_fields
from tests.unit.twilio.webhook.test_one_signature import EVENTS

EXPECTED = ExpectedAccount(account_sid=ACCOUNT, service_sid=SERVICE, author_rules=AuthorRules())


def typed(values: Fields) -> WebhookEvent:
    form = Form({name: (value,) if isinstance(value, str) else tuple(value) for name, value in values.items()})
    return typed_event(form, expected=EXPECTED)


def test_a_message_has_what_the_flows_read_and_what_twilio_documents() -> None:
    event = typed(message_fields(Attributes='{"order": 17}'))

    assert event == webhook_events.MessageAdded(
        conversation_sid=sid("CH", 1),
        message_sid=sid("IM", 1),
        index=1,
        author_role=AuthorRole.CUSTOMER,
        author="+12025550110",
        body="hola ñ & + = %",
        at=datetime(2026, 8, 11, 13, 3, 28, 879_000, UTC),
        service_sid=SERVICE,
        messaging_service_sid=sid("MG", 1),
        participant_sid=sid("MB", 1),
        attributes='{"order": 17}',
        origin=webhook_events.Origin(source="SMS", retry_count=0),
    )
    assert isinstance(event, events.MessageAdded)
    assert event.parsed_attributes == {"order": 17}


def test_our_own_message_is_an_event_with_its_marker() -> None:
    event = typed(message_fields(Author="switchboard", Attributes='{"switchboard": {"turn": "T1", "part": 0}}'))

    assert isinstance(event, webhook_events.MessageAdded)
    assert (event.author_role, event.marker) == (AuthorRole.ASSISTANT, Marker(turn="T1", part=0))


def test_a_marker_that_a_customer_wrote_is_not_read() -> None:
    event = typed(message_fields(Attributes='{"switchboard": {"turn": "T1", "part": 0}}'))

    assert isinstance(event, webhook_events.MessageAdded)
    assert event.marker is None


def test_the_addresses_of_a_group_are_all_read_each_once() -> None:
    addresses = ["+12025550112", "+12025550110", "+12025550111", "+12025550110"]

    event = typed({**EVENTS["onConversationAdded"], "MessagingBinding.Address": addresses})

    assert isinstance(event, webhook_events.ConversationAdded)
    assert event.addresses == ("+12025550110", "+12025550111", "+12025550112")
    assert event.state is ConversationState.ACTIVE


# Field → what it is in the event of the type, where Twilio sends it as EVENTS has it.
READ: Mapping[str, Mapping[str, object]] = {
    "onConversationAdd": {
        "message_body": "hi",
        "media": (Media(content_type="image/png", size=12, sid=sid("ME", 1)),),
        "friendly_name": "Order 17",
    },
    "onConversationStateUpdated": {"state": "closed", "state_from": "active", "reason": "TIMER"},
    "onParticipantRemoved": {
        "participant_sid": sid("MB", 1),
        "identity": "visitor-1",
        "role_sid": sid("RL", 1),
        "address": "+12025550110",
        "projected_address": "+12025550120",
        "proxy_address": "+12025550130",
        "messaging_type": "SMS",
        "last_read_message_index": 3,
        "date_removed": datetime(2026, 8, 11, 13, 3, 30, 0, UTC),
    },
    "onDeliveryUpdated": {"status": "undelivered", "error_code": 30003, "channel_message_sid": sid("SM", 1)},
    "onUserUpdate": {"user_sid": sid("US", 1), "is_online": True, "is_notifiable": False, "friendly_name": "Alice"},
}


@pytest.mark.parametrize(("event_type", "values"), READ.items(), ids=READ)
def test_an_event_has_the_documented_fields_of_its_type(event_type: str, values: Mapping[str, object]) -> None:
    event = typed(EVENTS[event_type])

    assert {name: getattr(event, name) for name in values} == values


def test_an_event_of_each_type_is_frozen_and_a_pre_event_is_one() -> None:
    told = {event_type: typed(form) for event_type, form in EVENTS.items()}

    assert {event_type for event_type, event in told.items() if isinstance(event, PreEvent)} == PRE_EVENT_TYPES
    for event in told.values():
        assert is_dataclass(event)
        assert not hasattr(event, "__dict__")
        with pytest.raises(AttributeError):
            setattr(event, fields(event)[0].name, None)


def test_the_unions_are_closed() -> None:
    assert {f"on{event.__name__}" for event in get_args(webhook_events.PostEvent)} == POST_EVENT_TYPES
    assert {f"on{event.__name__}" for event in get_args(webhook_events.AnyPreEvent)} == PRE_EVENT_TYPES


@pytest.mark.parametrize("event_type", sorted(KNOWN))
def test_what_is_optional_may_be_absent(event_type: str) -> None:
    required = {"AccountSid", "Author", "ConversationSid", "DeliveryReceiptSid", "EventType", "Index", "MessageSid"}
    required |= {"StateTo", "StateUpdated", "UserSid", "DateCreated" if event_type == "onMessageAdded" else ""}
    required |= {"ParticipantSid"} if "Participant" in event_type else set()
    few = {name: value for name, value in EVENTS[event_type].items() if name in required}

    assert type(typed(few)) is type(typed(EVENTS[event_type]))
    for name in few.keys() - {"StateTo"}:  # without it, the new state is one that we do not know
        with pytest.raises(Malformed):
            typed({other: value for other, value in few.items() if other != name})


@pytest.mark.parametrize(
    ("event_type", "name", "value"),
    [
        ("onMessageUpdated", "Attributes", "{"),
        ("onMessageUpdated", "DateUpdated", "yesterday"),
        ("onMessageUpdated", "DateUpdated", "2026-13-11T13:03:28Z"),
        ("onMessageUpdated", "ParticipantSid", sid("IM", 1)),
        ("onMessageUpdated", "Media", "{}"),
        ("onMessageUpdated", "Index", "1" * 10),
        ("onMessageUpdated", "Author", ""),
        ("onMessageUpdated", "RetryCount", "-1"),
        ("onMessageUpdated", "ChatServiceSid", "IS1"),
        ("onMessageUpdated", "EventType", "on message"),
        ("onUserAdded", "isOnline", "perhaps"),
        ("onUserAdded", "RoleSid", sid("US", 1)),
        ("onDeliveryUpdated", "ChannelMessageSid", "SM1"),
        ("onDeliveryUpdated", "ErrorCode", "many"),
        ("onParticipantUpdated", "LastReadMessageIndex", "three"),
    ],
)
def test_a_value_that_twilio_never_sends_is_malformed(event_type: str, name: str, value: str) -> None:
    with pytest.raises(Malformed):
        typed({**EVENTS[event_type], name: value})


def test_a_field_that_is_repeated_is_malformed() -> None:
    with pytest.raises(Malformed):
        typed({**EVENTS["onMessageAdded"], "MessageSid": [sid("IM", 1), sid("IM", 1)]})
    with pytest.raises(Malformed):
        typed({**EVENTS["onParticipantAdded"], "MessagingBinding.Address": ["+12025550110", "+12025550111"]})


def test_another_account_is_malformed_and_another_service_an_event_of_its_own() -> None:
    with pytest.raises(Malformed) as malformed:
        typed(message_fields(AccountSid=sid("AC", 2)))

    assert malformed.value.cause is RejectionCause.WRONG_ACCOUNT
    assert typed(message_fields(ChatServiceSid=sid("IS", 2))) == webhook_events.EventOfAnotherService(
        service_sid=sid("IS", 2)
    )


def test_a_state_that_we_do_not_know_is_an_unknown_event_or_none() -> None:
    event = typed({**EVENTS["onConversationStateUpdated"], "StateTo": "frozen"})
    conversation = typed({**EVENTS["onConversationUpdated"], "State": "frozen"})

    assert event == webhook_events.UnknownEvent(name="onConversationStateUpdated")
    assert isinstance(conversation, webhook_events.ConversationUpdated)
    assert conversation.state is None


@pytest.mark.parametrize("attributes", ["", " {} ", "null", '{"note": "AuthorrobinBodyhi"}', '["Body"]', "17"])
def test_attributes_are_any_json(attributes: str) -> None:
    event = typed(message_fields(Attributes=attributes))

    assert isinstance(event, webhook_events.MessageAdded)
    assert (event.attributes or "") == attributes
    assert event.parsed_attributes == json.loads(attributes or "{}")
