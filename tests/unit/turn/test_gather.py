"""Gather: messages that no record brought are found at Twilio and join the turn."""

from datetime import timedelta
from itertools import batched

from switchboard.author import AuthorRole
from switchboard.errors import Transient
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.context import Step
from switchboard.turn.gather import FULL_BATCH
from tests.builders import CONVERSATION, from_human, message_added
from tests.unit.turn.harness import Harness, copies_of


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
    assert harness.dead_letters.messages == copies_of(first, second)


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


def test_a_human_who_writes_at_the_very_time_of_a_hand_back_takes_over_when_a_list_shows_their_message(
    harness: Harness,
) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock() - timedelta(seconds=1))
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
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


def test_a_full_batch_is_answered_together_with_what_waits_behind_it(harness: Harness) -> None:
    texts = harness.customer_writes(*[str(number) for number in range(40)])

    results = [harness.deliver(*batch) for batch in batched(texts, FULL_BATCH)]

    assert harness.replies == [f"You said: {' | '.join(text.body for text in texts)}"]
    assert [result.outcome for result in results] == ["answered", "dropped", "dropped", "dropped"]
    assert all(len(result.acknowledged) == FULL_BATCH for result in results)
    assert harness.twilio.list_count == 1


def test_of_forty_texts_that_twilio_does_not_list_at_once_the_later_ones_are_one_turn_more(harness: Harness) -> None:
    texts = harness.customer_writes(*[str(number) for number in range(40)])
    batches = [*batched(texts, FULL_BATCH)]
    harness.twilio.unlisted = {*range(25, 40)}
    harness.deliver(*batches[0])
    harness.twilio.unlisted = set()

    for batch in batches[1:]:
        harness.deliver(*batch)

    assert len(harness.replies) == 2
    assert harness.replies[1] == f"You said: {' | '.join(text.body for text in texts[25:])}"


def test_a_batch_that_is_not_full_asks_nobody_what_waits_behind_it(harness: Harness) -> None:
    texts = harness.customer_writes(*[str(number) for number in range(FULL_BATCH)])

    harness.deliver(*texts[:-1])

    assert harness.twilio.list_count == 0


def test_fourteen_messages_that_are_handed_back_are_one_turn_however_many_are_delivered(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    texts = harness.customer_writes(*[str(number) for number in range(14)])
    harness.deliver(*texts)
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    answered = harness.deliver(*texts[2:4])
    dropped = harness.deliver(*texts[:2], *texts[4:])

    assert harness.replies == [f"You said: {' | '.join(text.body for text in texts)}"]
    assert (answered.messages, dropped.outcome, len(dropped.acknowledged)) == (14, "dropped", 12)


def test_a_requeued_message_that_is_gone_from_twilio_holds_up_no_other(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*harness.customer_writes("gone", "there"))
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    gone, there = harness.messages
    harness.twilio.unlisted = {gone.index}

    harness.deliver(there)

    assert harness.replies == ["You said: there"]


def test_a_requeued_message_that_is_gone_from_twilio_is_looked_for_a_day_long(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*harness.customer_writes("gone"))
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.twilio.unlisted = {0}
    lists = []

    for _ in range(2):
        harness.deliver(*harness.customer_writes("another"))
        lists.append(harness.twilio.list_count)
        harness.clock.move(seconds=25 * 3600)

    assert lists == [1, 1]


def test_what_waits_again_is_answered_together_with_lost_messages_before_it(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    first, lost, last = harness.customer_writes("first", "lost", "last")
    harness.deliver(first)
    for _ in range(harness.settings.max_attempts):  # after them nobody lists what was lost
        harness.deliver_and_crash(last, after=Step.CLAIM)
        harness.clock.move(seconds=121)
    harness.deliver(last)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver(first)

    assert harness.replies == [f"You said: {first.body} | {lost.body} | {last.body}"]
