"""A batch with a conversation whose last worker died: the others are answered first, and a crash charges only it."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from switchboard.errors import Transient
from switchboard.events import MessageAdded
from switchboard.turn.result import TurnResult
from tests.builders import NOON, sid
from tests.unit.aws.sqs.harness import Harness, answered, of_conversation, record

ONE, TWO, THREE = (sid("CH", number) for number in (1, 2, 3))
LEASE = timedelta(seconds=60)


class ProcessDied(BaseException):
    """What a test raises in a turn to end the process: nothing catches it."""


def a_worker_dies(harness: Harness, *sids: str) -> None:
    """Let a worker claim conversations and die; its leases end."""
    for number, conversation_sid in enumerate(sids):
        harness.conversations.claim(
            conversation_sid,
            messages=frozenset(),
            redriven=frozenset(),
            turn=f"turn {number}",
            token=f"dead {number}",
            told_at=harness.clock(),
            now=harness.clock(),
            lease_until=harness.clock() + LEASE,
        )
    harness.clock.move(seconds=120)


def delivered_again(*numbers: int) -> list[dict[str, object]]:
    return [record(number, of_conversation(number), receives=2) for number in numbers]


def test_a_suspect_is_claimed_when_the_others_have_ended_and_their_records_are_deleted(harness: Harness) -> None:
    a_worker_dies(harness, ONE)
    deleted_before: dict[str, list[str]] = {}

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        deleted_before[messages[0].conversation_sid] = list(harness.sqs.deleted)
        return answered(messages, done_by)

    returned = harness.answer(delivered_again(1, 2, 3), take_turn)

    assert sorted(deleted_before[ONE]) == ["handle-2", "handle-3"]
    assert returned == []


def test_a_suspect_that_kills_the_process_again_costs_the_others_nothing(harness: Harness) -> None:
    a_worker_dies(harness, ONE, TWO)
    harness.conversations.close_empty(harness.conversations.items[TWO])

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        if messages[0].conversation_sid == ONE:
            raise ProcessDied
        return answered(messages, done_by)

    with pytest.raises(ProcessDied):
        harness.answer(delivered_again(1, 2), take_turn)

    assert harness.sqs.deleted == ["handle-2"]
    assert harness.decisions == ["answered"]


def test_the_others_think_half_of_the_time_and_the_suspect_to_the_end(harness: Harness) -> None:
    a_worker_dies(harness, ONE)
    done_by: dict[str, datetime] = {}

    def take_turn(messages: Sequence[MessageAdded], until: datetime) -> TurnResult:
        done_by[messages[0].conversation_sid] = until
        return answered(messages, until)

    began = harness.clock()
    harness.answer(delivered_again(1, 2), take_turn)

    assert done_by == {TWO: began + LEASE / 2, ONE: began + LEASE}


def test_of_several_suspects_one_is_taken_and_the_others_are_visible_again_before_it_begins(harness: Harness) -> None:
    a_worker_dies(harness, ONE, TWO, THREE)
    visible_after: list[dict[str, int]] = []
    taken: list[str] = []

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        taken.append(messages[0].conversation_sid)
        visible_after.append(dict(harness.sqs.visible_after))
        return answered(messages, done_by)

    returned = harness.answer(delivered_again(1, 2, 3), take_turn)

    assert taken == [ONE]
    assert visible_after == [{"handle-2": 0, "handle-3": 0}]
    assert returned == ["record-2", "record-3"]
    assert harness.decisions == ["put_off", "put_off", "answered"]
    assert [facts["cause"] for facts in harness.facts[:2]] == ["another suspect is taken"] * 2
    assert {harness.conversations.items[each].attempts for each in (TWO, THREE)} == {1}


def test_a_suspect_for_which_the_others_leave_no_time_goes_back_uncharged_and_is_taken_first_next_time(
    harness: Harness,
) -> None:
    a_worker_dies(harness, ONE, THREE)
    taken: list[str] = []

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        taken.append(messages[0].conversation_sid)
        harness.clock.move(seconds=31)
        return answered(messages, done_by)

    assert harness.answer(delivered_again(1, 2), take_turn) == ["record-1"]
    assert harness.sqs.visible_after == {"handle-1": 0}
    assert harness.facts[-1]["cause"] == "no time is left for a suspect"
    assert harness.conversations.items[ONE].attempts == 1

    assert harness.answer(delivered_again(2, 3, 1), take_turn) == ["record-3", "record-2"]
    assert "a suspect is taken alone" in [facts["cause"] for facts in harness.facts]
    assert taken == [TWO, ONE]


def test_a_suspect_that_cannot_be_marked_goes_back_all_the_same(harness: Harness) -> None:
    a_worker_dies(harness, ONE)
    harness.conversations.fails = {"let_go_first": Transient("DynamoDB answered ThrottlingException")}

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        harness.clock.move(seconds=31)
        return answered(messages, done_by)

    assert harness.answer(delivered_again(1, 2), take_turn) == ["record-1"]
    assert (harness.decisions, harness.errors) == (["answered", "put_off"], ["Transient"])


def test_a_conversation_whose_worker_still_has_time_goes_back_until_its_lease_ends_unclaimed(harness: Harness) -> None:
    a_worker_dies(harness, ONE)
    harness.clock.now = NOON + timedelta(seconds=20)

    assert harness.answer(delivered_again(1, 2), answered) == ["record-1"]

    assert harness.sqs.visible_after == {"handle-1": 40}
    assert harness.decisions == ["busy", "answered"]


def test_a_conversation_that_is_delivered_for_the_first_time_is_not_read(harness: Harness) -> None:
    harness.conversations.fails = {"read_unclaimed": RuntimeError("was read")}

    assert harness.answer([record(1, of_conversation(1))], answered) == []
    assert harness.errors == []


@pytest.mark.parametrize(
    ("error", "visible_after"),
    [(Transient("DynamoDB answered ThrottlingException"), {"handle-1": 2}), (RuntimeError("a bug"), {})],
)
def test_a_conversation_that_cannot_be_read_comes_back_and_the_others_are_answered(
    harness: Harness, error: Exception, visible_after: dict[str, int]
) -> None:
    harness.conversations.fails = {"read_unclaimed": error}

    returned = harness.answer([*delivered_again(1), record(2, of_conversation(2))], answered)

    assert returned == ["record-1"]
    assert harness.decisions == ["answered"]
    assert (harness.errors, harness.error_facts) == ([type(error).__name__], [{"conversation_sid": ONE}])
    assert set(harness.sqs.visible_after) == set(visible_after)


def test_ten_conversations_that_were_delivered_before_are_read_at_the_same_time(harness: Harness) -> None:
    all_are_read = threading.Barrier(10, timeout=10)
    harness.conversations.on_read = all_are_read.wait

    returned = harness.answer(delivered_again(*range(10)), answered)

    assert returned == []
    assert harness.errors == []
