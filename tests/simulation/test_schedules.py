"""A sample of the schedules; `.ci/run` and `make simulate` run them at length."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.__main__ import run_schedules
from tests.simulation.world import World


@pytest.mark.parametrize("window_faults", [False, True])
def test_five_hundred_schedules_keep_every_promise(*, window_faults: bool) -> None:
    failures, _happened = run_schedules(0, 250, window_faults, show=False)

    assert not failures, "\n".join(f"seed {seed}: {why}" for seed, why in failures)


@settings(deadline=None)  # a schedule may take a busy machine any time
@given(seed=st.integers(min_value=0), conversations=st.integers(1, 3), messages=st.integers(1, 5))
def test_no_small_schedule_breaks_a_promise(seed: int, conversations: int, messages: int) -> None:
    World(seed=seed, conversations=conversations, messages=messages, faults=5).run()


def test_a_schedule_is_the_same_each_time() -> None:
    first, second = World(seed=7), World(seed=7)

    first.run()
    second.run()

    assert first.trace == second.trace


def test_different_seeds_give_different_schedules() -> None:
    worlds = [World(seed=seed) for seed in range(20)]

    for world in worlds:
        world.run()

    assert all(one.trace != other.trace for one, other in itertools.pairwise(worlds))
