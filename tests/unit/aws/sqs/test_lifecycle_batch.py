"""A batch of lifecycle events: in order, and a record that is not an event holds up nobody."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from switchboard.aws.sqs.lifecycle_batch import LifecycleBatch
from switchboard.aws.sqs.queue import Queue, encoded
from switchboard.errors import Malformed
from switchboard.events import ConversationState, ConversationStateUpdated, LifecycleEvent
from switchboard.lifecycle import Effect
from tests.builders import NOON, sid

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONVERSATION = sid("CH", 1)


class DeadLetters:
    """Takes down what SQS was sent, or refuses it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.refuses = False

    def send_message(self, **message: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "SendMessage")
        self.sent.append(message)


def record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"record-{number}",
        "receiptHandle": f"handle-{number}",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0", "MessageGroupId": CONVERSATION},
        "body": body,
    }


def closed(number: int) -> dict[str, Any]:
    event = ConversationStateUpdated(conversation_sid=CONVERSATION, state=ConversationState.CLOSED, at=NOON)
    return record(number, encoded(event))


def batch(
    dead_letters: DeadLetters, apply: Callable[[LifecycleEvent], Effect] = lambda _event: Effect.CLOSED
) -> LifecycleBatch:
    return LifecycleBatch(
        apply=apply,
        dead_letters=Queue(client=cast("SQSClient", dead_letters), url="https://sqs/dead-letters.fifo"),
        record_decision=lambda _decision, _facts: None,
        record_error=lambda _error, _facts: None,
    )


def test_a_record_that_is_not_an_event_becomes_a_dead_letter_and_holds_up_nobody() -> None:
    dead_letters = DeadLetters()
    applied: list[LifecycleEvent] = []

    def apply(event: LifecycleEvent) -> Effect:
        applied.append(event)
        return Effect.CLOSED

    returned = batch(dead_letters, apply).apply_each([record(1, "[]"), closed(2)])

    assert returned == []
    assert len(applied) == 1
    assert dead_letters.sent == [
        {
            "QueueUrl": "https://sqs/dead-letters.fifo",
            "MessageBody": "[]",
            "MessageGroupId": CONVERSATION,
            "MessageDeduplicationId": "record-1",
        }
    ]


def test_a_record_that_is_not_an_event_comes_back_if_it_cannot_be_copied() -> None:
    dead_letters = DeadLetters()
    dead_letters.refuses = True

    assert batch(dead_letters).apply_each([record(1, "[]"), closed(2)]) == ["record-1"]


@pytest.mark.parametrize("error", [Malformed("Twilio's answer"), RuntimeError("a bug")])
def test_an_event_that_cannot_be_applied_comes_back_with_the_later_ones_of_its_conversation(error: Exception) -> None:
    dead_letters = DeadLetters()

    def fail(_event: LifecycleEvent) -> Effect:
        raise error

    returned = batch(dead_letters, fail).apply_each([closed(1), closed(2)])

    assert returned == ["record-1", "record-2"]
    assert dead_letters.sent == []
