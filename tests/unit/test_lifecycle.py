"""What lifecycle events do to a conversation, in whatever order they come."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from switchboard import lifecycle
from switchboard.author import AuthorRole
from switchboard.conversation import Note
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    LifecycleEvent,
    MessageAdded,
    Owner,
    OwnerSet,
)
from switchboard.lifecycle import Effect
from switchboard.stores.memory import ConversationsInMemory
from tests.builders import CONVERSATION, NOON, SECRET, Clock, delivery_failed, from_human, message_added, sid
from tests.dynamodb import claim
from tests.fakes.twilio import TwilioInMemory


@dataclass
class Harness:
    """A conversation's item, its messages at Twilio, and the queue that a hand back fills."""

    conversations: ConversationsInMemory = field(default_factory=ConversationsInMemory)
    twilio: TwilioInMemory = field(default_factory=lambda: TwilioInMemory(clock=Clock()))
    queued: list[MessageAdded] = field(default_factory=list)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.queued += messages

    def apply(self, *events: LifecycleEvent) -> list[Effect]:
        return [
            lifecycle.apply(
                event,
                conversations=self.conversations,
                messages=self.twilio,
                requeue=self,
                customer_secret=SECRET,
            )
            for event in events
        ]

    def leave_to_human(self, *indices: int) -> None:
        item = self.conversations.items[CONVERSATION]
        self.conversations.items[CONVERSATION] = replace(item, left_to_human=frozenset(indices))

    @property
    def notes(self) -> list[Note]:
        return list(self.conversations.notes.get(CONVERSATION, {}).values())

    @property
    def owner(self) -> Owner:
        return self.conversations.items[CONVERSATION].owner


def owner_set(owner: Owner, *, seconds: int) -> OwnerSet:
    return OwnerSet(conversation_sid=CONVERSATION, owner=owner, at=NOON + timedelta(seconds=seconds))


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_humans_message_makes_a_human_the_owner(harness: Harness) -> None:
    claim(harness.conversations)

    effects = harness.apply(from_human(index=1))

    assert effects == [Effect.TAKEN_OVER]
    assert harness.owner is Owner.HUMAN


def test_a_human_who_writes_before_any_customer_is_counted_and_owns_the_conversation(harness: Harness) -> None:
    effects = harness.apply(from_human(index=0), from_human(index=1, at=NOON + timedelta(seconds=9)))

    assert effects == [Effect.OPENED_BY_UNKNOWN_IDENTITY] * 2
    assert harness.owner is Owner.HUMAN


def test_a_takeover_by_attribute_before_any_customer_is_not_counted_as_an_unknown_identity(harness: Harness) -> None:
    assert harness.apply(owner_set(Owner.HUMAN, seconds=0)) == [Effect.TAKEN_OVER]


def test_a_hand_back_makes_the_assistant_the_owner_again(harness: Harness) -> None:
    harness.apply(from_human(index=1), owner_set(Owner.ASSISTANT, seconds=5))

    assert harness.owner is Owner.ASSISTANT


@pytest.mark.parametrize("late", [from_human(index=1), owner_set(Owner.HUMAN, seconds=0)])
def test_a_takeover_that_arrives_after_a_newer_hand_back_changes_nothing(
    harness: Harness, late: LifecycleEvent
) -> None:
    effects = harness.apply(owner_set(Owner.ASSISTANT, seconds=5), late)

    assert harness.owner is Owner.ASSISTANT
    assert effects == [Effect.HANDED_BACK, Effect.OUTDATED]


def test_a_hand_back_that_is_older_than_the_takeover_is_outdated(harness: Harness) -> None:
    effects = harness.apply(owner_set(Owner.HUMAN, seconds=5), owner_set(Owner.ASSISTANT, seconds=4))

    assert effects == [Effect.TAKEN_OVER, Effect.OUTDATED]
    assert harness.owner is Owner.HUMAN


def test_a_hand_back_queues_the_messages_that_were_left_to_the_human(harness: Harness) -> None:
    message = message_added(index=2)
    harness.twilio.add(from_human(index=1), message)
    harness.apply(from_human(index=1))
    harness.leave_to_human(2)

    harness.apply(owner_set(Owner.ASSISTANT, seconds=5))

    assert harness.queued == [message]


def test_a_hand_back_queues_nothing_else_that_the_list_shows(harness: Harness) -> None:
    left, answered = message_added(index=2), message_added(index=4)
    harness.twilio.add(from_human(index=1), left, from_human(index=3), answered)
    harness.apply(from_human(index=1))
    harness.leave_to_human(2)

    harness.apply(owner_set(Owner.ASSISTANT, seconds=5))

    assert harness.queued == [left]


@pytest.mark.parametrize("seconds", [5, 9])
def test_a_human_who_wrote_since_the_hand_back_and_whose_webhook_was_lost_owns_the_conversation(
    harness: Harness, seconds: int
) -> None:
    left, word = message_added(index=2), from_human(index=3, at=NOON + timedelta(seconds=seconds))
    harness.twilio.add(from_human(index=1), left, word)
    harness.apply(from_human(index=1))
    harness.leave_to_human(2)

    harness.apply(owner_set(Owner.ASSISTANT, seconds=5))

    assert harness.owner is Owner.HUMAN
    assert harness.queued == [left]


def test_a_hand_back_that_arrives_twice_queues_its_messages_twice_and_sqs_deduplicates_them(harness: Harness) -> None:
    message = message_added(index=2)
    harness.twilio.add(from_human(index=1), message)
    harness.apply(from_human(index=1))
    harness.leave_to_human(2)

    harness.apply(owner_set(Owner.ASSISTANT, seconds=5), owner_set(Owner.ASSISTANT, seconds=5))

    assert harness.queued == [message, message]
    assert harness.owner is Owner.ASSISTANT


def test_a_hand_back_with_no_message_left_to_a_human_queues_nothing(harness: Harness) -> None:
    harness.apply(owner_set(Owner.ASSISTANT, seconds=5))

    assert (harness.queued, harness.twilio.list_count) == ([], 0)


def test_a_closed_conversation_stays_closed(harness: Harness) -> None:
    closed = ConversationStateUpdated(conversation_sid=CONVERSATION, state=ConversationState.CLOSED, at=NOON)
    active_again = ConversationStateUpdated(
        conversation_sid=CONVERSATION, state=ConversationState.ACTIVE, at=NOON + timedelta(days=1)
    )

    effects = harness.apply(closed, active_again)

    assert effects == [Effect.CLOSED, Effect.NONE]
    assert harness.conversations.items[CONVERSATION].closed


@pytest.mark.parametrize(
    ("code", "effect", "reasons"),
    [
        (21610, Effect.OPTED_OUT, []),
        (63016, Effect.DELIVERY_FAILED, ["window_closed"]),
        (30003, Effect.DELIVERY_FAILED, ["unreachable"]),
        (30034, Effect.DELIVERY_FAILED, ["blocked"]),
        (30008, Effect.DELIVERY_FAILED, ["not_delivered"]),
        (None, Effect.DELIVERY_FAILED, ["not_delivered"]),
    ],
)
def test_the_error_code_of_a_failed_delivery_is_kept_and_says_what_people_are_told_but_of_an_opt_out_nothing(
    harness: Harness, code: int | None, effect: Effect, reasons: list[str]
) -> None:
    failed = delivery_failed(sid("IM", 1), code=code)

    again = Effect.OUTDATED if effect is Effect.OPTED_OUT else effect
    assert harness.apply(failed, failed) == [effect, again]
    told = [(notice.type, notice.reason) for notice in harness.conversations.notices.values()]
    assert told == [("DeliveryFailed", reason) for reason in reasons]
    assert harness.conversations.items[CONVERSATION].undelivered == {failed.message_sid: code}


def test_an_opt_out_is_applied_at_once_and_told_to_nobody(harness: Harness) -> None:
    effects = harness.apply(message_added(index=3, body="STOP"), message_added(index=3, body="STOP"))

    assert effects == [Effect.OPTED_OUT, Effect.OUTDATED]
    assert harness.conversations.items[CONVERSATION].consent.opted_out
    assert harness.conversations.notices == {}


def test_what_a_customer_writes_beside_it_and_an_opt_in_change_nothing_here(harness: Harness) -> None:
    assert harness.apply(message_added(body="STOP 12345"), message_added(body="START")) == [Effect.NONE, Effect.NONE]


def test_what_a_human_said_is_kept_also_where_a_newer_hand_back_outdates_their_takeover(harness: Harness) -> None:
    effects = harness.apply(owner_set(Owner.ASSISTANT, seconds=5), from_human(index=1))

    assert effects[-1] is Effect.OUTDATED
    assert harness.notes == [Note(index=1, author_role=AuthorRole.HUMAN, text="I take this", at=NOON)]


def test_a_message_of_another_program_is_kept_and_handled_and_changes_no_owner(harness: Harness) -> None:
    claim(harness.conversations)
    shipped = message_added(index=1, author_role=AuthorRole.SYSTEM, author="crm", body="Order 4711 was shipped.")

    effects = harness.apply(shipped, shipped)

    assert effects == [Effect.NOTED] * 2
    assert harness.notes == [Note(index=1, author_role=AuthorRole.SYSTEM, text=shipped.body, at=NOON)]
    assert harness.conversations.items[CONVERSATION].coverage.covers(1)
    assert harness.owner is Owner.ASSISTANT


def test_a_humans_last_word_that_only_the_list_of_a_hand_back_shows_is_kept(harness: Harness) -> None:
    last_word = replace(from_human(index=3, at=NOON + timedelta(seconds=4)), body="The rest is free.")
    harness.twilio.add(from_human(index=1), message_added(index=2), last_word)
    harness.apply(from_human(index=1))
    harness.leave_to_human(2)

    harness.apply(owner_set(Owner.ASSISTANT, seconds=5))

    assert [note.text for note in harness.notes] == ["I take this", "The rest is free."]
