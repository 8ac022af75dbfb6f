"""Resume: a pending reply is looked for at Twilio before any part of it is sent again."""

from datetime import timedelta

from switchboard.events import Owner
from switchboard.turn.context import Step
from tests.builders import CONVERSATION
from tests.unit.turn.harness import Harness


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


def test_a_part_is_posted_at_most_twice_then_a_human_has_it(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.extend(["request_lost"] * 3)

    results = harness.deliver_repeatedly(*messages, times=3)

    assert harness.twilio.post_count == 2
    assert results[-1].outcome == "unsure"
    assert harness.item.owner is Owner.HUMAN


def test_a_reply_that_can_never_be_sent_goes_to_a_human_after_twice_the_attempts(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.extend(["not_sent"] * 20)

    results = harness.deliver_repeatedly(*messages, times=7)

    assert [result.outcome for result in results] == ["retry"] * 6 + ["unsure"]
    assert harness.item.owner is Owner.HUMAN


def test_a_part_that_the_list_shows_twice_is_counted(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.SEND)
    (reply,) = harness.twilio.messages[CONVERSATION][1:]
    harness.twilio.add(reply)
    harness.clock.move(seconds=91)

    result = harness.deliver(*messages)

    assert (result.outcome, result.duplicate_replies) == ("answered", 1)


def test_a_reply_frozen_before_a_takeover_is_not_sent_after_it(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.conversations.take_over(CONVERSATION, index=1, at=harness.clock())
    harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=1))
    harness.clock.move(seconds=91)

    result = harness.deliver(*messages)

    assert harness.replies == []
    assert result.outcome == "void"
