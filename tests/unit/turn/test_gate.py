"""Gate: the rules by which messages get no answer."""

from datetime import timedelta

from switchboard.errors import Transient
from switchboard.events import Owner
from tests.builders import CONVERSATION
from tests.unit.turn.harness import Harness, copies_of


def test_in_a_closed_conversation_no_message_gets_an_answer(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")
    harness.conversations.close(CONVERSATION, at=harness.clock())

    result = harness.deliver(message)

    assert (result.outcome, result.cause, result.messages) == ("refused", "closed", 1)
    assert result.acknowledged == {message.message_sid}
    assert harness.agent.questions == []


def test_while_a_human_owns_the_conversation_the_assistant_is_silent(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    result = harness.deliver(*harness.customer_writes("hello?"))

    assert (result.outcome, result.cause) == ("refused", "human")
    assert harness.agent.questions == []


def test_a_customer_who_has_opted_out_gets_no_answer_until_they_write_again(harness: Harness) -> None:
    before = harness.customer_writes("stop")
    harness.conversations.opt_out(CONVERSATION, at=harness.clock())

    refused = harness.deliver(*before)
    harness.clock.move(seconds=1)
    answered = harness.deliver(*harness.customer_writes("hello again"))

    assert (refused.outcome, refused.cause) == ("refused", "opted_out")
    assert answered.outcome == "answered"


def test_a_message_that_waited_too_long_is_a_dead_letter_and_changes_no_owner(harness: Harness) -> None:
    messages = harness.customer_writes("hi", at=harness.clock() - timedelta(hours=2))

    result = harness.deliver(*messages)

    assert (result.outcome, result.cause) == ("refused", "too_old")
    assert harness.item.owner is Owner.ASSISTANT
    assert harness.dead_letters.messages == copies_of(*messages)


def test_after_a_message_that_waited_too_long_a_fresh_one_is_answered(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("late", at=harness.clock() - timedelta(minutes=61)))

    harness.deliver(*harness.customer_writes("fresh"))

    assert harness.replies == ["You said: fresh"]


def test_a_message_does_not_grow_too_old_while_its_answer_is_tried(harness: Harness) -> None:
    messages = harness.customer_writes("hi", at=harness.clock() - timedelta(minutes=58))
    harness.agent.errors = [Transient("away")] * 8

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == ["You said: hi"]


def test_a_message_that_is_handed_back_after_an_hour_is_answered(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*messages)
    harness.clock.move(seconds=61 * 60)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver(*messages)

    assert harness.replies == ["You said: hi"]


def test_a_webhook_that_comes_again_days_later_is_dropped_and_not_too_old(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver(*messages)
    harness.clock.move(seconds=3 * 86_400)

    result = harness.deliver(*messages)

    assert result.outcome == "dropped"
    assert harness.item.owner is Owner.ASSISTANT


def test_a_handled_message_is_dropped_ahead_of_every_rule(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver(*messages)
    harness.conversations.close(CONVERSATION, at=harness.clock())

    result = harness.deliver(*messages)

    assert result.outcome == "dropped"
    assert [record.outcome for record in harness.records] == ["answered"]
