"""The cause of a turn that waits or falls back: the log's answer to "why did this customer get no answer yet?"."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from switchboard.errors import Transient
from switchboard.turn.context import Step
from switchboard.turn.result import TurnResult
from tests.builders import CONVERSATION
from tests.unit.turn.harness import Harness


def workers_died(harness: Harness) -> TurnResult:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash_repeatedly(*messages, after=Step.THINK, times=3)
    return harness.deliver(*messages)


def the_time_is_over(harness: Harness) -> TurnResult:
    harness.done_within_seconds = 15
    return harness.deliver(*harness.customer_writes("hi"))


def the_agent_says_nothing(harness: Harness) -> TurnResult:
    harness.agent.texts = [" \n"]
    return harness.deliver(*harness.customer_writes("hi"))


def the_list_is_behind(harness: Harness) -> TurnResult:
    first, second = harness.customer_writes("one", "two")
    harness.agent.errors = [Transient("away")]
    harness.deliver(first, second)
    harness.twilio.unlisted = {second.index}
    return harness.deliver(first)


def twilio_lists_nothing(harness: Harness) -> TurnResult:
    _late, message = harness.customer_writes("one", "two")
    harness.twilio.outage_until = harness.clock() + timedelta(minutes=1)
    return harness.deliver(message)


def the_lease_ends(harness: Harness) -> TurnResult:
    harness.agent.while_thinking = lambda: harness.clock.move(seconds=48.5)
    return harness.deliver(*harness.customer_writes("hi"))


def twilio_takes_nothing(harness: Harness) -> TurnResult:
    harness.twilio.post_ends.append("not_sent")
    return harness.deliver(*harness.customer_writes("hi"))


def twilio_does_not_answer(harness: Harness) -> TurnResult:
    harness.twilio.post_ends.append("response_lost")
    return harness.deliver(*harness.customer_writes("hi"))


def a_look_fails(harness: Harness) -> TurnResult:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.clock.move(seconds=91)
    harness.twilio.outage_until = harness.clock() + timedelta(minutes=1)
    return harness.deliver(*messages)


CAUSES: list[tuple[Callable[[Harness], TurnResult], str, str]] = [
    (workers_died, "fell_back", "3 workers died over this turn"),
    (the_time_is_over, "retry", f"{CONVERSATION}: no time is left to think"),
    (the_agent_says_nothing, "retry", "id1: the agent returned an empty answer"),
    (the_list_is_behind, "retry", f"{CONVERSATION}: Twilio does not list a message of the open turn yet"),
    (twilio_lists_nothing, "retry", f"{CONVERSATION}: 503"),
    (the_lease_ends, "retry", f"{CONVERSATION}: too little of the lease is left for a POST"),
    (twilio_takes_nothing, "retry", f"{CONVERSATION}: 429"),
    (twilio_does_not_answer, "looking", f"{CONVERSATION}: timed out"),
    (a_look_fails, "looking", f"{CONVERSATION}: 503"),
]


@pytest.mark.parametrize(("happens", "outcome", "cause"), CAUSES, ids=[each[0].__name__ for each in CAUSES])
def test_a_turn_without_an_answer_says_why(
    harness: Harness, happens: Callable[[Harness], TurnResult], outcome: str, cause: str
) -> None:
    result = happens(harness)

    assert (result.outcome, result.cause) == (outcome, cause)


@pytest.mark.parametrize(("seconds", "outcome"), [(15, "retry"), (15.5, "answered")])
def test_an_agent_is_asked_while_any_time_is_left(harness: Harness, seconds: float, outcome: str) -> None:
    harness.done_within_seconds = seconds

    assert harness.deliver(*harness.customer_writes("hi")).outcome == outcome


@pytest.mark.parametrize(("seconds", "posts"), [(48, 1), (48.5, 0)])
def test_a_post_needs_twelve_seconds_of_the_lease(harness: Harness, seconds: float, posts: int) -> None:
    harness.agent.while_thinking = lambda: harness.clock.move(seconds=seconds)

    harness.deliver(*harness.customer_writes("hi"))

    assert harness.twilio.post_count == posts


@pytest.mark.parametrize(("seconds", "outcome"), [(299, "retry"), (300, "fell_back")])
def test_a_turn_is_tried_until_the_time_is_over_in_which_it_should_be_answered(
    harness: Harness, seconds: int, outcome: str
) -> None:
    harness.agent.errors = [Transient("away")] * 2
    messages = harness.customer_writes("hi")
    harness.deliver(*messages)

    harness.clock.move(seconds=seconds)

    result = harness.deliver(*messages)
    assert (result.outcome, result.cause) == (outcome, "away")
