"""Timing: how long a record waits between two tries."""

from datetime import timedelta
from itertools import pairwise

from switchboard.errors import Transient
from switchboard.turn.timing import MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS, backoff_seconds
from tests.builders import turn_settings
from tests.unit.turn.harness import Harness


def test_the_waits_between_tries_double_from_2_to_60_seconds(harness: Harness) -> None:
    harness.settings = turn_settings(answer_within=timedelta(hours=1))
    harness.agent.errors = [Transient("away")] * 12

    results = harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    waits = [result.retry_after_seconds for result in results[:-1]]
    assert waits[0] == MIN_BACKOFF_SECONDS
    assert all(later <= 3 * earlier for earlier, later in pairwise(waits))
    assert waits[-1] == MAX_BACKOFF_SECONDS
    assert sum(waits[:6]) <= 90


def test_two_workers_do_not_come_back_at_the_same_time() -> None:
    waits = {backoff_seconds(timedelta(seconds=40), f"token-{number}") for number in range(50)}

    assert len(waits) > 10
    assert all(30 <= wait <= 50 for wait in waits)
