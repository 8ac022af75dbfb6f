"""The covered set: what is dealt with, whatever order it came in."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from switchboard.conversation import GAP_TTL, MAX_GAPS, Coverage
from tests.builders import NOON

indices = st.sets(st.integers(min_value=0, max_value=60), min_size=1)


@given(st.lists(indices, max_size=8))
def test_exactly_what_was_covered_is_covered(settled: list[set[int]]) -> None:
    coverage = Coverage()

    for covered in settled:
        coverage = coverage.with_handled(covered, now=NOON)

    assert {index for index in range(70) if coverage.covers(index)} == set().union(*settled)


@given(indices, indices)
def test_the_order_of_turns_does_not_matter(first: set[int], second: set[int]) -> None:
    forth = Coverage().with_handled(first, now=NOON).with_handled(second, now=NOON)
    back = Coverage().with_handled(second, now=NOON).with_handled(first, now=NOON)

    assert forth == back


@given(indices)
def test_a_gap_is_told_once_then_it_is_a_hole(covered: set[int]) -> None:
    coverage = Coverage().with_handled(covered, now=NOON)

    assert coverage.first_unknown_below(max(covered) + 1, besides=()) is None
    assert set(coverage.gaps) == set(range(max(covered))) - covered


def test_a_hole_closes_after_a_day() -> None:
    coverage = Coverage().with_handled({1}, now=NOON)

    assert not coverage.covers(0)
    assert coverage.with_handled({2}, now=NOON + GAP_TTL).covers(0)


@given(st.lists(st.sets(st.integers(min_value=0, max_value=900), min_size=1), max_size=5))
def test_of_very_many_messages_none_is_covered_that_was_not(settled: list[set[int]]) -> None:
    coverage = Coverage().with_handled({0}, now=NOON)

    for covered in settled:
        coverage = coverage.with_handled(covered, now=NOON)

    assert {index for index in range(1000) if coverage.covers(index)} == {0}.union(*settled)
    assert len(coverage.gaps) <= MAX_GAPS


def test_a_reply_behind_a_thousand_waiting_messages_covers_none_of_them() -> None:
    coverage = Coverage()

    for first in range(0, 1000, 10):
        coverage = coverage.with_handled({*range(first, first + 10), 1000 + first // 10}, now=NOON)
        assert not any(coverage.covers(index) for index in range(first + 10, 1000))

    assert (coverage.low_watermark, coverage.handled, coverage.gaps) == (1099, frozenset(), {})


def test_a_first_sight_at_a_huge_index_is_quick_small_and_looks_a_little_back() -> None:
    coverage = Coverage().with_handled({10**9}, now=NOON)

    assert coverage.low_watermark == 10**9
    assert set(coverage.gaps) == set(range(10**9 - MAX_GAPS, 10**9))


def test_a_colleague_seen_first_at_a_high_index_opens_no_holes_far_below() -> None:
    coverage = Coverage(handled=frozenset({5000})).with_handled({5001}, now=NOON)

    assert coverage.low_watermark == 5001
    assert min(coverage.gaps) == 5000 - MAX_GAPS


def test_a_huge_skip_is_quick_and_small() -> None:
    coverage = Coverage().with_handled({0}, now=NOON).with_handled({10**9}, now=NOON)

    assert len(coverage.gaps) == MAX_GAPS
    assert coverage.covers(10**9)


def test_a_reopened_message_waits_until_it_is_covered_again() -> None:
    requeued = Coverage(low_watermark=5, requeued=frozenset({3}))

    assert not requeued.covers(3)
    assert requeued.with_handled({3}, now=NOON + timedelta(seconds=1)).covers(3)
