"""An SQS event source mapping: receive a batch, invoke the function with it, delete the records that succeeded.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import base64
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.execution_environment import CannotStart, InvocationFailed

type SQS = Any  # boto3 makes its client classes at run time, so they have no type

WAIT_TIME_SECONDS = 1  # short, so that an idle poller soon notices edited code, and the end of the run
MAX_BATCH_ENTRIES = 10  # of one batch request
RETRY_SECONDS = 0.3  # after an error of the queue, or while the function cannot start


class Invocable(Protocol):
    """The part of a function that a mapping uses."""

    @property
    def replacements(self) -> int:
        """How often the function's code was replaced by newer code."""

    def wait_until_ready(self) -> None:
        """Return once an execution environment is ready; `CannotStart` if the code cannot start."""

    def invoke(self, event: object) -> object:
        """Return what the handler returns, or raise an `InvocationFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSpec:
    """An event source mapping as the template declares it."""

    queue_url: str
    queue_arn: str
    region: str
    batch_size: int
    reports_item_failures: bool


class EventSourceMapping:
    """Runs the mapping in `pollers` threads, from the moment it is made until `stop`.

    Unlike AWS, it makes the records that failed visible at once when the function's code is replaced: who corrects a
    mistake need not wait for the end of a backoff or of a visibility timeout.
    """

    def __init__(self, spec: MappingSpec, function: Invocable, *, client: SQS, pollers: int) -> None:
        self._spec = spec
        self._function = function
        self._client = client
        self._stopping = threading.Event()
        self._pollers = pollers
        self._enabled = threading.Event()
        self._enabled.set()
        self._may_receive = threading.Semaphore(pollers)
        self._lock = threading.Lock()
        self._failed: dict[str, str] = {}  # receipt handles by message id
        self._replacements = 0
        self._threads = [threading.Thread(target=self._poll, daemon=True) for _ in range(pollers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Receive no further batch."""
        self._stopping.set()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Receive nothing in the block, not even by a request that is under way; batches already received go on."""
        self._enabled.clear()  # a poller that releases the semaphore would else have it again before us
        for _ in range(self._pollers):
            self._may_receive.acquire()
        try:
            yield
        finally:
            self._may_receive.release(self._pollers)
            self._enabled.set()

    def join(self) -> None:
        """Return once every thread has ended. Call `stop` first, and end the queue or the function."""
        for thread in self._threads:
            thread.join()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                self._function.wait_until_ready()
                self._release_after_replacement()
                self._deliver(self._receive())
            except (CannotStart, BotoCoreError, ClientError):
                self._stopping.wait(RETRY_SECONDS)

    def _receive(self) -> list[dict[str, Any]]:
        self._enabled.wait()
        with self._may_receive:
            response = self._client.receive_message(
                QueueUrl=self._spec.queue_url,
                MaxNumberOfMessages=self._spec.batch_size,
                WaitTimeSeconds=WAIT_TIME_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        messages: list[dict[str, Any]] = response.get("Messages", [])
        with self._lock:
            for message in messages:
                self._failed.pop(message["MessageId"], None)
        return messages

    def _release_after_replacement(self) -> None:
        """Make the failed records visible if the function's code was replaced since the last call."""
        with self._lock:
            if self._replacements == self._function.replacements:
                return
            self._replacements = self._function.replacements
            handles, self._failed = list(self._failed.values()), {}
        for batch in batched(handles, MAX_BATCH_ENTRIES):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(batch)
            ]
            self._client.change_message_visibility_batch(QueueUrl=self._spec.queue_url, Entries=entries)

    def _deliver(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Invoke the function with a batch. A record that fails comes back when its visibility timeout ends."""
        if not messages or self._stopping.is_set():
            return
        code = self._function.replacements
        succeeded = self._invoke(messages)
        done = {message["MessageId"] for message in succeeded}
        with self._lock:
            self._failed |= {
                each["MessageId"]: each["ReceiptHandle"] for each in messages if each["MessageId"] not in done
            }
            self._replacements = min(self._replacements, code)  # replaced meanwhile: these are released too
        if succeeded:
            self._client.delete_message_batch(
                QueueUrl=self._spec.queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(succeeded)
                ],
            )

    def _invoke(self, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Invoke the function with a batch, and return the messages that succeeded."""
        try:
            result = self._function.invoke({"Records": [_record(message, self._spec) for message in messages]})
        except InvocationFailed:
            return []
        failed = _failed_ids(result) if self._spec.reports_item_failures else frozenset()
        return [message for message in messages if failed is not None and message["MessageId"] not in failed]


def _record(message: Mapping[str, Any], spec: MappingSpec) -> dict[str, Any]:
    """Return the SQS record that Lambda makes of a received message."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": spec.queue_arn,
        "awsRegion": spec.region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute


def _failed_ids(result: object) -> frozenset[str] | None:
    """Read `batchItemFailures` as Lambda does: None if the whole batch failed, an empty set if all of it succeeded."""
    match result:
        case None | {"batchItemFailures": None}:
            return frozenset()
        case {"batchItemFailures": list(failures)}:
            ids = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures]
            valid = [item for item in ids if isinstance(item, str) and item]
            return frozenset(valid) if len(valid) == len(failures) else None
        case dict() if not result:
            return frozenset()
        case _:
            return None
