"""Numbers that no conversation can have move nothing: an index far beyond what Twilio's list shows."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.conversation import MAX_GAPS, MAX_INDEX_JUMP
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, from_human, message_added
from tests.unit.turn.harness import Harness

# From a hundred above what is there, to the highest that a webhook may tell.
far_indices = st.integers(min_value=200, max_value=10**9 - 1) | st.sampled_from([10_000, 10_001, 10**6, 10**9 - 1])


def says_in_turn(harness: Harness, count: int) -> list[str]:
    """Let the customer write so many texts, a turn each, and return the replies that they must read."""
    for number in range(count):
        harness.says(f"text {number}")
    return [f"You said: text {number}" for number in range(count)]


@given(far_index=far_indices, before=st.integers(0, 3), after=st.integers(1, 3))
def test_a_message_far_beyond_what_twilio_lists_is_answered_once_and_moves_nothing(
    far_index: int, before: int, after: int
) -> None:
    harness = Harness()
    replies = says_in_turn(harness, before)
    far = message_added(index=far_index, body="far", at=harness.clock())

    results = [harness.deliver(far), harness.deliver(far)]
    replies += ["You said: far", *says_in_turn(harness, after)]

    assert [result.outcome for result in results] == ["answered", "dropped"]
    assert harness.replies == replies
    last = max(message.index for message in harness.messages)
    assert harness.item.coverage.low_watermark <= last + MAX_GAPS
    assert harness.item.coverage.handled == {far_index}
    assert len(harness.item.coverage.gaps) <= MAX_GAPS


@given(far_indices)
def test_a_message_whose_webhook_was_lost_is_found_below_one_far_beyond_it(far_index: int) -> None:
    harness = Harness()
    harness.says("hi")
    harness.deliver(message_added(index=far_index, body="far", at=harness.clock()))
    harness.customer_writes("lost")

    harness.says("here")

    assert harness.replies[-1] == "You said: lost | here"


@given(far_indices)
def test_a_message_far_beyond_what_twilio_does_not_list_for_a_while_moves_nothing(far_index: int) -> None:
    harness = Harness()
    harness.twilio.outage_until = harness.clock() + timedelta(minutes=6)
    far = message_added(index=far_index, body="far", at=harness.clock())
    (first,) = harness.customer_writes("first")

    harness.deliver_until_it_ends(far)
    harness.deliver(first)

    assert sorted(harness.replies) == ["You said: far", "You said: first"]
    assert len(harness.item.coverage.gaps) <= MAX_GAPS


@given(far_indices)
def test_a_human_far_beyond_what_twilio_lists_hides_no_message(far_index: int) -> None:
    harness = Harness()
    harness.says("hi")
    word = from_human(index=far_index, at=harness.clock())
    harness.conversations.take_over(CONVERSATION, index=far_index, at=word.at)
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.says("again")
    harness.says("and again")

    assert harness.replies[-2:] == ["You said: again", "You said: and again"]


@pytest.mark.parametrize("far_index", [20_000, 10**9 - 1])
@pytest.mark.parametrize("step", [Step.FREEZE, Step.SEND, Step.RECORD])
def test_a_worker_that_dies_over_a_message_far_beyond_the_others_sends_its_reply_once(
    harness: Harness, far_index: int, step: Step
) -> None:
    harness.says("hi")
    far = message_added(index=far_index, body="far", at=harness.clock())
    harness.deliver_and_crash(far, after=step)
    harness.clock.move(seconds=121)

    harness.deliver(far)

    assert harness.replies == ["You said: hi", "You said: far"]


def test_numbers_that_twilio_really_skipped_are_skipped(harness: Harness) -> None:
    harness.says("hi")
    far = message_added(index=10**9 - 1, body="far", at=harness.clock())
    harness.twilio.add(far)

    harness.deliver(far)

    assert harness.item.coverage.covers(far.index)
    assert harness.item.coverage.low_watermark > far.index - MAX_INDEX_JUMP
    assert len(harness.item.coverage.gaps) <= MAX_GAPS
