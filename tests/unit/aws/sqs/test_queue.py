"""The records of a queue: their message group, and their deduplication id."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from switchboard.aws.sqs.queue import Queue, Record, encoded, read_record
from switchboard.errors import Malformed, Transient
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    DeliveryFailed,
    LifecycleEvent,
    Owner,
    OwnerSet,
)
from switchboard.media import Media
from tests.builders import CONVERSATION, NOON, Clock, message_added, sid

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MESSAGE = message_added(index=0)
PICTURE = replace(
    MESSAGE, media=(Media(content_type="image/png", size=42_056, sid=sid("ME", 1)), Media(content_type=""))
)
CLOSED = ConversationStateUpdated(conversation_sid=CONVERSATION, state=ConversationState.CLOSED, at=NOON)
HANDED_BACK = OwnerSet(conversation_sid=CONVERSATION, owner=Owner.ASSISTANT, at=NOON)
FAILED = DeliveryFailed(
    conversation_sid=CONVERSATION,
    message_sid=sid("IM", 1),
    delivery_receipt_sid=sid("DY", 1),
    status="undelivered",
    error_code=None,
    at=NOON,
)


class Sent:
    """Keeps the records that were sent to SQS."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def send_message(self, **record: Any) -> None:  # noqa: ANN401 -- boto3's
        self.records.append(record)

    def queue(self) -> Queue:
        return Queue(client=cast("SQSClient", self), url="https://sqs/messages.fifo")

    def ids(self) -> list[str]:
        return [record["MessageDeduplicationId"] for record in self.records]


@pytest.mark.parametrize(
    "event", [MESSAGE, PICTURE, CLOSED, HANDED_BACK, FAILED], ids=lambda event: type(event).__name__
)
def test_the_group_of_a_record_is_its_conversation_and_a_repeat_has_the_same_id(event: LifecycleEvent) -> None:
    sent = Sent()

    sent.queue().send(event)
    sent.queue().send(event)

    assert [record["MessageGroupId"] for record in sent.records] == [CONVERSATION, CONVERSATION]
    assert len(set(sent.ids())) == 1


@pytest.mark.parametrize(
    ("event", "deduplication_id"),
    [
        (MESSAGE, f"MessageAdded-{MESSAGE.message_sid}"),
        (CLOSED, f"State-closed-{CONVERSATION}-1772452800.000"),
        (HANDED_BACK, f"Owner-assistant-{CONVERSATION}-1772452800.000"),
        (FAILED, f"Delivery-undelivered-{sid('DY', 1)}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_two_versions_of_the_function_give_an_event_the_same_id(event: LifecycleEvent, deduplication_id: str) -> None:
    sent = Sent()

    sent.queue().send(event)

    assert sent.ids() == [deduplication_id]


@pytest.mark.parametrize(
    "event", [MESSAGE, PICTURE, CLOSED, HANDED_BACK, FAILED], ids=lambda event: type(event).__name__
)
def test_a_record_is_read_with_its_event_and_what_sqs_says_of_it(event: LifecycleEvent) -> None:
    attributes = {"ApproximateReceiveCount": "3", "SentTimestamp": "1772452800250"}
    raw = {"messageId": "record-1", "receiptHandle": "handle-1", "attributes": attributes, "body": encoded(event)}

    assert read_record(raw) == Record(
        message_id="record-1",
        receipt_handle="handle-1",
        receives=3,
        sent_at=NOON + timedelta(milliseconds=250),
        event=event,
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError"),
        (encoded(MESSAGE).replace('"index": 0', '"index": "0"'), "ValueError"),
        (encoded(MESSAGE).replace("+00:00", ""), "ValueError"),
        (encoded(PICTURE).replace("42056", '"42056"'), "ValueError"),
        (encoded(PICTURE).replace("42056", '[], "name": "car.png"'), "TypeError"),
    ],
)
def test_a_record_without_an_event_says_which_record_it_is(body: str, error: str) -> None:
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1772452800250"}
    raw = {"messageId": "record-1", "receiptHandle": "handle-1", "attributes": attributes, "body": body}

    with pytest.raises(Malformed, match=rf"^SQS record record-1 does not carry an event \({error}\)$"):
        read_record(raw)


def test_different_events_of_a_conversation_have_different_ids() -> None:
    sent = Sent()
    later = Clock(NOON)
    later.move(seconds=0.001)

    for event in (
        MESSAGE,
        message_added(index=1),
        CLOSED,
        HANDED_BACK,
        OwnerSet(conversation_sid=CONVERSATION, owner=Owner.HUMAN, at=NOON),
        OwnerSet(conversation_sid=CONVERSATION, owner=Owner.ASSISTANT, at=later()),
        FAILED,
    ):
        sent.queue().send(event)

    assert len(set(sent.ids())) == len(sent.records)


def test_a_message_queued_again_has_another_id_unless_it_is_for_the_same_reason() -> None:
    sent = Sent()
    later = Clock(NOON)
    later.move(seconds=60)

    sent.queue().send(MESSAGE)
    sent.queue().send_again([MESSAGE], since=NOON)
    sent.queue().send_again([MESSAGE], since=NOON)
    sent.queue().send_again([MESSAGE], since=later())

    first, again, repeated, found_later = sent.ids()
    assert again == repeated
    assert len({first, again, found_later}) == 3


def test_a_dead_letter_has_one_id_in_its_turn_and_another_in_each_turn_that_fails_after_a_redrive() -> None:
    sent = Sent()

    for turn in ("T1", "T1", "T2"):
        sent.queue().copy([MESSAGE], turn=turn)

    first, repeated, failed_again = sent.ids()
    assert first == repeated != failed_again


def test_only_a_dead_letter_says_again_so_that_the_version_before_reads_every_other_record() -> None:
    letter = replace(MESSAGE, again=True)

    assert "again" not in json.loads(encoded(MESSAGE))
    assert json.loads(encoded(letter)) == {**json.loads(encoded(MESSAGE)), "again": True}


def test_a_record_of_the_version_before_has_its_files_by_their_types() -> None:
    values = {**json.loads(encoded(MESSAGE)), "media_content_types": ["image/png"]}
    raw = {
        "messageId": "record-1",
        "receiptHandle": "handle-1",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772452800250"},
        "body": json.dumps(values),
    }

    assert read_record(raw).event == replace(MESSAGE, media=(Media(content_type="image/png"),))


def test_what_has_no_files_is_read_by_the_version_before() -> None:
    assert "media" not in json.loads(encoded(MESSAGE))
    assert json.loads(encoded(MESSAGE))["media_content_types"] == []


class FailsOnEntries:
    """Answers batch requests, and fails on some entries as often as a test says."""

    def __init__(self, *, failures: dict[str, int], sender_fault: bool = False) -> None:
        self.failures = failures
        self.sender_fault = sender_fault
        self.requests: list[list[str]] = []

    def change_message_visibility_batch(self, *, Entries: list[dict[str, Any]], **_queue: str) -> dict[str, Any]:  # noqa: N803
        handles = [entry["ReceiptHandle"] for entry in Entries]
        self.requests.append(handles)
        failed = [entry["Id"] for entry in Entries if self.failures.get(entry["ReceiptHandle"], 0)]
        self.failures = {handle: times - (handle in handles) for handle, times in self.failures.items()}
        answer = [{"Id": each, "SenderFault": self.sender_fault} for each in failed]
        return {"Failed": answer} if answer else {}

    def queue(self) -> Queue:
        return Queue(client=cast("SQSClient", self), url="https://sqs/messages.fifo")


def test_an_entry_of_a_batch_that_sqs_failed_on_is_tried_once_more_and_alone() -> None:
    sqs = FailsOnEntries(failures={"b": 1})

    sqs.queue().return_after(["a", "b", "c"], 7)

    assert sqs.requests == [["a", "b", "c"], ["b"]]


def test_an_entry_that_sqs_fails_on_twice_is_transient() -> None:
    sqs = FailsOnEntries(failures={"b": 2, "c": 1})

    with pytest.raises(Transient, match="SQS failed on 1 entries of a batch"):
        sqs.queue().return_after(["a", "b", "c"], 7)

    assert sqs.requests == [["a", "b", "c"], ["b", "c"]]


def test_an_entry_that_the_queue_does_not_know_is_not_tried_again() -> None:
    sqs = FailsOnEntries(failures={"b": 1}, sender_fault=True)

    sqs.queue().return_after(["a", "b"], 7)

    assert sqs.requests == [["a", "b"]]


def test_more_than_ten_records_are_several_requests() -> None:
    sqs = FailsOnEntries(failures={"21": 1})

    sqs.queue().return_after([str(number) for number in range(22)], 7)

    assert [len(request) for request in sqs.requests] == [10, 10, 2, 1]
    assert sqs.requests[-1] == ["21"]
