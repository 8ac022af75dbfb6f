"""What lifecycle events do, whatever order they come in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from switchboard.conversation import Conversation
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    DeliveryFailed,
    LifecycleEvent,
    MessageAdded,
    Owner,
    OwnerSet,
)
from switchboard.lifecycle import Effect, apply
from tests.builders import CONVERSATION, NOON, Clock, from_colleague, message_added, sid
from tests.dynamodb import claim
from tests.fakes.conversations import ConversationsInMemory
from tests.fakes.twilio import TwilioInMemory


@dataclass
class Desk:
    """A conversation's item, its messages at Twilio, and the queue that a hand back fills."""

    conversations: ConversationsInMemory = field(default_factory=ConversationsInMemory)
    twilio: TwilioInMemory = field(default_factory=lambda: TwilioInMemory(clock=Clock()))
    queued: list[MessageAdded] = field(default_factory=list)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.queued += messages

    def happens(self, *events: LifecycleEvent) -> list[Effect]:
        return [apply(event, conversations=self.conversations, messages=self.twilio, requeue=self) for event in events]

    @property
    def owner(self) -> Owner:
        return self.conversations.items[CONVERSATION].owner


def owner_set(owner: Owner, *, seconds: int) -> OwnerSet:
    return OwnerSet(conversation_sid=CONVERSATION, owner=owner, at=NOON + timedelta(seconds=seconds))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_colleagues_message_makes_a_human_the_owner(desk: Desk) -> None:
    claim(desk.conversations)

    effects = desk.happens(from_colleague(index=1))

    assert effects == [Effect.TAKEN_OVER]
    assert desk.owner is Owner.HUMAN


def test_a_human_who_writes_before_any_customer_is_counted_and_owns_the_conversation(desk: Desk) -> None:
    effects = desk.happens(from_colleague(index=0), from_colleague(index=1, at=NOON + timedelta(seconds=9)))

    assert effects == [Effect.OPENED_BY_UNKNOWN_IDENTITY] * 2
    assert desk.owner is Owner.HUMAN


def test_a_desk_that_takes_a_conversation_before_any_customer_is_nobody_unknown(desk: Desk) -> None:
    assert desk.happens(owner_set(Owner.HUMAN, seconds=0)) == [Effect.TAKEN_OVER]


def test_a_hand_back_makes_the_agent_the_owner_again(desk: Desk) -> None:
    desk.happens(from_colleague(index=1), owner_set(Owner.ASSISTANT, seconds=5))

    assert desk.owner is Owner.ASSISTANT


@pytest.mark.parametrize("late", [from_colleague(index=1), owner_set(Owner.HUMAN, seconds=0)])
def test_a_takeover_that_comes_after_the_newer_hand_back_changes_nothing(desk: Desk, late: LifecycleEvent) -> None:
    effects = desk.happens(owner_set(Owner.ASSISTANT, seconds=5), late)

    assert desk.owner is Owner.ASSISTANT
    assert effects == [Effect.HANDED_BACK, Effect.OUTDATED]


def test_a_hand_back_older_than_the_colleagues_word_is_not_told_as_done(desk: Desk) -> None:
    assert desk.happens(owner_set(Owner.HUMAN, seconds=5), owner_set(Owner.ASSISTANT, seconds=4))[1] is Effect.OUTDATED
    assert desk.owner is Owner.HUMAN


def test_a_hand_back_queues_what_was_left_to_the_human(desk: Desk) -> None:
    said = message_added(index=2)
    desk.twilio.has(from_colleague(index=1), said)
    desk.happens(from_colleague(index=1))
    item = desk.conversations.items[CONVERSATION]
    desk.conversations.items[CONVERSATION] = Conversation(
        sid=CONVERSATION, owner=item.owner, owner_changed_at=item.owner_changed_at, left_to_human=frozenset({2})
    )

    desk.happens(owner_set(Owner.ASSISTANT, seconds=5))

    assert desk.queued == [said]


def test_a_hand_back_told_again_queues_the_same_again_for_the_queue_to_swallow(desk: Desk) -> None:
    desk.happens(owner_set(Owner.ASSISTANT, seconds=5), owner_set(Owner.ASSISTANT, seconds=5))

    assert desk.queued == []
    assert desk.owner is Owner.ASSISTANT


def test_closed_is_final(desk: Desk) -> None:
    closed = ConversationStateUpdated(conversation_sid=CONVERSATION, state=ConversationState.CLOSED, at=NOON)
    requeued = ConversationStateUpdated(
        conversation_sid=CONVERSATION, state=ConversationState.ACTIVE, at=NOON + timedelta(days=1)
    )

    effects = desk.happens(closed, requeued)

    assert effects == [Effect.CLOSED, Effect.NONE]
    assert desk.conversations.items[CONVERSATION].closed


@pytest.mark.parametrize(("code", "effect"), [(21610, Effect.OPTED_OUT), (30003, Effect.DELIVERY_FAILED)])
def test_a_failed_delivery_is_told_apart_by_its_code(desk: Desk, code: int, effect: Effect) -> None:
    failed = DeliveryFailed(
        conversation_sid=CONVERSATION,
        message_sid=sid("IM", 1),
        delivery_receipt_sid=sid("DY", 1),
        status="failed",
        error_code=code,
        at=NOON,
    )

    assert desk.happens(failed) == [effect]
