"""Answers of DynamoDB and SQS that moto never gives, as AWS documents them: nothing is taken for done that was not."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from moto import mock_aws

from switchboard.aws.sqs.queue import Queue, read_record
from switchboard.errors import Transient
from switchboard.ports import Fenced
from tests.builders import CONVERSATION, NOON, message_added, sid
from tests.dynamodb import RECORD, TableStores, claim, stores_of, table_on_moto

NOTHING_LEFT: frozenset[int] = frozenset()


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body


def answer_once(client: Any, operation: str, status: int, body: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: ANN401
    """Answer the next request of an operation so, and leave the others to moto. Return the list of all requests."""
    service = client.meta.service_model.service_name
    answers, requests = [body], list[dict[str, Any]]()

    def answer(request: Any, **_: object) -> AWSResponse | None:  # noqa: ANN401 -- botocore's
        requests.append(json.loads(request.body))
        if not answers:
            return None
        return AWSResponse(request.url, status, HTTPHeaders(), _Raw(json.dumps(answers.pop()).encode()))

    client.meta.events.register_first(f"before-send.{service}.{operation}", answer)
    return requests


def cancelled(*codes: str) -> dict[str, Any]:
    """Return the answer to a transaction that was cancelled for these reasons, one for each of its items."""
    return {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": f"Transaction cancelled [{', '.join(codes)}]",
        "CancellationReasons": [{"Code": code} for code in codes],
    }


@pytest.fixture
def store() -> Iterator[TableStores]:
    with table_on_moto() as table:
        yield stores_of(table)


def refuse(store: TableStores) -> None:
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0}, now=NOON)
    store.refuse(claimed, RECORD, coverage=coverage, left_to_human=NOTHING_LEFT)


@pytest.mark.parametrize("write", [refuse, lambda store: store.record(CONVERSATION, RECORD)], ids=["refuse", "record"])
@pytest.mark.parametrize(
    "codes",
    [
        ("TransactionConflict", "None"),
        ("None", "TransactionConflict"),
        ("ThrottlingError", "None"),
        ("None", "ProvisionedThroughputExceeded"),
        ("None", "ItemCollectionSizeLimitExceeded"),
    ],
    ids="+".join,
)
def test_a_transaction_that_was_cancelled_by_another_is_tried_again(
    store: TableStores, write: Callable[[TableStores], None], codes: Sequence[str]
) -> None:
    answer_once(store.table.client, "TransactWriteItems", 400, cancelled(*codes))

    with pytest.raises(Transient) as raised:
        write(store)

    assert not isinstance(raised.value, Fenced)


def test_a_refusal_whose_token_was_raised_is_fenced_though_its_record_conflicts_too(store: TableStores) -> None:
    answer_once(
        store.table.client, "TransactWriteItems", 400, cancelled("ConditionalCheckFailed", "TransactionConflict")
    )

    with pytest.raises(Fenced):
        refuse(store)


def test_keys_that_dynamodb_did_not_process_are_asked_for_again(store: TableStores) -> None:
    claim(store)
    other = sid("CH", 2)
    unprocessed = {
        "Responses": {},
        "UnprocessedKeys": {
            store.table.name: {
                "Keys": [{"pk": {"S": CONVERSATION}, "sk": {"S": "CONVERSATION"}}],
                "ConsistentRead": True,
                "ProjectionExpression": "pk, activity",
            }
        },
    }
    requests = answer_once(store.table.client, "BatchGetItem", 200, unprocessed)

    assert store.untracked([CONVERSATION, other]) == [other]
    assert [request["RequestItems"][store.table.name]["ConsistentRead"] for request in requests] == [True, True]


def test_a_day_with_more_customers_than_one_answer_holds_is_added_up(store: TableStores) -> None:
    first = {"sk": {"S": "CUSTOMER#0"}, "turns": {"N": "3"}}
    key = {"pk": {"S": "BUDGET#2026-03-02"}, "sk": {"S": "CUSTOMER#0"}}
    store.record(CONVERSATION, RECORD)
    requests = answer_once(store.table.client, "Query", 200, {"Items": [first], "LastEvaluatedKey": key})

    spent = store.spent(RECORD.customer, now=NOON)

    assert (spent.by_customer, spent.by_all) == (1, 4)
    assert [request.get("ExclusiveStartKey") for request in requests] == [None, key]


@pytest.fixture
def queue() -> Iterator[Queue]:
    with mock_aws():
        client = boto3.client("sqs", region_name="us-east-1")
        created = client.create_queue(
            QueueName="messages.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "120"}
        )
        yield Queue(client=client, url=created["QueueUrl"])


def received(queue: Queue) -> list[dict[str, Any]]:
    """Receive what is visible, as Lambda hands it to a function."""
    messages = queue.client.receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in messages
    ]


def failed(*, sender: bool) -> dict[str, Any]:
    """Return the answer to a batch whose first entry failed."""
    code = "ReceiptHandleIsInvalid" if sender else "InternalError"
    return {"Successful": [], "Failed": [{"Id": "0", "SenderFault": sender, "Code": code}]}


def test_a_record_that_sqs_did_not_return_is_returned_again(queue: Queue) -> None:
    queue.send(message_added(index=0))
    (record,) = received(queue)
    requests = answer_once(queue.client, "ChangeMessageVisibilityBatch", 200, failed(sender=False))

    queue.return_after([record["receiptHandle"]], 0)

    assert len(requests) == 2
    assert [raw["messageId"] for raw in received(queue)] == [record["messageId"]]


def test_a_record_that_sqs_did_not_delete_is_deleted_again(queue: Queue) -> None:
    queue.send(message_added(index=0))
    (raw,) = received(queue)
    requests = answer_once(queue.client, "DeleteMessageBatch", 200, failed(sender=False))

    queue.delete([read_record(raw)])
    queue.return_after([raw["receiptHandle"]], 0)

    assert len(requests) == 2
    assert received(queue) == []


def test_a_record_that_the_queue_does_not_know_any_more_is_skipped(queue: Queue) -> None:
    queue.send(message_added(index=0))
    (record,) = received(queue)
    requests = answer_once(queue.client, "ChangeMessageVisibilityBatch", 200, failed(sender=True))

    queue.return_after([record["receiptHandle"]], 0)

    assert len(requests) == 1


@pytest.mark.parametrize("body", ["\x00\x07\x1f", "\ufffe\uffff", "\ud800", "🙂 é \u200f\u05e9", '"\\u0000"'])
def test_a_text_of_characters_that_sqs_refuses_comes_back_as_it_was(queue: Queue, body: str) -> None:
    message = message_added(index=0, body=body)

    queue.send(message)

    (raw,) = received(queue)
    assert read_record(raw).event == message
    assert raw["body"].isascii()
    assert raw["body"].isprintable()
