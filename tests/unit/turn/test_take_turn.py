"""A whole turn: the order of its steps, redelivery, crashes between steps, and takeovers meanwhile."""

import pytest

from switchboard.turn.context import Step
from tests.builders import CONVERSATION, message_added
from tests.unit.turn.harness import Harness

UNDISTURBED = ["claim", "gate", "think", "freeze", "send", "record", "settle"]  # as the documents call them


def test_a_message_is_answered_and_acknowledged(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")

    result = harness.deliver(message)

    assert harness.replies == ["You said: hi"]
    assert (result.outcome, result.messages) == ("answered", 1)
    assert result.acknowledged == {message.message_sid}


def test_an_undisturbed_turn_posts_once_and_lists_nothing(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("hi"))

    assert (harness.twilio.post_count, harness.twilio.list_count) == (1, 0)


def test_an_undisturbed_turn_takes_its_steps_in_order(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("hi"))

    assert harness.steps == UNDISTURBED


def test_each_step_says_of_which_turn_it_is_and_never_what_was_said(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("hi"))

    (record,) = harness.records
    assert {(taken.conversation_sid, taken.turn) for taken in harness.steps_taken} == {(CONVERSATION, record.turn)}
    details = {taken.step: taken.detail for taken in harness.steps_taken}
    assert details == {
        Step.CLAIM: "",
        Step.GATE: "",
        Step.THINK: "answer",
        Step.FREEZE: "answer",
        Step.SEND: "part 1 of 1",
        Step.RECORD: "",
        Step.SETTLE: "answered",
    }


def test_the_gate_says_which_rule_refuses(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.conversations.close(CONVERSATION, at=harness.clock())

    harness.deliver(*messages)

    assert [taken.detail for taken in harness.steps_taken if taken.step is Step.GATE] == ["closed"]


def test_a_turn_that_lists_messages_at_twilio_gathers_after_the_claim(harness: Harness) -> None:
    _late, message = harness.customer_writes("one", "two")

    harness.deliver(message)

    assert [step for step in harness.steps if step is not Step.GATHER] == UNDISTURBED
    assert set(harness.steps[1 : harness.steps.index(Step.GATE)]) == {"gather"}


def test_a_pending_reply_is_resumed_in_place_of_a_new_one(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.clock.move(seconds=91)
    harness.steps.clear()

    harness.deliver(*messages)

    steps = [step for position, step in enumerate(harness.steps) if step not in harness.steps[:position]]
    assert steps == ["claim", "resume", "send", "record", "settle"]


def test_a_refused_turn_neither_thinks_nor_sends(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.conversations.close(CONVERSATION, at=harness.clock())

    harness.deliver(*messages)

    assert harness.steps == [Step.CLAIM, Step.GATE, Step.SETTLE]


def test_a_redelivered_message_is_answered_once(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")
    harness.deliver(message)

    again = harness.deliver(message)

    assert harness.replies == ["You said: hi"]
    assert again.outcome == "dropped"
    assert again.acknowledged == {message.message_sid}


def test_messages_that_wait_together_are_answered_together_in_order(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")

    result = harness.deliver(second, first)

    assert harness.replies == ["You said: one | two"]
    assert result.messages == 2


@pytest.mark.parametrize("step", [Step.CLAIM, Step.THINK])
def test_a_crash_before_the_freeze_is_answered_by_the_next_worker_under_the_same_turn_id(
    harness: Harness, step: Step
) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=step)
    turn = harness.item.turn
    harness.clock.move(seconds=61)

    harness.deliver(*messages)

    assert harness.replies == ["You said: hi"]
    assert {question.turn for question in harness.agent.questions} == {turn}


@pytest.mark.parametrize("step", [Step.FREEZE, Step.SEND, Step.RECORD])
def test_a_crash_after_the_freeze_sends_the_frozen_text_once(harness: Harness, step: Step) -> None:
    (message,) = harness.customer_writes("hi")
    harness.deliver_and_crash(message, after=step)
    harness.agent.text = "something else"
    harness.clock.move(seconds=91)

    result = harness.deliver(message)

    assert harness.replies == ["You said: hi"]
    assert result.acknowledged == {message.message_sid}


def test_a_takeover_while_the_assistant_thinks_silences_it(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.agent.while_thinking = lambda: harness.conversations.take_over(CONVERSATION, index=1, at=harness.clock())

    fenced = harness.deliver(*messages)
    gated = harness.deliver(*messages)

    assert harness.replies == []
    assert (fenced.outcome, fenced.acknowledged) == ("fenced", frozenset())
    assert (gated.outcome, gated.cause) == ("refused", "human")


def test_a_close_while_the_assistant_thinks_silences_it(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.agent.while_thinking = lambda: harness.conversations.close(CONVERSATION, at=harness.clock())

    harness.deliver(*messages)
    gated = harness.deliver(*messages)

    assert harness.replies == []
    assert gated.cause == "closed"


def test_a_turn_in_a_conversation_that_twilio_has_deleted_ends_as_refused(harness: Harness) -> None:
    message = message_added(index=1, at=harness.clock())
    harness.twilio.is_deleted = True

    results = harness.deliver_until_it_ends(message)

    assert results[-1].outcome == "refused"
