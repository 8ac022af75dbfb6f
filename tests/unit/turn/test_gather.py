"""Gather: messages that no record brought are found at Twilio and join the turn."""

from datetime import timedelta

from switchboard.author import AuthorRole
from switchboard.errors import Transient
from tests.builders import from_human, message_added
from tests.fakes.conversations import ConversationsInMemory
from tests.unit.turn.harness import Harness


def test_a_message_whose_webhook_is_late_joins_the_turn_and_its_own_record_is_dropped(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")

    harness.deliver(second)
    late = harness.deliver(first)

    assert harness.replies == ["You said: one | two"]
    assert late.outcome == "dropped"


def test_webhooks_in_the_wrong_order_lose_no_message_that_twilio_does_not_list_yet(harness: Harness) -> None:
    first, second, third = harness.customer_writes("one", "two", "three")
    harness.twilio.unlisted = {0, 1, 2}
    harness.deliver(first)
    harness.deliver(third)
    harness.twilio.unlisted = set()

    harness.deliver(second)

    assert harness.replies == ["You said: one", "You said: three", "You said: two"]


def test_what_came_before_a_record_that_waited_for_hours_is_not_history(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.clock.move(seconds=2 * 60 * 60)

    result = harness.deliver(second)

    assert (result.outcome, result.cause) == ("refused", "too_old")
    assert harness.dead_letters.messages == [first, second]


def test_a_retry_answers_the_messages_of_the_first_attempt_too(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.agent.errors = [Transient("away")]
    harness.deliver(first, second)
    harness.clock.move(seconds=31)

    harness.deliver(first)

    assert harness.replies == ["You said: one | two"]


def test_a_retry_waits_until_twilio_lists_the_messages_of_the_first_attempt(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.agent.errors = [Transient("away")]
    harness.deliver(first, second)
    harness.clock.move(seconds=31)
    harness.twilio.unlisted = {second.index}

    result = harness.deliver(first)

    assert (result.outcome, result.acknowledged) == ("retry", frozenset())
    assert harness.replies == []


def test_a_human_whose_webhook_was_lost_takes_over_when_a_list_shows_their_message(harness: Harness) -> None:
    message = message_added(index=1, at=harness.clock())
    harness.twilio.add(from_human(index=0, at=harness.clock()), message)

    harness.deliver(message)
    result = harness.deliver(message)

    assert (harness.replies, harness.agent.questions) == ([], [])
    assert result.cause == "human"


def test_messages_that_were_too_old_when_we_first_saw_the_conversation_get_no_answer(harness: Harness) -> None:
    harness.customer_writes("an old question", at=harness.clock() - timedelta(days=3))
    (message,) = harness.customer_writes("a new question")

    harness.deliver(message)

    assert harness.replies == ["You said: a new question"]


def test_after_the_loss_of_the_table_no_message_is_answered_again(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    harness.conversations = ConversationsInMemory()

    harness.deliver(*harness.customer_writes("two"))

    assert harness.replies == ["You said: one", "You said: two"]


def test_a_message_of_twilio_itself_is_listed_once_and_then_handled(harness: Harness) -> None:
    first = message_added(index=1, at=harness.clock())
    harness.twilio.add(
        message_added(index=0, author_role=AuthorRole.SYSTEM, author="system", at=harness.clock()), first
    )
    harness.deliver(first)
    lists_of_first_turn = harness.twilio.list_count

    harness.deliver(*harness.customer_writes("again"))

    assert (lists_of_first_turn, harness.twilio.list_count) == (1, 1)
