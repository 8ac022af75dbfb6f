"""Settle: who owns the conversation after the turn, and what waits for them."""

from datetime import timedelta

from switchboard.errors import Permanent, Transient
from switchboard.events import Owner
from tests.builders import CONVERSATION, from_human, message_added
from tests.unit.turn.harness import Harness


def test_after_a_handoff_a_human_is_the_owner_and_the_assistant_is_silent(harness: Harness) -> None:
    harness.agent.handoff = True
    handed_off = harness.deliver(*harness.customer_writes("a human please"))
    owner = harness.item.owner

    result = harness.deliver(*harness.customer_writes("hello?"))

    assert (handed_off.outcome, owner) == ("handed_off", Owner.HUMAN)
    assert len(harness.replies) == 1
    assert (result.outcome, result.cause) == ("refused", "human")


def test_a_result_says_whether_the_turn_has_changed_the_owner(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug")]

    results = [harness.says(body) for body in ("hi", "hello?", "how are you?")]
    harness.agent.handoff = True
    results.append(harness.says("a human please"))
    results.append(harness.says("please"))

    assert [(result.outcome, result.owner_changed) for result in results] == [
        ("fell_back", True),
        ("answered", True),
        ("answered", False),
        ("handed_off", True),
        ("refused", False),
    ]


def test_messages_left_to_a_human_are_answered_after_the_hand_back(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=0, at=harness.clock())
    message = message_added(index=1, body="still there?", at=harness.clock())
    harness.twilio.add(from_human(index=0), message)
    harness.deliver(message)

    requeued = harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=5))
    harness.deliver(message)

    assert requeued == frozenset({1})
    assert harness.replies == ["You said: still there?"]


def test_what_waits_again_after_a_hand_back_is_answered_together_with_what_came_later(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=0, at=harness.clock())
    left, later = (message_added(index=index, body=f"{index}", at=harness.clock()) for index in (1, 2))
    harness.twilio.add(from_human(index=0), left, later)
    harness.deliver(left)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=5))

    harness.deliver(later)

    assert harness.replies == ["You said: 1 | 2"]


def test_a_settled_turn_leaves_neither_a_lease_nor_a_pending_reply(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("hi"))

    assert (harness.item.turn, harness.item.attempts, harness.item.lease_token) == ("", 0, "")
    assert harness.item.pending_reply is None
    assert harness.item.coverage.covers(0)


def test_a_deferred_turn_gives_the_conversation_back_at_once(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.agent.errors = [Transient("away")]
    deferred = harness.deliver(*messages)

    result = harness.deliver(*messages)

    assert (deferred.outcome, deferred.cause, deferred.acknowledged) == ("retry", "away", frozenset())
    assert result.outcome == "answered"


def test_each_message_that_a_rule_refuses_counts(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    result = harness.deliver(*harness.customer_writes("hello?", "are you there?", "please"))

    assert (result.outcome, result.cause, result.messages) == ("refused", "human", 3)
