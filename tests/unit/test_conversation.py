"""The covered set: what is dealt with, whatever order it came in."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from switchboard.conversation import HOLE_LIVES, MOST_HOLES, Coverage
from tests.builders import NOON

indices = st.sets(st.integers(min_value=0, max_value=60), min_size=1)


@given(st.lists(indices, max_size=8))
def test_exactly_what_was_covered_is_covered(settled: list[set[int]]) -> None:
    coverage = Coverage()

    for covered in settled:
        coverage = coverage.with_covered(covered, now=NOON)

    assert {index for index in range(70) if coverage.covers(index)} == set().union(*settled)


@given(indices, indices)
def test_the_order_of_turns_does_not_matter(first: set[int], second: set[int]) -> None:
    forth = Coverage().with_covered(first, now=NOON).with_covered(second, now=NOON)
    back = Coverage().with_covered(second, now=NOON).with_covered(first, now=NOON)

    assert forth == back


@given(indices)
def test_a_gap_is_told_once_then_it_is_a_hole(covered: set[int]) -> None:
    coverage = Coverage().with_covered(covered, now=NOON)

    assert coverage.first_unseen_below(max(covered) + 1, besides=()) is None
    assert set(coverage.holes) == set(range(max(covered))) - covered


def test_a_hole_closes_after_a_day() -> None:
    coverage = Coverage().with_covered({1}, now=NOON)

    assert not coverage.covers(0)
    assert coverage.with_covered({2}, now=NOON + HOLE_LIVES).covers(0)


def test_only_the_newest_holes_are_kept() -> None:
    coverage = Coverage().with_covered({MOST_HOLES + 50}, now=NOON)

    assert len(coverage.holes) == MOST_HOLES
    assert min(coverage.holes) == 50


def test_a_first_sight_at_a_huge_index_is_quick_and_small() -> None:
    assert len(Coverage().with_covered({10**9}, now=NOON).holes) == MOST_HOLES


def test_a_reopened_message_waits_until_it_is_covered_again() -> None:
    reopened = Coverage(floor=5, reopened=frozenset({3}))

    assert not reopened.covers(3)
    assert reopened.with_covered({3}, now=NOON + timedelta(seconds=1)).covers(3)
