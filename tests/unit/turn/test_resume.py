"""Resume: a pending reply is looked for at Twilio before any part of it is sent again."""

from datetime import timedelta

from switchboard.conversation import OwnerReason
from switchboard.events import Owner
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, FALLBACK, from_human
from tests.unit.turn.harness import Harness, copies_of


def test_nobody_looks_for_a_part_while_twilio_may_still_commit_it(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.append("response_lost")
    harness.deliver(*messages)
    harness.clock.move(seconds=10)

    too_early = harness.deliver(*messages)

    assert (too_early.outcome, too_early.retry_after_seconds) == ("looking", 20)
    assert harness.twilio.list_count == 0


def test_a_part_that_the_list_shows_is_not_sent_again(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.append("response_lost")
    harness.deliver(*messages)
    harness.clock.move(seconds=31)

    harness.deliver(*messages)

    assert harness.twilio.post_count == 1
    assert harness.replies == ["You said: hi"]


def test_a_part_that_no_list_shows_is_sent_again_after_each_look_and_is_unsure_after_an_hour(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.extend(["request_lost"] * 100)
    began = harness.clock()

    results = harness.deliver_until_it_ends(*messages)

    looks = [result.retry_after_seconds for result in results if result.outcome == "looking"]
    assert looks[:5] == [30, 120, 300, 300, 300]
    assert harness.twilio.post_count <= 14
    assert results[-1].outcome == "unsure"
    assert timedelta(hours=1) <= harness.clock() - began <= timedelta(minutes=66)
    assert (harness.item.owner, harness.item.owner_reason) == (Owner.HUMAN, OwnerReason.FAILURE)
    assert harness.dead_letters.messages == []


def test_a_reply_that_certainly_never_left_expires_after_an_hour_and_is_a_dead_letter(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.extend(["not_sent"] * 200)
    began = harness.clock()

    results = harness.deliver_until_it_ends(*messages)

    assert results[-1].outcome == "expired"
    assert timedelta(hours=1) <= harness.clock() - began <= timedelta(minutes=62)
    assert harness.dead_letters.messages == copies_of(*messages)
    assert harness.item.failed == {messages[0].index}


def test_a_look_that_kills_its_workers_ends_unsure_without_another_look(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.clock.move(seconds=121)
    harness.deliver_and_crash_repeatedly(*messages, after=Step.RESUME, times=2)
    looked = harness.twilio.list_count

    result = harness.deliver(*messages)

    assert result.outcome == "unsure"
    assert harness.twilio.list_count == looked


def test_where_nothing_has_left_a_look_that_kills_its_workers_ends_expired_and_is_a_dead_letter(
    harness: Harness,
) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.append("not_sent")
    harness.deliver(*messages)
    harness.deliver_and_crash_repeatedly(*messages, after=Step.RESUME, times=3)

    result = harness.deliver(*messages)

    assert result.outcome == "expired"
    assert harness.dead_letters.messages == copies_of(*messages)


def test_workers_that_died_before_the_freeze_do_not_end_the_reply(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash_repeatedly(*messages, after=Step.THINK, times=3)
    harness.twilio.post_ends.append("not_sent")

    results = harness.deliver_until_it_ends(*messages)

    assert results[-1].outcome == "fell_back"
    assert harness.replies == [FALLBACK]


def test_a_part_that_the_list_shows_twice_is_counted(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.SEND)
    (reply,) = harness.twilio.messages[CONVERSATION][1:]
    harness.twilio.add(reply)
    harness.clock.move(seconds=91)

    result = harness.deliver(*messages)

    assert (result.outcome, result.duplicate_replies) == ("answered", 1)


def test_a_reply_is_sent_after_a_human_took_the_conversation_and_gave_it_back_without_a_word(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=1))
    harness.clock.move(seconds=121)

    result = harness.deliver(*messages)

    assert harness.replies == ["You said: hi"]
    assert result.outcome == "answered"


def test_a_reply_is_void_after_a_humans_word_and_what_came_later_waits_again(harness: Harness) -> None:
    first = harness.customer_writes("one")
    human = from_human(index=1, at=harness.clock())
    harness.twilio.add(human)
    second = harness.customer_writes("two")
    harness.conversations.take_over(CONVERSATION, index=1, at=harness.clock())
    harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=1))
    harness.clock.move(seconds=2)
    harness.deliver_and_crash(*first, *second, after=Step.FREEZE)
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=1))
    harness.clock.move(seconds=121)

    result = harness.deliver(*first, *second)

    assert result.outcome == "void"
    assert result.acknowledged == {first[0].message_sid}
    assert harness.item.coverage.requeued == {second[0].index}
    harness.deliver(*second)
    assert harness.replies == ["You said: two"]


def test_what_a_void_reply_leaves_unanswered_is_left_to_the_human_who_owns_the_conversation(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.clock.move(seconds=121)

    harness.deliver(*messages)

    assert harness.item.left_to_human == {messages[0].index}
    assert harness.conversations.hand_back(CONVERSATION, at=harness.clock()) == frozenset({messages[0].index})


def test_what_came_right_after_a_humans_word_is_left_to_them_also_where_the_times_are_the_same(
    harness: Harness,
) -> None:
    harness.twilio.add(from_human(index=0, at=harness.clock()))
    (message,) = harness.customer_writes("hi")
    harness.twilio.unlisted = {0}
    harness.deliver_and_crash(message, after=Step.FREEZE)
    harness.conversations.take_over(CONVERSATION, index=0, at=harness.clock())
    harness.clock.move(seconds=121)

    harness.deliver(message)

    assert message.index == 1
    assert harness.item.left_to_human == {1}


def test_what_came_before_a_humans_word_is_not_left_to_them_though_no_list_shows_the_word(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")
    harness.deliver_and_crash(message, after=Step.FREEZE)
    harness.conversations.take_over(CONVERSATION, index=1, at=harness.clock())
    harness.clock.move(seconds=121)

    harness.deliver(message)

    assert harness.item.left_to_human == frozenset()
