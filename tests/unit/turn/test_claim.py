"""Claim: one worker at a time has a conversation."""

import pytest

from switchboard.errors import Transient
from switchboard.turn.result import TurnResult
from tests.unit.turn.harness import Harness


def deliver_to_two_workers(harness: Harness) -> TurnResult:
    """Deliver a message twice, the second time while the first worker thinks; return the second worker's result."""
    messages = harness.customer_writes("hi")
    second_results: list[TurnResult] = []
    harness.agent.while_thinking = lambda: second_results.append(harness.deliver(*messages))
    harness.deliver(*messages)
    (second,) = second_results
    return second


def test_two_workers_never_work_on_one_conversation(harness: Harness) -> None:
    second = deliver_to_two_workers(harness)

    assert (second.outcome, second.acknowledged) == ("busy", frozenset())
    assert harness.replies == ["You said: hi"]


def test_records_of_a_busy_conversation_come_back_when_its_lease_ends(harness: Harness) -> None:
    assert deliver_to_two_workers(harness).retry_after_seconds == 60


def test_a_busy_conversation_costs_no_attempt(harness: Harness) -> None:
    harness.agent.errors = [Transient("the model is away")]

    deliver_to_two_workers(harness)

    assert harness.item.attempts == 0


@pytest.mark.parametrize("seconds", [60, 61])
def test_a_lease_that_has_ended_keeps_nobody_out(harness: Harness, seconds: int) -> None:
    messages = harness.customer_writes("hi")
    second_results: list[TurnResult] = []

    def outlive_the_lease() -> None:
        harness.agent.while_thinking = lambda: None
        harness.clock.move(seconds=seconds)
        second_results.append(harness.deliver(*messages))

    harness.agent.while_thinking = outlive_the_lease
    first = harness.deliver(*messages)

    assert [result.outcome for result in second_results] == ["answered"]
    assert first.outcome == "fenced"
    assert harness.replies == ["You said: hi"]
