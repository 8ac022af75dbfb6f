"""A human's word that a list shows is never skipped: where its write fails, the turn is given back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import override

import pytest

from switchboard.conversation import Conversation, Note, TurnMessage
from switchboard.errors import Transient
from switchboard.events import MessageAdded
from switchboard.ports import Takeover
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, from_human, message_added
from tests.unit.turn.harness import Harness


@dataclass(slots=True)
class ThrottledConversations(ConversationsInMemory):
    """The stores, of which DynamoDB throttles those writes that are named in `throttled`."""

    throttled: set[str] = field(default_factory=set)

    @override
    def keep_notes(self, sid: str, notes: Sequence[Note]) -> None:
        self._write("keep_notes")
        ConversationsInMemory.keep_notes(self, sid, notes)

    @override
    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        self._write("take_over")
        return ConversationsInMemory.take_over(self, sid, index=index, at=at)

    @override
    def join(self, conversation: Conversation, messages: frozenset[TurnMessage]) -> Conversation:
        self._write("join")
        return ConversationsInMemory.join(self, conversation, messages)

    def _write(self, name: str) -> None:
        if name in self.throttled:
            raise Transient(f"{name}: slow down")


@pytest.fixture
def conversations(harness: Harness) -> ThrottledConversations:
    throttled = ThrottledConversations()
    harness.conversations = throttled
    return throttled


def human_writes_between(harness: Harness) -> MessageAdded:
    """Let a human write of whom no webhook tells, and the customer after them; return the customer's message."""
    human = from_human(index=len(harness.messages), at=harness.clock())
    message = message_added(index=human.index + 1, body="and?", at=harness.clock())
    harness.twilio.add(human, message)
    return message


def overdue_turn(harness: Harness) -> MessageAdded:
    """Let the model fail until a turn is overdue; return its message."""
    (message,) = harness.customer_writes("hi")
    harness.agent.errors = [Transient("away")]
    harness.deliver(message)
    harness.clock.move(seconds=timedelta(minutes=6).total_seconds())
    return message


@pytest.mark.parametrize("write", ["keep_notes", "take_over"])
def test_an_overdue_turn_whose_list_shows_a_human_waits_until_their_word_is_stored(
    harness: Harness, conversations: ThrottledConversations, write: str
) -> None:
    first = overdue_turn(harness)
    second = human_writes_between(harness)
    conversations.throttled = {write}

    later = harness.deliver(first, second)
    conversations.throttled = set()
    results = harness.deliver_until_it_ends(first, second)

    assert (later.outcome, later.acknowledged) == ("retry", frozenset())
    assert harness.replies == []
    assert (results[-1].outcome, results[-1].cause) == ("refused", "human")
    assert [note.text for note in conversations.notes[CONVERSATION].values()] == ["I take this"]


def test_an_overdue_turn_whose_list_shows_more_messages_waits_until_they_are_joined(
    harness: Harness, conversations: ThrottledConversations
) -> None:
    first = overdue_turn(harness)
    lost, last = harness.customer_writes("lost", "last")
    conversations.throttled = {"join"}

    later = harness.deliver(first, last)
    conversations.throttled = set()
    harness.deliver(first, last)

    assert later.outcome == "retry"
    assert harness.replies == [f"You said: hi | {lost.body} | {last.body}"]


@pytest.mark.parametrize("write", ["keep_notes", "take_over"])
def test_a_reply_is_not_given_up_before_a_human_whom_its_last_look_shows_is_heeded(
    harness: Harness, conversations: ThrottledConversations, write: str
) -> None:
    (message,) = harness.customer_writes("hi")
    harness.deliver_and_crash(message, after=Step.FREEZE)
    harness.clock.move(seconds=timedelta(hours=2).total_seconds())
    human_writes_between(harness)
    conversations.throttled = {write}

    later = harness.deliver(message)
    conversations.throttled = set()
    harness.deliver(message)
    ended = harness.deliver(message)

    assert (later.outcome, later.acknowledged) == ("retry", frozenset())
    assert (ended.outcome, harness.replies) == ("void", [])
