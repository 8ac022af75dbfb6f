"""Send: what becomes of a reply is decided by how its POSTs end."""

from dataclasses import replace

import pytest

from switchboard.errors import Permanent, Transient
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


# ── WaitForDelivery ──────────────────────────────────────────────────────────────────────────────────────────────────

LONG = "word " * 700  # three SMS


def waits(harness: Harness) -> Harness:
    harness.settings = replace(harness.settings, sms=replace(harness.settings.sms, wait_for_delivery=True))
    harness.agent.text = LONG
    return harness


def test_each_sms_waits_until_the_one_before_has_arrived(harness: Harness) -> None:
    waits(harness).twilio.looks.extend([False, True, False, False, True])

    harness.deliver(*harness.customer_writes("tell me everything"))

    assert [reply[:6] for reply in harness.replies] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert harness.pauses == [1, 1, 1]
    first, second = harness.twilio.messages[CONVERSATION][1:3]
    assert harness.twilio.looked_at == [first.message_sid] * 2 + [second.message_sid] * 3


def test_it_waits_for_five_seconds_at_most(harness: Harness) -> None:
    waits(harness).twilio.looks.extend([False] * 20)

    harness.deliver(*harness.customer_writes("tell me everything"))

    assert len(harness.replies) == 3
    assert harness.pauses == [1] * 10


@pytest.mark.parametrize("error", [Transient("503"), Permanent("404")])
def test_where_twilio_does_not_say_it_waits_no_longer(harness: Harness, error: Exception) -> None:
    waits(harness).twilio.looks.extend([error, error])

    harness.deliver(*harness.customer_writes("tell me everything"))

    assert (len(harness.replies), harness.pauses) == (3, [])


def test_a_takeover_while_it_waits_stops_the_next_sms(harness: Harness) -> None:
    waits(harness).twilio.looks.append(False)
    harness.while_pausing = lambda: harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    result = harness.deliver(*harness.customer_writes("tell me everything"))

    assert (result.outcome, len(harness.replies)) == ("fenced", 1)


def test_with_little_of_the_lease_left_it_does_not_wait(harness: Harness) -> None:
    waits(harness).twilio.looks.extend([False] * 20)
    harness.agent.while_thinking = lambda: harness.clock.move(seconds=60 - 24.5)

    harness.deliver(*harness.customer_writes("tell me everything"))

    assert (len(harness.replies), harness.pauses) == (3, [1])


@pytest.mark.parametrize("author", ["whatsapp:+12025550110", f"visitor-{'0' * 32}"])
def test_on_other_channels_nothing_waits(harness: Harness, author: str) -> None:
    waits(harness)

    harness.deliver(*(replace(message, author=author) for message in harness.customer_writes("hi")))

    assert harness.twilio.looked_at == []


def test_without_the_setting_nothing_waits(harness: Harness) -> None:
    harness.agent.text = LONG

    harness.deliver(*harness.customer_writes("hi"))

    assert (len(harness.replies), harness.twilio.looked_at) == (3, [])
