"""Timing: how long a record waits between two attempts."""

import pytest

from switchboard.errors import Transient
from switchboard.turn.timing import MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS
from tests.builders import turn_settings
from tests.unit.turn.harness import Harness


@pytest.mark.parametrize(("attempt", "most"), [(1, 4), (2, 8), (3, 16), (4, 30), (5, 30), (9, 30)])
def test_the_pause_between_attempts_grows_with_them_up_to_half_a_minute(
    harness: Harness, attempt: int, most: int
) -> None:
    harness.settings = turn_settings(max_attempts=20)
    messages = harness.customer_writes("hi")
    harness.agent.errors = [Transient("away")] * attempt

    *_, last = harness.deliver_repeatedly(*messages, times=attempt)

    assert MIN_BACKOFF_SECONDS <= last.retry_after_seconds <= most <= MAX_BACKOFF_SECONDS


def test_two_workers_do_not_come_back_at_the_same_time(harness: Harness) -> None:
    harness.settings = turn_settings(max_attempts=20)
    messages = harness.customer_writes("hi")
    harness.agent.errors = [Transient("away")] * 12

    pauses = {result.retry_after_seconds for result in harness.deliver_repeatedly(*messages, times=12)[4:]}

    assert len(pauses) > 3
