"""The local event source mapping behaves as Lambda's does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.aws.event_source_mapping import EventSourceMapping, MappingSpec
from local.aws.execution_environment import CannotStart, Crashed
from local.aws.ministack import REGION, LocalAws
from tests.waiting import wait_until

type Event = Any  # JSON
type Handler = Callable[[list[dict[str, Any]]], object]


class FakeFunction:
    """Keeps the batches it was invoked with; each invocation returns what `handler` returns."""

    def __init__(self, handler: Handler) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.replacements = 0
        self.may_start = threading.Event()
        self.may_start.set()
        self.handler = handler

    def wait_until_ready(self) -> None:
        if not self.may_start.is_set():
            raise CannotStart("SyntaxError")

    def invoke(self, event: Event) -> object:
        self.batches.append(event["Records"])
        return self.handler(event["Records"])

    def bodies(self) -> list[list[str]]:
        return [[record["body"] for record in batch] for batch in self.batches]


class Queue:
    """A FIFO queue with a visibility timeout of a second, or another."""

    def __init__(self, aws: LocalAws, name: str, *, visibility_timeout: int = 1) -> None:
        self.client = aws.client("sqs")
        attributes = {"FifoQueue": "true", "VisibilityTimeout": str(visibility_timeout)}
        self.url = self.client.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{REGION}:000000000000:{name}.fifo"

    def send(self, *bodies: str, group: str = "CH1") -> None:
        for body in bodies:
            self.client.send_message(
                QueueUrl=self.url,
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=f"{group}-{body}",
                MessageAttributes={"trace": {"DataType": "String", "StringValue": "t1"}},
            )

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@pytest.fixture
def queue(aws: LocalAws, request: pytest.FixtureRequest) -> Queue:
    return Queue(aws, request.node.name[:60])


@contextmanager
def polling(
    queue: Queue, function: FakeFunction, *, pollers: int = 1, reports_item_failures: bool = True
) -> Iterator[EventSourceMapping]:
    spec = MappingSpec(
        queue_url=queue.url,
        queue_arn=queue.arn,
        region=REGION,
        batch_size=10,
        reports_item_failures=reports_item_failures,
    )
    running = EventSourceMapping(spec, function, client=queue.client, pollers=pollers)
    try:
        yield running
    finally:
        running.stop()
        running.join()


def succeed(_records: list[dict[str, Any]]) -> object:
    return {"batchItemFailures": []}


def test_a_record_has_the_fields_of_lambda(queue: Queue) -> None:
    function = FakeFunction(succeed)
    queue.send("hello")

    with polling(queue, function):
        wait_until(lambda: function.batches and queue.left() == 0)

    ((record,),) = function.batches
    attributes = record.pop("attributes")
    assert attributes["MessageGroupId"] == "CH1"
    assert attributes["MessageDeduplicationId"] == "CH1-hello"
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes.keys() >= {"SentTimestamp", "SequenceNumber", "SenderId", "ApproximateFirstReceiveTimestamp"}
    assert record.pop("messageId")
    assert record.pop("receiptHandle")
    assert record.pop("md5OfMessageAttributes")
    assert record == {
        "body": "hello",
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "messageAttributes": {
            "trace": {"stringValue": "t1", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    }


def test_waiting_messages_come_in_batches_of_at_most_ten_and_in_order(queue: Queue) -> None:
    function = FakeFunction(succeed)
    queue.send(*(f"m{number:02}" for number in range(12)))

    with polling(queue, function):
        wait_until(lambda: queue.left() == 0)

    assert [len(batch) for batch in function.batches] == [10, 2]
    assert [body for batch in function.bodies() for body in batch] == [f"m{number:02}" for number in range(12)]


def test_a_disabled_mapping_leaves_messages_in_the_queue_until_it_is_enabled(queue: Queue) -> None:
    function = FakeFunction(succeed)

    with polling(queue, function, pollers=2) as mapping:
        with mapping.disabled():
            for number in range(10):
                queue.send("hello", group=f"CH{number}")
            assert queue.left() == 10
        wait_until(lambda: queue.left() == 0)

    assert [len(batch) for batch in function.batches] == [10]


def test_only_the_reported_records_come_back(queue: Queue) -> None:
    def fail_the_second_once(records: list[dict[str, Any]]) -> object:
        failed = [
            record["messageId"]
            for record in records
            if record["body"] == "second" and record["attributes"]["ApproximateReceiveCount"] == "1"
        ]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    function = FakeFunction(fail_the_second_once)
    queue.send("first", "second")

    with polling(queue, function):
        wait_until(lambda: queue.left() == 0)

    assert function.bodies() == [["first", "second"], ["second"]]


@pytest.mark.parametrize(
    "response",
    ["no object", {"batchItemFailures": [{"itemIdentifier": ""}]}, {"batchItemFailures": [{"wrong": "name"}]}],
)
def test_a_response_that_lambda_cannot_read_returns_the_whole_batch(aws: LocalAws, response: object) -> None:
    queue = Queue(aws, f"unreadable-{abs(hash(str(response)))}")
    responses = iter([response])
    function = FakeFunction(lambda _records: next(responses, None))
    queue.send("first", "second")

    with polling(queue, function):
        wait_until(lambda: queue.left() == 0)

    assert function.bodies() == [["first", "second"], ["first", "second"]]


def test_after_a_crash_the_batch_comes_back_when_the_visibility_timeout_ends(queue: Queue) -> None:
    def crash_once(records: list[dict[str, Any]]) -> object:
        if records[0]["attributes"]["ApproximateReceiveCount"] == "1":
            raise Crashed("SIGKILL")
        return None

    function = FakeFunction(crash_once)
    queue.send("first", "second")

    with polling(queue, function):
        wait_until(lambda: queue.left() == 0)

    assert function.bodies() == [["first", "second"], ["first", "second"]]


def test_item_failures_are_ignored_unless_the_mapping_declares_them(queue: Queue) -> None:
    function = FakeFunction(lambda records: {"batchItemFailures": [{"itemIdentifier": records[0]["messageId"]}]})
    queue.send("first")

    with polling(queue, function, reports_item_failures=False):
        wait_until(lambda: queue.left() == 0)

    assert function.bodies() == [["first"]]


def test_no_message_is_received_while_the_code_cannot_be_imported(queue: Queue) -> None:
    function = FakeFunction(succeed)
    function.may_start.clear()
    queue.send("first")

    with polling(queue, function):
        wait_until(lambda: queue.left() == 1)
        function.may_start.set()
        wait_until(lambda: queue.left() == 0)

    ((record,),) = function.batches
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_busy_group_does_not_hold_up_another(queue: Queue) -> None:
    slow = threading.Event()

    def wait_in_one_group(records: list[dict[str, Any]]) -> object:
        if records[0]["attributes"]["MessageGroupId"] == "CH1":
            slow.wait(10)
        else:
            slow.set()
        return None

    function = FakeFunction(wait_in_one_group)

    with polling(queue, function, pollers=2):
        queue.send("slow", group="CH1")
        wait_until(lambda: function.batches)
        queue.send("quick", group="CH2")
        wait_until(lambda: queue.left() == 0)

    assert slow.is_set()
    assert function.bodies() == [["slow"], ["quick"]]


def crash(_records: list[dict[str, Any]]) -> object:
    raise Crashed("SIGKILL")


def fail(records: list[dict[str, Any]]) -> object:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


@pytest.mark.parametrize("handler", [crash, fail])
def test_what_failed_comes_back_at_once_when_the_code_is_replaced(aws: LocalAws, handler: Handler) -> None:
    queue = Queue(aws, f"replaced-{handler.__name__}", visibility_timeout=600)
    function = FakeFunction(handler)
    queue.send("first", "second")

    with polling(queue, function, pollers=2):
        wait_until(lambda: function.batches)
        queue.send("third", group="CH2")
        wait_until(lambda: len(function.batches) == 2)
        function.handler = succeed
        function.replacements += 1
        wait_until(lambda: queue.left() == 0)

    assert sorted(function.bodies()[2:]) in ([["first", "second"], ["third"]], [["first", "second", "third"]])


def test_what_failed_waits_while_the_code_stays_the_same(aws: LocalAws) -> None:
    queue = Queue(aws, "not-replaced", visibility_timeout=600)
    function = FakeFunction(fail)
    queue.send("first")

    with polling(queue, function):
        wait_until(lambda: function.batches)
        queue.send("second", group="CH2")
        wait_until(lambda: len(function.batches) == 2)
        queue.send("third", group="CH3")
        wait_until(lambda: len(function.batches) == 3)

    assert function.bodies() == [["first"], ["second"], ["third"]]
