"""Send: what becomes of a reply is decided by how its POSTs end."""

from switchboard.turn.timing import MIN_LEASE_FOR_SEND
from tests.builders import CONVERSATION
from tests.unit.turn.harness import Harness


def test_a_refused_post_is_recorded_with_twilios_code_and_acknowledged(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")
    harness.twilio.post_ends.append("refused")

    result = harness.deliver(message)

    assert (result.outcome, result.cause) == ("refused", "twilio_50377")
    assert result.acknowledged == {message.message_sid}
    assert [record.rule for record in harness.records] == ["twilio_50377"]


def test_a_post_that_never_left_is_not_counted_as_an_attempt(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.extend(["not_sent"] * 3)

    harness.deliver_repeatedly(*messages, times=4)

    assert harness.replies == ["You said: hi"]


def test_a_post_whose_response_was_lost_defers_the_reply_by_the_commit_window(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.append("response_lost")

    result = harness.deliver(*messages)

    assert (result.outcome, result.retry_after_seconds, result.acknowledged) == ("looking", 30, frozenset())
    assert harness.item.pending_reply is not None


def test_a_takeover_between_two_parts_stops_the_second(harness: Harness) -> None:
    harness.agent.text = "word " * 400
    messages = harness.customer_writes("tell me everything")
    harness.twilio.after_post = lambda: harness.conversations.take_over(CONVERSATION, index=9, at=harness.clock())

    result = harness.deliver(*messages)

    assert len(harness.replies) == 1
    assert result.outcome == "fenced"


def test_no_post_starts_with_too_little_lease_left_to_end_it(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    seconds = 60 - MIN_LEASE_FOR_SEND.total_seconds() + 1
    harness.agent.while_thinking = lambda: harness.clock.move(seconds=seconds)

    result = harness.deliver(*messages)

    assert harness.twilio.post_count == 0
    assert result.outcome == "retry"
