"""The plan of a batch: a conversation that may kill the process is taken alone, and nobody waits for it in vain."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.aws.sqs.batch_plan import BatchPlan, plan_batch
from switchboard.conversation import Conversation
from tests.builders import NOON, sid

LEASE = timedelta(seconds=60)


def unclaimed(number: int) -> Conversation:
    return Conversation(sid=sid("CH", number))


def suspect(number: int, *, seconds_ago: float = 60, goes_first: bool = False) -> Conversation:
    """Return a conversation whose last worker died; its lease ended so many seconds ago."""
    return Conversation(
        sid=sid("CH", number),
        fencing_token=5,
        lease_fencing_token=5,
        lease_token="dead",
        lease_until=NOON - timedelta(seconds=seconds_ago),
        goes_first=goes_first,
    )


def busy(number: int, *, seconds: float = 30) -> Conversation:
    return suspect(number, seconds_ago=-seconds)


def plan(*items: Conversation, seconds: float = 60) -> BatchPlan:
    """Plan a batch of these conversations, all delivered before, in a process that has so many seconds."""
    return plan_batch(
        [item.sid for item in items],
        {item.sid: item for item in items},
        now=NOON,
        lease_until=NOON + timedelta(seconds=seconds),
    )


def test_conversations_that_are_delivered_for_the_first_time_are_taken_together_until_the_end() -> None:
    planned = plan_batch([sid("CH", 1), sid("CH", 2)], {}, now=NOON, lease_until=NOON + LEASE)

    assert planned == BatchPlan(together=(sid("CH", 1), sid("CH", 2)), last=None, returned={}, done_by=NOON + LEASE)


def test_a_suspect_is_taken_last_and_the_others_leave_it_half_of_the_time() -> None:
    planned = plan(suspect(1), unclaimed(2), unclaimed(3))

    assert planned.together == (sid("CH", 2), sid("CH", 3))
    assert planned.last == suspect(1)
    assert planned.done_by == NOON + LEASE / 2


def test_a_suspect_without_others_has_all_the_time() -> None:
    planned = plan(suspect(1))

    assert (planned.together, planned.last, planned.done_by) == ((), suspect(1), NOON + LEASE)


def test_of_several_suspects_the_one_that_waits_longest_is_taken_and_the_others_go_back_at_once() -> None:
    planned = plan(suspect(1), suspect(2, seconds_ago=90), suspect(3), unclaimed(4))

    assert planned.last == suspect(2, seconds_ago=90)
    assert planned.together == (sid("CH", 4),)
    results = {sid: (result.outcome, result.retry_after_seconds) for sid, result in planned.returned.items()}
    assert results == {sid("CH", 1): ("put_off", 0), sid("CH", 3): ("put_off", 0)}


def test_a_suspect_that_got_no_time_is_preferred_and_taken_alone() -> None:
    first = suspect(3, goes_first=True)

    planned = plan(suspect(1, seconds_ago=90), unclaimed(2), first)

    assert (planned.together, planned.last, planned.done_by) == ((), first, NOON + LEASE)
    assert {result.retry_after_seconds for result in planned.returned.values()} == {0}
    assert planned.returned.keys() == {sid("CH", 1), sid("CH", 2)}


def test_where_half_of_the_time_is_not_enough_for_a_turn_a_suspect_is_taken_alone() -> None:
    assert plan(suspect(1), unclaimed(2), seconds=39).together == ()
    assert plan(suspect(1), unclaimed(2), seconds=40).together == (sid("CH", 2),)


def test_a_conversation_whose_worker_still_has_time_goes_back_until_its_lease_ends() -> None:
    planned = plan(busy(1, seconds=29.5), unclaimed(2))

    result = planned.returned[sid("CH", 1)]
    assert (result.outcome, result.retry_after_seconds) == ("busy", 30)
    assert planned.together == (sid("CH", 2),)


@pytest.mark.parametrize("seconds_ago", [-30, 60])
def test_whoever_raised_the_fencing_token_took_the_conversation_from_its_worker(seconds_ago: int) -> None:
    taken = replace(suspect(1, seconds_ago=seconds_ago), fencing_token=6)

    assert plan(taken).together == (taken.sid,)


type Kind = Callable[[int], Conversation]

KINDS: st.SearchStrategy[Kind] = st.sampled_from(
    [unclaimed, suspect, busy, lambda number: suspect(number, goes_first=True)],
)


@given(kinds=st.lists(KINDS, max_size=10), seconds=st.floats(0, 900))
def test_each_conversation_is_taken_once_or_goes_back_and_a_suspect_only_alone(
    kinds: list[Kind], seconds: float
) -> None:
    items = [kind(number) for number, kind in enumerate(kinds)]

    planned = plan(*items, seconds=seconds)

    last = [planned.last.sid] if planned.last else []
    assert sorted([*planned.together, *last, *planned.returned]) == [item.sid for item in items]
    suspects = {item.sid for item in items if item.is_suspect(NOON)}
    assert not suspects & set(planned.together)
    assert bool(suspects) == bool(last)
    assert planned.done_by <= NOON + timedelta(seconds=seconds)
