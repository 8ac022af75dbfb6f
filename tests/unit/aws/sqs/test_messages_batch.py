"""A batch of records: one turn for each conversation, in parallel; each record is deleted or returned on its own."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from switchboard.aws.sqs.queue import encoded
from switchboard.errors import Transient
from switchboard.events import ConversationState, ConversationStateUpdated, MessageAdded
from switchboard.notices import Notice, NoticeReason, NoticeType
from switchboard.turn.result import TurnResult
from tests.builders import NOON, sid
from tests.unit.aws.sqs.harness import Harness, answered, of_conversation, record
from tests.unit.turn.harness import Harness as TurnHarness


def test_a_conversations_records_are_one_turn(harness: Harness) -> None:
    turns: list[list[int]] = []

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        turns.append([message.index for message in messages])
        return answered(messages, done_by)

    returned = harness.answer(
        [record(1, of_conversation(1)), record(2, of_conversation(2)), record(3, of_conversation(1, index=1))],
        take_turn,
    )

    assert sorted(turns) == [[0], [0, 1]]
    assert returned == []


def test_the_turns_of_ten_conversations_run_at_the_same_time(harness: Harness) -> None:
    all_have_started = threading.Barrier(10, timeout=10)

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        all_have_started.wait()
        return answered(messages, done_by)

    returned = harness.answer([record(n, of_conversation(n)) for n in range(10)], take_turn)

    assert returned == []
    assert harness.decisions == ["answered"] * 10


def test_the_records_of_a_settled_turn_are_deleted_while_another_conversation_still_thinks(harness: Harness) -> None:
    first_is_deleted = threading.Event()
    harness.sqs.on_delete = first_is_deleted.set

    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        if messages[0].conversation_sid == sid("CH", 2):
            assert first_is_deleted.wait(timeout=10)
        return answered(messages, done_by)

    returned = harness.answer([record(1, of_conversation(1)), record(2, of_conversation(2))], take_turn)

    assert returned == []
    assert harness.sqs.deleted == ["handle-1"]


def test_one_failing_turn_returns_its_own_records_only(harness: Harness) -> None:
    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        if messages[0].conversation_sid == sid("CH", 1):
            raise RuntimeError("a bug")
        return answered(messages, done_by)

    returned = harness.answer([record(1, of_conversation(1)), record(2, of_conversation(2))], take_turn)

    assert returned == ["record-1"]
    assert harness.errors == ["RuntimeError"]
    assert harness.error_facts == [{"conversation_sid": sid("CH", 1)}]


def test_returned_records_become_visible_after_the_seconds_that_the_turn_says(harness: Harness) -> None:
    returned = harness.answer(
        [record(1, of_conversation(1)), record(2, of_conversation(1, index=1))],
        lambda _messages, _done_by: TurnResult(outcome="retry", retry_after_seconds=7),
    )

    assert returned == ["record-1", "record-2"]
    assert harness.sqs.visible_after == {"handle-1": 7, "handle-2": 7}


def test_three_deliveries_of_one_message_count_as_one_message_and_three_records(harness: Harness) -> None:
    turn = TurnHarness()
    (message,) = turn.customer_writes("hi")

    harness.answer(
        [record(number, message) for number in (1, 2, 3)], lambda messages, _done_by: turn.deliver(*messages)
    )

    assert turn.replies == ["You said: hi"]
    assert harness.facts == [
        {
            "conversation_sid": sid("CH", 1),
            "messages": 1,
            "records": 3,
            "cause": "",
            "channel": "sms",
            "segments": 1,
            "price": "unknown",
        }
    ]


def test_a_reply_that_twilio_lists_twice_is_counted(harness: Harness) -> None:
    harness.answer(
        [record(1, of_conversation(1))],
        lambda messages, done_by: replace(answered(messages, done_by), duplicate_replies=1),
    )

    assert harness.decisions == ["answered", "duplicate_reply"]


def test_a_redriven_message_that_needs_no_answer_is_counted(harness: Harness) -> None:
    turn = TurnHarness()
    (message,) = turn.customer_writes("hi")
    letter = replace(message, again=True)

    for event in (message, letter):
        harness.answer([record(1, event)], lambda messages, _done_by: turn.deliver(*messages))

    assert harness.decisions == ["answered", "dropped", "redrive_skipped"]
    assert harness.facts[-1]["messages"] == 1


def not_claimed(_messages: Sequence[MessageAdded], _done_by: datetime) -> TurnResult:
    raise Transient("DynamoDB answered ThrottlingException")


def test_records_whose_conversation_could_not_be_claimed_come_back_in_seconds(harness: Harness) -> None:
    returned = harness.answer([record(1, of_conversation(1))], not_claimed)

    assert returned == ["record-1"]
    assert harness.sqs.visible_after == {"handle-1": 2}


def test_an_outage_of_the_table_does_not_use_up_what_sqs_delivers(harness: Harness) -> None:
    records = [record(1, of_conversation(1), receives=20), record(2, of_conversation(1, index=1), receives=3)]

    harness.answer(records, not_claimed)

    assert set(harness.sqs.visible_after) == {"handle-1", "handle-2"}
    assert len(set(harness.sqs.visible_after.values())) == 1
    assert all(30 <= seconds <= 60 for seconds in harness.sqs.visible_after.values())


NO_EVENTS = [
    *("[]", "{}", "5", "null", '"text"', "no JSON", "[" * 100_000),
    '{"type": "Nonsense"}',
    '{"type": []}',
    '{"type": "MessageAdded", "at": "noon"}',
    encoded(of_conversation(1)).replace('"index": 0', '"index": "first"'),
    encoded(of_conversation(1)).replace("+00:00", ""),
]


@pytest.mark.parametrize("body", NO_EVENTS, ids=range(len(NO_EVENTS)))
def test_a_record_that_is_not_an_event_becomes_a_dead_letter_and_holds_up_nobody(harness: Harness, body: str) -> None:
    garbage = {**record(1, of_conversation(1)), "body": body}

    returned = harness.answer(
        [garbage, record(2, of_conversation(1, index=1)), record(3, of_conversation(2))], answered
    )

    assert returned == []
    assert harness.decisions == ["answered", "answered"]
    assert harness.errors == ["Malformed"]
    assert harness.sqs.dead_letters == [
        {
            "QueueUrl": "https://sqs/dead-letters.fifo",
            "MessageBody": body,
            "MessageGroupId": sid("CH", 1),
            "MessageDeduplicationId": "record-1",
        }
    ]


def test_a_record_that_is_not_an_event_comes_back_if_it_cannot_be_copied(harness: Harness) -> None:
    harness.sqs.refuses = True
    garbage = {**record(1, of_conversation(1)), "body": "{}"}

    returned = harness.answer([garbage, record(2, of_conversation(1, index=1))], answered)

    assert returned == ["record-1"]
    assert harness.decisions == ["answered"]
    assert harness.errors == ["Malformed", "Transient"]
    assert harness.sqs.visible_after == {"handle-1": 2}


def test_everything_that_fails_in_a_batch_comes_back_whatever_fails_with_it(harness: Harness) -> None:
    harness.sqs.refuses = True
    harness.conversations.fails = {"read_unclaimed": RuntimeError("a bug")}
    garbage = [{**record(number, of_conversation(1)), "body": "{}"} for number in (1, 2)]
    waiting = [record(3, of_conversation(3), age_seconds=1), record(4, of_conversation(4), age_seconds=1)]
    unreadable = [record(number, of_conversation(number), receives=2) for number in (5, 6)]

    returned = harness.answer([*garbage, *waiting, *unreadable], answered, coalesce_seconds=5)

    assert sorted(returned) == [f"record-{number}" for number in range(1, 7)]


def test_a_lifecycle_event_on_the_messages_queue_becomes_a_dead_letter(harness: Harness) -> None:
    event = ConversationStateUpdated(conversation_sid=sid("CH", 1), state=ConversationState.CLOSED, at=NOON)

    returned = harness.answer([record(1, event)], answered)

    assert returned == []
    assert [letter["MessageBody"] for letter in harness.sqs.dead_letters] == [encoded(event)]


def test_young_records_wait_for_others_before_they_are_answered(harness: Harness) -> None:
    returned = harness.answer(
        [record(1, of_conversation(1), age_seconds=2), record(2, of_conversation(1, index=1))],
        answered,
        coalesce_seconds=5,
    )

    assert returned == ["record-1", "record-2"]
    assert harness.sqs.visible_after == {"handle-1": 3, "handle-2": 3}
    assert harness.decisions == ["coalescing"]
    assert harness.facts == [{"conversation_sid": sid("CH", 1)}]


@pytest.mark.parametrize(("age_seconds", "waits"), [(0.02, True), (0.4, True), (0.6, False), (2, False)])
def test_a_wait_of_a_second_is_half_a_second_longer_or_shorter_and_never_twice_as_long(
    harness: Harness, age_seconds: float, *, waits: bool
) -> None:
    harness.answer([record(1, of_conversation(1), age_seconds=age_seconds)], answered, coalesce_seconds=1)

    assert harness.sqs.visible_after == ({"handle-1": 1} if waits else {})


def test_records_that_have_waited_are_answered_on_their_second_receive(harness: Harness) -> None:
    returned = harness.answer(
        [record(1, of_conversation(1), age_seconds=2, receives=2), record(2, of_conversation(1, index=1))],
        answered,
        coalesce_seconds=5,
    )

    assert returned == []


def handed_off(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
    """Return the result of a turn that makes a notice due."""
    notice = Notice(
        id="T1",
        type=NoticeType.HUMAN_NEEDED,
        reason=NoticeReason.HANDOFF,
        conversation_sid=messages[0].conversation_sid,
        at=NOON,
        turn="T1",
    )
    return replace(answered(messages, done_by), outcome="handed_off", notice=notice)


def test_people_are_told_once_the_records_are_deleted(harness: Harness) -> None:
    returned = harness.answer([record(1, of_conversation(1))], handed_off)

    assert returned == []
    assert [notice.conversation_sid for notice in harness.bus.published] == [sid("CH", 1)]
    assert harness.deleted_before_publishing == ["handle-1"]
    assert harness.decisions == ["handed_off", "notified"]
    assert harness.facts[-1] == {
        "conversation_sid": sid("CH", 1),
        "notice": "T1",
        "type": "HumanNeeded",
        "reason": "handoff",
        "count": 1,
    }


def test_a_new_owner_is_shown_at_twilio_in_the_time_that_the_process_has_left(harness: Harness) -> None:
    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        return replace(answered(messages, done_by), owner_changed=True)

    harness.answer([record(1, of_conversation(1))], take_turn, seconds=60)

    assert harness.shown == [(sid("CH", 1), NOON + timedelta(seconds=60))]
    assert harness.bus.published == []


def test_a_turn_keeps_its_verdict_where_people_cannot_be_told(harness: Harness) -> None:
    harness.bus_error = Transient("EventBridge is away")

    returned = harness.answer([record(1, of_conversation(1))], handed_off)

    assert (returned, harness.decisions, harness.errors) == ([], ["handed_off"], ["Transient"])


@pytest.mark.parametrize(("seconds_left", "decisions"), [(8, ["handed_off", "notified"]), (7, ["handed_off"])])
def test_the_sweeper_is_left_to_tell_people_where_the_process_has_less_than_eight_seconds_left(
    harness: Harness, seconds_left: int, decisions: list[str]
) -> None:
    def take_turn(messages: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        harness.clock.move(seconds=60 - seconds_left)
        return handed_off(messages, done_by)

    harness.answer([record(1, of_conversation(1))], take_turn, seconds=60)

    assert harness.decisions == decisions
