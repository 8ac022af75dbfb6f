"""Redriven dead letters: what is unanswered is answered once, and what is not says so."""

from datetime import timedelta

from switchboard.errors import Permanent
from switchboard.events import MessageAdded, Owner
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, from_human
from tests.unit.turn.harness import Harness, copies_of


def failed_message(harness: Harness, body: str = "one") -> MessageAdded:
    """Let a customer's message end with the fallback sentence, and return its dead letter, as it is redriven."""
    harness.agent.errors = [Permanent("a bug")]
    harness.deliver(*harness.customer_writes(body))
    harness.clock.move(seconds=1)
    return harness.dead_letters.messages[-1]


def test_a_redriven_letter_is_answered_although_its_turn_has_ended(harness: Harness) -> None:
    letter = failed_message(harness)

    result = harness.deliver(letter)

    assert (result.outcome, result.acknowledged) == ("answered", frozenset({letter.message_sid}))
    assert harness.replies == [harness.settings.fallback_sentence, "You said: one"]
    assert harness.item.owner is Owner.ASSISTANT


def test_a_letter_that_is_redriven_twice_is_answered_once_and_the_second_says_so(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.deliver(letter)

    again = harness.deliver(letter)

    assert (again.outcome, again.redrives_skipped, again.acknowledged) == (
        "dropped",
        1,
        frozenset({letter.message_sid}),
    )
    assert harness.replies[1:] == ["You said: one"]


def test_a_letter_whose_worker_died_after_its_answer_is_not_answered_again(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.deliver_and_crash(letter, after=Step.SETTLE)
    harness.clock.move(seconds=121)

    harness.deliver(letter)

    assert harness.replies[1:] == ["You said: one"]


def test_a_letter_whose_worker_died_before_its_settle_is_acknowledged_by_the_turn_that_answers_it(
    harness: Harness,
) -> None:
    letter = failed_message(harness)
    harness.deliver_and_crash(letter, after=Step.SEND)
    harness.clock.move(seconds=121)

    result = harness.deliver(letter)

    assert (result.outcome, result.redrives_skipped, result.acknowledged) == (
        "answered",
        0,
        frozenset({letter.message_sid}),
    )
    assert harness.replies[1:] == ["You said: one"]


def test_a_letter_that_is_redriven_while_its_failure_is_still_pending_goes_back_and_is_answered_then(
    harness: Harness,
) -> None:
    (message,) = harness.customer_writes("one")
    harness.agent.errors = [Permanent("a bug")]
    harness.deliver_and_crash(message, after=Step.FREEZE)
    harness.clock.move(seconds=121)
    (letter,) = copies_of(message)

    ends_the_failure = harness.deliver(message, letter)
    answers = harness.deliver(letter)

    assert (ends_the_failure.outcome, ends_the_failure.acknowledged) == ("fell_back", frozenset())
    assert (answers.outcome, answers.acknowledged) == ("answered", frozenset({letter.message_sid}))


def test_a_letter_that_joined_a_turn_is_answered_although_only_the_other_message_comes_back(harness: Harness) -> None:
    letter = failed_message(harness)
    (second,) = harness.customer_writes("two")
    harness.deliver_and_crash(letter, second, after=Step.CLAIM)
    harness.clock.move(seconds=61)

    harness.deliver(second)
    late = harness.deliver(letter)

    assert harness.replies[1:] == ["You said: one | two"]
    assert (late.outcome, late.redrives_skipped) == ("dropped", 1)


def test_a_letter_has_its_age_from_the_redrive(harness: Harness) -> None:
    (late,) = harness.customer_writes("late", at=harness.clock() - timedelta(hours=2))
    harness.deliver(late)
    (letter,) = harness.dead_letters.messages
    harness.clock.move(seconds=9 * 24 * 3600)

    harness.deliver_and_crash(letter, after=Step.CLAIM)
    harness.clock.move(seconds=61)
    harness.deliver(late)  # the sweeper has found it

    assert harness.replies == ["You said: late"]


def test_a_message_that_never_got_a_turn_has_no_age_either_once_it_is_redriven(harness: Harness) -> None:
    """SQS itself gave it up, after 1,000 deliveries: nothing of it is in the item."""
    (letter,) = copies_of(*harness.customer_writes("late", at=harness.clock() - timedelta(hours=2)))

    assert harness.deliver(letter).outcome == "answered"


def test_a_letter_that_fails_again_is_acknowledged_and_leaves_a_new_one(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.agent.errors = [Permanent("the same bug")]

    failed_again = harness.deliver(letter)

    assert (failed_again.outcome, failed_again.acknowledged) == ("fell_back", frozenset({letter.message_sid}))
    assert harness.dead_letters.messages == [letter, letter]
    assert harness.deliver(letter).outcome == "answered"


def test_a_letter_that_is_redriven_while_a_human_has_the_conversation_is_left_to_them(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    refused = harness.deliver(letter)
    harness.clock.move(seconds=1)
    requeued = harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    assert (refused.cause, refused.acknowledged) == ("human", frozenset({letter.message_sid}))
    assert requeued == frozenset({letter.index})


def test_a_message_that_a_human_has_dealt_with_is_not_answered_by_a_redrive(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.twilio.add(from_human(index=2, at=harness.clock()))
    harness.conversations.take_over(CONVERSATION, index=2, at=harness.clock())
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    result = harness.deliver(letter)

    assert (result.outcome, result.redrives_skipped) == ("dropped", 1)
    assert harness.replies == [harness.settings.fallback_sentence]


def test_a_human_who_speaks_before_a_failure_is_settled_has_dealt_with_it(harness: Harness) -> None:
    (message,) = harness.customer_writes("one")
    harness.agent.errors = [Permanent("a bug")]
    harness.deliver_and_crash(message, after=Step.SEND)
    harness.twilio.add(from_human(index=2, at=harness.clock()))
    harness.conversations.take_over(CONVERSATION, index=2, at=harness.clock())
    harness.clock.move(seconds=121)

    harness.deliver(message)

    assert (harness.item.failed, harness.item.left_to_human) == (frozenset(), frozenset())


def test_a_redrive_answers_a_failure_after_a_hand_back_although_a_human_spoke_since_the_turn_began(
    harness: Harness,
) -> None:
    (message,) = harness.customer_writes("one")
    harness.deliver_and_crash(message, after=Step.CLAIM)
    harness.twilio.add(from_human(index=1, at=harness.clock()))
    harness.conversations.take_over(CONVERSATION, index=1, at=harness.clock())
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.clock.move(seconds=121)
    harness.agent.errors = [Permanent("a bug")]
    (later,) = harness.customer_writes("two")
    harness.deliver(later)
    harness.clock.move(seconds=1)

    harness.deliver(*harness.dead_letters.messages)

    assert harness.replies[0] == harness.settings.fallback_sentence
    assert "two" in harness.replies[1]


def test_a_hand_back_and_a_redrive_do_not_both_answer(harness: Harness) -> None:
    letter = failed_message(harness)
    requeued = harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    (message,) = (message for message in harness.messages if message.index == letter.index)

    harness.deliver(message)
    late = harness.deliver(letter)

    assert requeued == frozenset({letter.index})
    assert harness.replies[1:] == ["You said: one"]
    assert (late.outcome, late.redrives_skipped) == ("dropped", 1)


def test_a_redrive_and_then_a_hand_back_do_not_both_answer(harness: Harness) -> None:
    harness.deliver(failed_message(harness))
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.clock.move(seconds=1)

    assert harness.conversations.hand_back(CONVERSATION, at=harness.clock()) == frozenset()


def test_after_an_answer_a_hand_back_leaves_an_old_failure_alone_and_a_redrive_answers_it(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.deliver(*harness.customer_writes("two"))
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.clock.move(seconds=1)

    requeued = harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.deliver(letter)

    assert requeued == frozenset()
    assert harness.replies[1:] == ["You said: two", "You said: one"]


def test_after_a_row_of_failures_a_hand_back_answers_all_of_them_in_one_turn(harness: Harness) -> None:
    letters = [failed_message(harness, body) for body in ("one", "two")]
    requeued = harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    first, *_ = harness.messages

    harness.deliver(first)

    assert requeued == frozenset(letter.index for letter in letters)
    assert harness.replies[1:] == ["You said: one | two"]


def test_a_letter_in_a_closed_conversation_is_refused_and_acknowledged(harness: Harness) -> None:
    letter = failed_message(harness)
    harness.conversations.close(CONVERSATION, at=harness.clock())

    result = harness.deliver(letter)

    assert (result.outcome, result.cause, result.acknowledged) == ("refused", "closed", frozenset({letter.message_sid}))


def test_a_letter_whose_body_nobody_knew_is_read_at_twilio(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.deliver_and_crash_repeatedly(first, second, after=Step.THINK, times=3)
    harness.deliver(first)
    letters = harness.dead_letters.messages
    assert [letter.body for letter in letters] == ["one", ""]

    harness.deliver(*letters)

    assert harness.replies[1:] == ["You said: one | two"]


def test_a_letter_whose_body_is_nowhere_any_more_ends_with_the_fallback_sentence(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.deliver_and_crash_repeatedly(first, second, after=Step.THINK, times=3)
    harness.deliver(first)
    letter = harness.dead_letters.messages[-1]
    harness.twilio.unlisted = {second.index}

    results = harness.deliver_until_it_ends(letter)

    assert results[-1].outcome == "fell_back"
    assert harness.agent.questions[-1].messages != ("",)
