"""What a verified form tells."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.author import AuthorRole, AuthorRules
from switchboard.errors import Malformed
from switchboard.events import ConversationStateUpdated, Event, Ignored, MessageAdded, Owner, OwnerSet
from switchboard.twilio.webhook.parse import ExpectedAccount, parse
from switchboard.twilio.webhook.verify import Form
from tests.builders import sid
from tests.signing import ACCOUNT, SERVICE, message_fields

VISITOR = f"visitor-{'0' * 31}1"
RULES = AuthorRules(human_addresses=(re.compile(r"\+12025550199"),), visitor_identities=(re.compile("guest-[0-9]+"),))
OURS = ExpectedAccount(account_sid=ACCOUNT, service_sid=SERVICE, author_rules=RULES)


def told(**changes: str) -> Event:
    return parsed(message_fields(**changes))


def parsed(fields: Mapping[str, str]) -> Event:
    return parse(Form({name: (value,) for name, value in fields.items()}), expected=OURS)


@pytest.mark.parametrize(
    ("author", "author_role"),
    [
        ("+12025550110", AuthorRole.CUSTOMER),
        ("whatsapp:+12025550110", AuthorRole.CUSTOMER),
        ("whatsapp:US.1234", AuthorRole.CUSTOMER),
        (VISITOR, AuthorRole.CUSTOMER),
        ("guest-7", AuthorRole.CUSTOMER),
        ("robin", AuthorRole.HUMAN),
        ("+12025550199", AuthorRole.HUMAN),
        ("visitor-1", AuthorRole.HUMAN),
        (f"x{VISITOR}", AuthorRole.HUMAN),
    ],
)
@pytest.mark.parametrize("takes_part", [True, False], ids=["a participant", "no participant"])
def test_who_speaks_is_told_from_the_author_alone(author: str, author_role: AuthorRole, *, takes_part: bool) -> None:
    fields = message_fields(Author=author)
    if not takes_part:
        del fields["ParticipantSid"]

    event = parsed(fields)

    assert isinstance(event, MessageAdded)
    assert event.author_role is author_role


def test_a_note_of_another_system_is_nobodys() -> None:
    assert told(Author="system") == Ignored(name="message_of_system")


def test_a_message_without_an_author_is_not_twilios() -> None:
    with pytest.raises(Malformed, match="Author"):
        told(Author="")


def test_our_own_words_are_ignored_whoever_takes_part() -> None:
    assert told(Author="switchboard") == Ignored(name="message_of_assistant")


def test_a_marker_in_a_customers_attributes_is_not_ours() -> None:
    event = told(Attributes='{"switchboard": {"turn": "T1", "part": 0}}')

    assert isinstance(event, MessageAdded)
    assert event.marker is None


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ("2026-08-11T13:03:28.879Z", datetime(2026, 8, 11, 13, 3, 28, 879_000, UTC)),
        ("2026-08-11T13:03:28Z", datetime(2026, 8, 11, 13, 3, 28, 0, UTC)),
    ],
)
def test_instants_come_in_seconds_or_milliseconds(sent: str, at: datetime) -> None:
    event = told(DateCreated=sent)

    assert isinstance(event, MessageAdded)
    assert event.at == at


def test_files_are_known_by_their_content_types() -> None:
    event = told(Media='[{"Sid": "ME1", "ContentType": "image/png"}, {"MediaSid": "ME2"}]')

    assert isinstance(event, MessageAdded)
    assert event.media_content_types == ("image/png", "file")


def test_a_message_without_a_service_is_ours() -> None:
    fields = message_fields()
    del fields["ChatServiceSid"]

    event = parsed(fields)

    assert isinstance(event, MessageAdded)


def test_an_unknown_event_is_counted_under_one_name() -> None:
    assert told(EventType="onWhateverComesNext") == Ignored(name="unknown_event_type")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["agent", "human"]),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)
WISHES = st.fixed_dictionaries({}, optional={"owner": ANYTHING, "at": ANYTHING | st.just("2026-08-11T13:03:28Z")})


IGNORED = [Ignored(name=name) for name in ("onConversationUpdated", "owner_set_without_its_time")]


@given(attributes=st.text() | (WISHES | ANYTHING).map(lambda value: json.dumps({"switchboard": value})))
def test_whatever_stands_in_the_attributes_is_a_hand_back_or_ignored(attributes: str) -> None:
    event = told(EventType="onConversationUpdated", Attributes=attributes)

    assert isinstance(event, OwnerSet) or event in IGNORED


@pytest.mark.parametrize(
    ("written", "owner"), [("assistant", Owner.ASSISTANT), ("agent", Owner.ASSISTANT), ("human", Owner.HUMAN)]
)
def test_a_human_sets_the_owner_by_the_conversations_attributes(written: str, owner: Owner) -> None:
    wish = {"owner": written, "at": "2026-08-11T13:03:28.250Z"}

    event = told(EventType="onConversationUpdated", Attributes=json.dumps({"switchboard": wish, "crm": 7}))

    at = datetime(2026, 8, 11, 13, 3, 28, 250_000, tzinfo=UTC)
    assert event == OwnerSet(conversation_sid=sid("CH", 1), owner=owner, at=at)


def test_a_desk_that_knows_whole_seconds_is_not_older_than_a_colleague_of_the_same_second() -> None:
    wish = json.dumps({"switchboard": {"owner": "agent", "at": "2026-08-11T13:03:28Z"}})

    event = told(EventType="onConversationUpdated", Attributes=wish)

    assert isinstance(event, OwnerSet)
    assert event.at == datetime(2026, 8, 11, 13, 3, 28, 999_000, tzinfo=UTC)


@pytest.mark.parametrize("at", ["tomorrow", "2026-11-25 03:00", "2026-11-25T03:00:00", "", None])
def test_a_wish_without_its_time_is_counted_under_a_name_of_its_own(at: str | None) -> None:
    wish = json.dumps({"switchboard": {"owner": "agent", "at": at}})

    assert told(EventType="onConversationUpdated", Attributes=wish) == Ignored(name="owner_set_without_its_time")


def test_a_desk_whose_clock_is_ahead_decides_nothing() -> None:
    def wished(*, at: str) -> Event:
        wish = json.dumps({"switchboard": {"owner": "agent", "at": at}})
        return told(EventType="onConversationUpdated", Attributes=wish, DateUpdated="2026-08-11T13:03:28.879Z")

    assert isinstance(wished(at="2026-08-11T13:03:38.500Z"), OwnerSet)
    assert wished(at="2026-08-11T13:03:39Z") == Ignored(name="owner_set_in_the_future")


@pytest.mark.parametrize("asked", ["onMessageAdd", "onConversationUpdate", "onParticipantRemove"])
def test_a_pre_webhook_set_to_us_by_mistake_is_let_pass(asked: str) -> None:
    assert told(EventType=asked) == Ignored(name=asked)


def test_a_removed_conversation_is_closed() -> None:
    event = told(EventType="onConversationRemoved", DateRemoved="2026-08-11T13:03:28.879Z")

    assert isinstance(event, ConversationStateUpdated)
    assert (event.conversation_sid, event.state) == (sid("CH", 1), "closed")
