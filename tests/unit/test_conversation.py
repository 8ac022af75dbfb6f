"""Coverage: which message indices are handled, in whatever order they come; and since when a human is quiet."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.conversation import GAP_TTL, MAX_GAPS, Conversation, Coverage, OwnerReason
from switchboard.events import Owner
from tests.builders import CONVERSATION, NOON

indices = st.sets(st.integers(min_value=0, max_value=60), min_size=1)


@given(st.lists(indices, max_size=8))
def test_an_index_is_covered_exactly_if_it_was_handled(turns: list[set[int]]) -> None:
    coverage = Coverage()

    for handled in turns:
        coverage = coverage.with_handled(handled, now=NOON)

    assert {index for index in range(70) if coverage.covers(index)} == set().union(*turns)


@given(indices, indices)
def test_the_order_of_turns_does_not_matter(first: set[int], second: set[int]) -> None:
    first_then_second = Coverage().with_handled(first, now=NOON).with_handled(second, now=NOON)
    second_then_first = Coverage().with_handled(second, now=NOON).with_handled(first, now=NOON)

    assert first_then_second == second_then_first


@given(indices)
def test_every_index_below_the_handled_ones_is_handled_or_a_gap_that_is_unexplained_until_it_is_looked_for(
    handled: set[int],
) -> None:
    coverage = Coverage().with_handled(handled, now=NOON)
    gaps = frozenset(range(max(handled))) - handled

    looked = coverage.with_handled((), now=NOON, not_found=gaps)

    assert set(coverage.gaps) == gaps
    assert coverage.first_unexplained_below(max(handled) + 1, besides=()) == min(gaps, default=None)
    assert looked.first_unexplained_below(max(handled) + 1, besides=()) is None


def test_what_waits_again_below_a_message_is_unexplained_until_it_is_looked_for() -> None:
    coverage = replace(Coverage().with_handled({0, 1, 2}, now=NOON), requeued=frozenset({1, 4}))

    looked = coverage.with_handled((), now=NOON, not_found=frozenset({1}))

    assert coverage.first_unexplained_below(3, besides=()) == 1
    assert coverage.first_unexplained_below(3, besides=(1,)) is None
    assert looked.first_unexplained_below(3, besides=()) is None
    assert looked.requeued == {1, 4}


def test_a_gap_counts_as_handled_after_a_day() -> None:
    coverage = Coverage().with_handled({1}, now=NOON)

    assert not coverage.covers(0)
    assert coverage.with_handled({2}, now=NOON + GAP_TTL).covers(0)


@given(st.lists(st.sets(st.integers(min_value=0, max_value=900), min_size=1), max_size=5))
def test_among_very_many_messages_none_is_covered_that_was_not_handled(turns: list[set[int]]) -> None:
    coverage = Coverage().with_handled({0}, now=NOON)

    for handled in turns:
        coverage = coverage.with_handled(handled, now=NOON)

    assert {index for index in range(1000) if coverage.covers(index)} == {0}.union(*turns)
    assert len(coverage.gaps) <= MAX_GAPS


def test_our_reply_after_a_thousand_waiting_messages_covers_none_of_them() -> None:
    coverage = Coverage()

    for first in range(0, 1000, 10):
        coverage = coverage.with_handled({*range(first, first + 10), 1000 + first // 10}, now=NOON)
        assert not any(coverage.covers(index) for index in range(first + 10, 1000))

    assert (coverage.low_watermark, coverage.handled, coverage.gaps) == (1099, frozenset(), {})


def test_a_first_message_with_a_huge_index_that_twilio_shows_leaves_a_hundred_gaps_below_it() -> None:
    coverage = Coverage().with_handled({10**9}, now=NOON, highest_shown=10**9)

    assert coverage.low_watermark == 10**9
    assert set(coverage.gaps) == set(range(10**9 - MAX_GAPS, 10**9))


def test_a_human_who_writes_first_at_a_high_index_leaves_no_gaps_far_below() -> None:
    coverage = Coverage(handled=frozenset({5000})).with_handled({5001}, now=NOON, highest_shown=5001)

    assert coverage.low_watermark == 5001
    assert min(coverage.gaps) == 5000 - MAX_GAPS


def test_a_huge_jump_of_the_index_that_twilio_shows_leaves_at_most_a_hundred_gaps() -> None:
    coverage = Coverage().with_handled({0}, now=NOON).with_handled({10**9}, now=NOON, highest_shown=10**9)

    assert len(coverage.gaps) == MAX_GAPS
    assert coverage.covers(10**9)


@given(st.integers(min_value=0, max_value=300), st.integers(min_value=1, max_value=10**12))
def test_an_index_that_twilio_does_not_show_covers_itself_and_nothing_else(messages: int, beyond: int) -> None:
    coverage = Coverage().with_handled(range(messages), now=NOON)

    far = coverage.with_handled({messages + beyond}, now=NOON)

    covered = [index for index in range(messages, messages + beyond + 1)[:200] if far.covers(index)]
    assert covered == ([messages + beyond] if beyond < 200 else [])
    assert far.covers(messages + beyond)
    assert len(far.gaps) <= MAX_GAPS


def test_a_requeued_message_is_not_covered_until_it_is_handled_again() -> None:
    requeued = Coverage(low_watermark=5, requeued=frozenset({3}))

    assert not requeued.covers(3)
    assert requeued.with_handled({3}, now=NOON + timedelta(seconds=1)).covers(3)


@pytest.mark.parametrize("event_after_seconds", [-60, 5])
def test_a_human_is_quiet_since_the_later_of_the_handoff_and_the_last_event_that_set_the_owner(
    event_after_seconds: int,
) -> None:
    event = NOON + timedelta(seconds=event_after_seconds)
    handed_off = Conversation(
        sid=CONVERSATION,
        owner=Owner.HUMAN,
        owner_reason=OwnerReason.HANDOFF,
        owner_since=NOON,
        owner_event_at=event,
    )

    assert handed_off.quiet_since == max(NOON, event)
