"""Parse: a verified form becomes a typed event, or is ignored under a name."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from switchboard.author import AuthorRole, AuthorRules
from switchboard.errors import Malformed, RejectionCause
from switchboard.events import ConversationStateUpdated, DeliveryFailed, Event, Ignored, MessageAdded, Owner, OwnerSet
from switchboard.media import Media
from switchboard.twilio.webhook.one_meaning import UNMISTAKABLE
from switchboard.twilio.webhook.parse import ExpectedAccount, parse
from switchboard.twilio.webhook.verify import Form
from tests.builders import sid
from tests.signing import ACCOUNT, SERVICE, message_fields

RULES = AuthorRules(human_addresses=(re.compile(r"\+12025550199"),), visitor_identities=(re.compile("guest-[0-9]+"),))
EXPECTED = ExpectedAccount(account_sid=ACCOUNT, service_sid=SERVICE, author_rules=RULES)


def parsed(**changes: str) -> Event:
    return parsed_form(message_fields(**changes))


def parsed_form(fields: Mapping[str, str]) -> Event:
    return parse(Form({name: (value,) for name, value in fields.items()}), expected=EXPECTED)


@pytest.mark.parametrize(
    ("author", "author_role"),
    [
        ("+12025550110", AuthorRole.CUSTOMER),
        ("guest-7", AuthorRole.CUSTOMER),
        ("robin", AuthorRole.HUMAN),
        ("+12025550199", AuthorRole.HUMAN),
    ],
)
@pytest.mark.parametrize("takes_part", [True, False], ids=["a participant", "no participant"])
def test_the_author_alone_decides_whose_message_it_is(
    author: str, author_role: AuthorRole, *, takes_part: bool
) -> None:
    fields = message_fields(Author=author)
    if not takes_part:
        del fields["ParticipantSid"]

    event = parsed_form(fields)

    assert isinstance(event, MessageAdded)
    assert event.author_role is author_role


@given(st.integers(max_value=-1) | st.integers(min_value=10**9) | st.floats() | st.booleans() | st.text())
def test_an_index_that_no_message_can_have_is_malformed(index: object) -> None:
    assume(not re.fullmatch("[0-9]{1,9}", str(index)))

    with pytest.raises(Malformed):
        parsed(Index=str(index))


def test_another_systems_note_is_an_event_of_its_own_role() -> None:
    event = parsed(Author="system")

    assert isinstance(event, MessageAdded)
    assert event.author_role is AuthorRole.SYSTEM


def test_a_message_without_an_author_is_malformed() -> None:
    with pytest.raises(Malformed, match="Author"):
        parsed(Author="")


def test_our_own_reply_is_ignored() -> None:
    assert parsed(Author="switchboard") == Ignored(name="message_of_assistant")


def test_a_marker_that_a_customer_wrote_is_not_read() -> None:
    event = parsed(Attributes='{"switchboard": {"turn": "T1", "part": 0}}')

    assert isinstance(event, MessageAdded)
    assert event.marker is None


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ("2026-08-11T13:03:28.879Z", datetime(2026, 8, 11, 13, 3, 28, 879_000, UTC)),
        ("2026-08-11T13:03:28Z", datetime(2026, 8, 11, 13, 3, 28, 0, UTC)),
    ],
)
def test_a_timestamp_may_have_milliseconds_or_whole_seconds(sent: str, at: datetime) -> None:
    event = parsed(DateCreated=sent)

    assert isinstance(event, MessageAdded)
    assert event.at == at


def test_files_are_read_with_their_content_types_and_sizes() -> None:
    first, second = sid("ME", 1), sid("ME", 2)
    files = [
        {"Sid": first, "ContentType": "image/png", "Size": 12_232, "Filename": "car.png"},
        {"MediaSid": second, "Size": "12232"},
        {"Sid": "/../secrets", "Size": -1},
        {"Size": "9" * 5000},
    ]

    event = parsed(Media=json.dumps(files))

    assert isinstance(event, MessageAdded)
    assert event.media == (
        Media(content_type="image/png", size=12_232, sid=first),
        Media(content_type="file", size=12_232, sid=second),
        Media(content_type="file"),
        Media(content_type="file"),
    )


def test_a_message_without_chat_service_sid_is_accepted() -> None:
    fields = message_fields()
    del fields["ChatServiceSid"]

    event = parsed_form(fields)

    assert isinstance(event, MessageAdded)


def test_every_unknown_event_type_is_ignored_under_one_name() -> None:
    assert parsed(EventType="onWhateverComesNext") == Ignored(name="unknown_event_type")


@pytest.mark.parametrize("state", ["archived", ""])
def test_a_state_that_changes_nothing_here_is_ignored_under_one_name(state: str) -> None:
    event = parsed(EventType="onConversationStateUpdated", StateTo=state, StateUpdated="2026-08-11T13:03:28.879Z")

    assert event == Ignored(name="unknown_state")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["assistant", "human"]),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)
OWNER_ATTRIBUTES = st.fixed_dictionaries(
    {}, optional={"owner": ANYTHING, "at": ANYTHING | st.just("2026-08-11T13:03:28Z")}
)


IGNORED = ("onConversationUpdated", "owner_set_without_its_time", "owner_set_wrong")


@given(attributes=(OWNER_ATTRIBUTES | ANYTHING).map(lambda value: json.dumps({"switchboard": value})))
def test_any_attributes_set_the_owner_or_are_ignored(attributes: str) -> None:
    assume(not any(name in attributes for name in UNMISTAKABLE))

    event = parsed(EventType="onConversationUpdated", Attributes=attributes)

    assert isinstance(event, OwnerSet) or (isinstance(event, Ignored) and event.name in IGNORED)


@pytest.mark.parametrize("attributes", ["null", "[]", "5", '"text"', "", '{"switchboard": null}'])
def test_attributes_without_an_object_of_ours_set_no_owner(attributes: str) -> None:
    assert parsed(EventType="onConversationUpdated", Attributes=attributes) == Ignored(name="onConversationUpdated")


@pytest.mark.parametrize("attributes", ["{", "text", "{}}", "[" * 100_000])
def test_attributes_that_are_not_json_are_rejected(attributes: str) -> None:
    with pytest.raises(Malformed, match="Attributes is not valid JSON"):
        parsed(EventType="onConversationUpdated", Attributes=attributes)


@pytest.mark.parametrize(
    ("written", "owner"), [("assistant", Owner.ASSISTANT), ("agent", Owner.ASSISTANT), ("human", Owner.HUMAN)]
)
def test_the_conversations_attributes_set_the_owner(written: str, owner: Owner) -> None:
    attribute = {"owner": written, "at": "2026-08-11T13:03:28.250Z"}

    event = parsed(EventType="onConversationUpdated", Attributes=json.dumps({"switchboard": attribute, "crm": 7}))

    at = datetime(2026, 8, 11, 13, 3, 28, 250_000, tzinfo=UTC)
    assert event == OwnerSet(conversation_sid=sid("CH", 1), owner=owner, at=at)


def test_an_owner_set_with_whole_seconds_is_newer_than_a_message_of_the_same_second() -> None:
    attribute = json.dumps({"switchboard": {"owner": "assistant", "at": "2026-08-11T13:03:28Z"}})

    event = parsed(EventType="onConversationUpdated", Attributes=attribute)

    assert isinstance(event, OwnerSet)
    assert event.at == datetime(2026, 8, 11, 13, 3, 28, 999_000, tzinfo=UTC)


@pytest.mark.parametrize("at", ["tomorrow", "2026-11-25 03:00", "2026-11-25T03:00:00", "", None])
def test_an_owner_without_a_valid_time_is_ignored_under_its_own_name(at: str | None) -> None:
    attribute = json.dumps({"switchboard": {"owner": "assistant", "at": at}})

    assert parsed(EventType="onConversationUpdated", Attributes=attribute) == Ignored(
        name="owner_set_without_its_time",
        conversation_sid=sid("CH", 1),
        detail="switchboard.at is missing, or not a time in UTC",
    )


@pytest.mark.parametrize(
    ("attribute", "mistake"),
    [
        ({"owner": "bot"}, "switchboard.owner is neither assistant nor human"),
        ({"owner": "bot", "at": "2026-08-11T13:03:28Z"}, "switchboard.owner is neither assistant nor human"),
        ({"owner": ["human"], "since": "2026-08-11T13:03:28.000Z"}, "switchboard.owner is neither assistant nor human"),
        ({"owner": None}, "switchboard.owner is neither assistant nor human"),
        ({"at": "2026-08-11T13:03:28Z"}, "switchboard.owner is missing"),
        ({}, "switchboard.owner is missing"),
        ("human", "switchboard is not a JSON object"),
        ([{"owner": "human"}], "switchboard is not a JSON object"),
        (7, "switchboard is not a JSON object"),
        (False, "switchboard is not a JSON object"),
    ],
)
def test_a_wrong_owner_is_ignored_with_its_conversation_and_what_is_wrong(attribute: object, mistake: str) -> None:
    event = parsed(EventType="onConversationUpdated", Attributes=json.dumps({"switchboard": attribute}))

    assert event == Ignored(name="owner_set_wrong", conversation_sid=sid("CH", 1), detail=mistake)


@pytest.mark.parametrize(
    "shown",
    [
        {"owner": "human", "reason": "handoff", "since": "2026-08-11T13:03:28.250Z"},
        {"owner": "human", "reason": "attribute", "since": "2026-08-11T13:03:28.250Z", "human": "robin"},
        {"owner": "assistant", "reason": "by_time", "since": "2026-08-11T13:03:28.250Z"},
    ],
)
def test_what_we_show_ourselves_decides_nothing_and_is_no_mistake(shown: dict[str, str]) -> None:
    event = parsed(EventType="onConversationUpdated", Attributes=json.dumps({"switchboard": shown}))

    assert event == Ignored(name="onConversationUpdated")


def test_an_owner_set_more_than_ten_seconds_in_the_future_is_ignored() -> None:
    def parsed_at(*, at: str) -> Event:
        attribute = json.dumps({"switchboard": {"owner": "assistant", "at": at}})
        return parsed(EventType="onConversationUpdated", Attributes=attribute, DateUpdated="2026-08-11T13:03:28.879Z")

    assert isinstance(parsed_at(at="2026-08-11T13:03:38.879Z"), OwnerSet)
    future = parsed_at(at="2026-08-11T13:03:38.880Z")
    assert isinstance(future, Ignored)
    assert (future.name, future.conversation_sid) == ("owner_set_in_the_future", sid("CH", 1))


# Twilio, "Conversations webhooks".
PRE_EVENTS = [
    *(f"onConversation{done}" for done in ("Add", "Update", "Remove")),
    *(f"onMessage{done}" for done in ("Add", "Update", "Remove")),
    *(f"onParticipant{done}" for done in ("Add", "Update", "Remove")),
    "onUserUpdate",
]
POST_EVENTS_WITH_EFFECT = [
    *(f"onConversation{done}" for done in ("Removed", "StateUpdated", "Updated")),
    "onMessageAdded",
    "onDeliveryUpdated",
]
POST_EVENTS_WITHOUT_EFFECT = [
    "onConversationAdded",
    *(f"onMessage{done}" for done in ("Updated", "Removed")),
    *(f"onParticipant{done}" for done in ("Added", "Updated", "Removed")),
    *(f"onUser{done}" for done in ("Added", "Updated")),
]


@pytest.mark.parametrize("event_type", PRE_EVENTS)
def test_a_pre_event_webhook_is_ignored_so_that_twilio_goes_on(event_type: str) -> None:
    assert parsed(EventType=event_type) == Ignored(name=event_type)


@pytest.mark.parametrize("event_type", POST_EVENTS_WITHOUT_EFFECT)
def test_an_event_from_which_nothing_follows_is_ignored_under_its_own_name(event_type: str) -> None:
    assert parsed(EventType=event_type) == Ignored(name=event_type)


# Twilio's fields that no customer writes, from "Conversations webhooks" and from "Messaging webhooks".
FIELDS = [
    *("AccountSid", "ChannelMessageSid", "ChatServiceSid", "ContentSid", "ConversationSid", "DeliveryReceiptSid"),
    *("MessageSid", "MessagingServiceSid", "ParticipantSid"),
    *("DateCreated", "DateRemoved", "DateUpdated", "StateFrom", "StateTo", "StateUpdated"),
    *("ButtonPayload", "ButtonText", "ChannelMetadata", "ClientIdentity", "ErrorCode", "EventType", "FriendlyName"),
    *("RetryCount", "UniqueName"),
]


@pytest.mark.parametrize("name", FIELDS)
def test_the_name_of_a_field_inside_a_text_is_ambiguous(name: str) -> None:
    with pytest.raises(Malformed, match=r"stands inside a value, or across two fields$") as malformed:
        parsed(Body=f"about {name}")

    assert malformed.value.cause is RejectionCause.AMBIGUOUS
    assert name.endswith(str(malformed.value).split()[0])  # ChannelMessageSid holds MessageSid too


def test_a_message_with_every_field_that_twilio_documents_is_accepted() -> None:
    event = parsed(**{name: "0" for name in FIELDS if name not in message_fields()})

    assert isinstance(event, MessageAdded)


DELIVERY = {"EventType": "onDeliveryUpdated", "Status": "failed", "DeliveryReceiptSid": sid("DY", 1)}


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        *(
            ("EventType", {"EventType": f"{event_type}ReasonTIMER"})
            for event_type in (*PRE_EVENTS, *POST_EVENTS_WITH_EFFECT, *POST_EVENTS_WITHOUT_EFFECT)
        ),
        ("Status", {"EventType": "onDeliveryUpdated", "Status": "faile", "d": ""}),
        ("Status", {"EventType": "onDeliveryUpdated", "Status": "undeliver", "ed": ""}),
        ("StateTo", {"EventType": "onConversationStateUpdated", "StateTo": "close", "d": ""}),
        ("StateTo", {"EventType": "onConversationStateUpdated", "StateTo": "in", "active": ""}),
    ],
)
def test_a_value_that_is_cut_short_or_holds_the_field_behind_it_is_ambiguous(name: str, cut: dict[str, str]) -> None:
    between = {field: text for field, text in message_fields().items() if field < name}

    with pytest.raises(Malformed, match=f"^{name} and the field behind it spell another value$") as malformed:
        parsed_form({**between, **cut})

    assert malformed.value.cause is RejectionCause.AMBIGUOUS


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        *((name, {}) for name in ("AccountSid", "ChatServiceSid", "ConversationSid", "MessageSid")),
        *((name, {}) for name in ("DateCreated", "Index")),
        *((name, {"EventType": "onConversationStateUpdated"}) for name in ("ConversationSid", "StateUpdated")),
        *((name, {"EventType": "onConversationRemoved"}) for name in ("ConversationSid", "DateRemoved")),
        ("ConversationSid", {"EventType": "onConversationUpdated"}),
        *((name, DELIVERY) for name in ("ConversationSid", "MessageSid", "DeliveryReceiptSid")),
        *((name, DELIVERY) for name in ("ErrorCode", "DateUpdated")),
    ],
)
def test_the_error_names_the_field_that_is_malformed(name: str, fields: Mapping[str, str]) -> None:
    with pytest.raises(Malformed, match=f"^{name} is not a valid (SID|timestamp|number): it must "):
        parsed(**{**fields, name: "odd"})


@pytest.mark.parametrize(
    ("changes", "sentence", "cause"),
    [
        (
            {"AccountSid": sid("AC", 9)},
            "AccountSid is not our account_sid: it is another account's webhook",
            RejectionCause.WRONG_ACCOUNT,
        ),
        ({"EventType": ""}, "EventType is not a valid event type", RejectionCause.AMBIGUOUS),
        ({"EventType": "on Message"}, "EventType is not a valid event type", RejectionCause.AMBIGUOUS),
        ({"Author": ""}, "Author is empty", RejectionCause.MALFORMED),
        ({"Media": "{"}, "Media is not valid JSON", RejectionCause.MALFORMED),
        ({"Media": "[" * 100_000}, "Media is not valid JSON", RejectionCause.MALFORMED),
        ({"Media": "{}"}, "Media is not a JSON array of objects", RejectionCause.MALFORMED),
        ({"Media": '[{}, "a.png"]'}, "Media is not a JSON array of objects", RejectionCause.MALFORMED),
        ({"Attributes": "{"}, "Attributes is not valid JSON", RejectionCause.AMBIGUOUS),
        ({"Author": "Bodyguard"}, "Body stands inside Author", RejectionCause.AMBIGUOUS),
        (
            {"Charm": ""},
            "a field that Twilio does not document stands before ConversationSid",
            RejectionCause.AMBIGUOUS,
        ),
        ({"Source": "a Status"}, "Status stands inside another field", RejectionCause.AMBIGUOUS),
        ({"Index": "1Media"}, "Media stands inside another field", RejectionCause.AMBIGUOUS),
    ],
)
def test_a_form_that_is_rejected_says_what_is_wrong(
    changes: Mapping[str, str], sentence: str, cause: RejectionCause
) -> None:
    with pytest.raises(Malformed) as malformed:
        parsed(**changes)

    assert (str(malformed.value), malformed.value.cause) == (sentence, cause)


@pytest.mark.parametrize("date", ["2026-02-30T12:00:00Z", "2026-08-11T25:00:00Z", "0000-08-11T13:03:28Z"])
def test_a_date_that_does_not_exist_is_malformed_and_named(date: str) -> None:
    with pytest.raises(Malformed, match=r"^DateCreated is not a valid timestamp: it must be ISO 8601 in UTC$"):
        parsed(DateCreated=date)


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_a_text_that_did_not_reach_the_customer_is_a_failed_delivery(status: str) -> None:
    event = parsed(EventType="onDeliveryUpdated", Status=status, ErrorCode="21610", DeliveryReceiptSid=sid("DY", 1))

    assert isinstance(event, DeliveryFailed)
    assert (event.status, event.error_code) == (status, 21610)


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "queued", ""])
def test_any_other_status_of_a_delivery_changes_nothing(status: str) -> None:
    assert parsed(EventType="onDeliveryUpdated", Status=status) == Ignored(name="onDeliveryUpdated")


def test_a_removed_conversation_is_closed() -> None:
    event = parsed(EventType="onConversationRemoved", DateRemoved="2026-08-11T13:03:28.879Z")

    assert isinstance(event, ConversationStateUpdated)
    assert (event.conversation_sid, event.state) == (sid("CH", 1), "closed")
