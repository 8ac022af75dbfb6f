"""Changes of owner are shown at Twilio: each at least once, and the newest owner in the end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from switchboard.conversation import OwnerChange, OwnerReason
from switchboard.errors import Permanent, Transient
from switchboard.events import Owner
from switchboard.owner_updates import MIN_TIME_FOR_OWNER, STALE_WRITES_END, OwnerUpdates
from switchboard.publisher import LEFT_TO_ITS_WORKER
from switchboard.stores.memory import ConversationsInMemory
from tests.builders import CONVERSATION, NOON, Clock, sid

SECOND = timedelta(seconds=1)


class Harness:
    def __init__(self) -> None:
        self.clock = Clock(NOON + LEFT_TO_ITS_WORKER)
        self.conversations = ConversationsInMemory()
        self.shown: list[tuple[str, Owner, str]] = []
        self.changes: list[OwnerChange] = []
        self.errors: dict[str, Exception] = {}
        self.before_each: Callable[[], object] = lambda: None
        self.after_each: Callable[[], object] = lambda: None
        self.updates = OwnerUpdates(
            changes=self.conversations, owners=self.conversations, attribute=self, clock=self.clock
        )

    def show_change(self, change: OwnerChange) -> None:
        if error := self.errors.get(change.conversation_sid):
            raise error
        self.before_each()
        self.changes.append(change)
        self.shown.append((change.conversation_sid, change.owner, change.reason))
        self.after_each()

    def show_due(self, *, seconds: float = 60) -> None:
        self.updates.show_due(self.clock() + timedelta(seconds=seconds))


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_takeover_is_shown_with_its_reason_and_since_when(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON)

    harness.show_due()
    harness.show_due()

    assert harness.changes == [
        OwnerChange(conversation_sid=CONVERSATION, owner=Owner.HUMAN, reason="attribute", since=NOON, at=NOON)
    ]


def test_what_was_shown_is_looked_at_once_more_when_no_older_owner_can_be_written_any_more(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON)
    harness.show_due()
    harness.clock.move(seconds=STALE_WRITES_END.total_seconds())

    harness.show_due()
    harness.show_due()

    assert len(harness.changes) == 2
    assert harness.conversations.owner_changes == {}


def test_an_older_owner_that_is_written_late_does_not_stay(harness: Harness) -> None:
    def another_shows_a_newer_owner_and_this_worker_dies() -> None:
        harness.before_each = lambda: None
        harness.conversations.take_over(CONVERSATION, index=3, at=NOON + SECOND)
        harness.updates.show_of([CONVERSATION], harness.clock() + timedelta(seconds=60))
        harness.after_each = dies

    def dies() -> None:
        harness.after_each = lambda: None
        raise KeyboardInterrupt

    harness.conversations.take_over(CONVERSATION, index=None, at=NOON)
    harness.before_each = another_shows_a_newer_owner_and_this_worker_dies
    with pytest.raises(KeyboardInterrupt):
        harness.show_due()
    assert [reason for *_, reason in harness.shown] == ["message", "attribute"]
    harness.clock.move(seconds=STALE_WRITES_END.total_seconds())

    harness.show_due()

    assert harness.shown[-1] == (CONVERSATION, Owner.HUMAN, "message")


def test_a_hand_back_is_shown(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON - SECOND)
    harness.conversations.hand_back(CONVERSATION, at=NOON)

    harness.show_due()

    assert harness.shown == [(CONVERSATION, Owner.ASSISTANT, "by_human")]


def test_a_human_who_writes_after_a_handoff_has_another_reason_and_the_same_since(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON - 60 * SECOND)
    harness.conversations.items[CONVERSATION] = replace(
        harness.conversations.items[CONVERSATION], owner_reason=OwnerReason.HANDOFF
    )
    harness.conversations.take_over(CONVERSATION, index=3, at=NOON)

    harness.show_due()

    (change,) = harness.changes
    assert (change.reason, change.since) == ("message", NOON - 60 * SECOND)


def test_a_change_that_another_has_followed_shows_what_the_item_says_now(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON)
    harness.conversations.hand_back(CONVERSATION, at=NOON + SECOND)  # its own worker shows it

    harness.show_due()

    assert harness.shown == []
    left = [change.owner for change in harness.conversations.owner_changes.values() if not change.shown_at]
    assert left == [Owner.ASSISTANT]


def test_a_change_that_comes_while_one_is_shown_is_shown_in_the_end(harness: Harness) -> None:
    def take_again() -> None:
        harness.after_each = lambda: None
        harness.conversations.take_over(CONVERSATION, index=None, at=NOON + SECOND)

    harness.conversations.take_over(CONVERSATION, index=None, at=NOON - SECOND)
    harness.conversations.hand_back(CONVERSATION, at=NOON)
    harness.after_each = take_again

    harness.show_due()

    assert [owner for _, owner, _ in harness.shown] == [Owner.ASSISTANT, Owner.HUMAN]


def test_a_sweep_leaves_a_change_to_its_worker_for_some_seconds(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON + SECOND)

    harness.show_due()
    assert harness.shown == []

    harness.updates.show_of([CONVERSATION], harness.clock() + timedelta(seconds=60))
    assert len(harness.shown) == 1


def test_who_changed_one_conversation_shows_no_other(harness: Harness) -> None:
    for number in (1, 2):
        harness.conversations.take_over(sid("CH", number), index=None, at=NOON)

    harness.updates.show_of([sid("CH", 2)], harness.clock() + timedelta(seconds=60))

    assert [conversation_sid for conversation_sid, *_ in harness.shown] == [sid("CH", 2)]


def test_what_twilio_does_not_take_now_is_tried_again_and_holds_up_no_other(harness: Harness) -> None:
    for number in (1, 2):
        harness.conversations.take_over(sid("CH", number), index=None, at=NOON)
    harness.errors[sid("CH", 1)] = Transient("503")

    with pytest.raises(Transient):
        harness.show_due()
    harness.errors.clear()
    harness.show_due()

    assert [conversation_sid for conversation_sid, *_ in harness.shown] == [sid("CH", 2), sid("CH", 1)]


def test_a_conversation_that_is_closed_or_gone_is_given_up_and_the_others_are_shown(harness: Harness) -> None:
    for number in (1, 2):
        harness.conversations.take_over(sid("CH", number), index=None, at=NOON)
    harness.errors[sid("CH", 1)] = Permanent("404")

    with pytest.raises(Permanent):
        harness.show_due()

    assert [conversation_sid for conversation_sid, *_ in harness.shown] == [sid("CH", 2)]
    assert [change.conversation_sid for change in harness.conversations.owner_changes.values()] == [sid("CH", 2)]


def test_nothing_is_begun_without_the_time_for_it(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON)

    harness.show_due(seconds=MIN_TIME_FOR_OWNER.total_seconds() - 1)
    assert harness.shown == []

    harness.show_due(seconds=MIN_TIME_FOR_OWNER.total_seconds())
    assert len(harness.shown) == 1
