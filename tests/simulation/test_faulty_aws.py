"""The proxy of for-real answers as AWS documents it, and the deployed stores and queues make the best of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from local.aws.ministack import LocalAws, local_client
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.sqs.queue import Queue
from switchboard.errors import Transient
from tests.builders import CONVERSATION, NOON, message_added, sid
from tests.dynamodb import LATER, RECORD, TableStores, claim, create_table, stores_of
from tests.simulation.aws_faults import has_refused_characters
from tests.simulation.faulty_aws import FaultyAws


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAws]:
    aws = LocalAws(host="127.0.0.1", reachable="127.0.0.1")
    try:
        aws.wait_until_ready()
        yield aws
    finally:
        aws.close()


@pytest.fixture(scope="module")
def table_name(local_aws: LocalAws) -> str:
    create_table(local_aws.client("dynamodb"))
    return "Conversations"


@contextmanager
def proxy(local_aws: LocalAws, **rates: float) -> Iterator[FaultyAws]:
    named = {name.replace("_", " "): rate for name, rate in rates.items()}
    with FaultyAws(upstream=lambda: local_aws.endpoint, seed=0, rates=named) as aws:
        yield aws


def stores(aws: FaultyAws, table_name: str) -> TableStores:
    return stores_of(ConversationsTable(client=local_client("dynamodb", endpoint=aws.url), name=table_name))


@pytest.mark.parametrize("fault", ["throttled", "key_throttled", "transaction_conflict", "response_lost"])
def test_a_record_that_met_a_fault_is_stored_and_charged_once_by_the_next_try(
    local_aws: LocalAws, table_name: str, fault: str
) -> None:
    record = replace(RECORD, customer=fault, turn=fault)
    with proxy(local_aws, **{fault: 1}) as aws:
        store = stores(aws, table_name)
        with pytest.raises(Transient):
            store.record(CONVERSATION, record)
        aws.is_faulty = False

        store.record(CONVERSATION, record)

        assert aws.struck[fault.replace("_", " ")] == 1
        assert store.spent(fault, now=NOON).by_customer == 1


def test_of_the_keys_that_dynamodb_leaves_unprocessed_each_is_asked_for_again(
    local_aws: LocalAws, table_name: str
) -> None:
    sids = [sid("CH", number) for number in range(1, 21)]
    with proxy(local_aws, unprocessed_keys=1) as aws:
        store = stores(aws, table_name)
        claim(store)

        assert store.untracked(sids) == sids[1:]
        assert aws.struck["unprocessed keys"] > 1


def test_a_read_that_is_not_consistent_lags_and_no_other_does(local_aws: LocalAws, table_name: str) -> None:
    with proxy(local_aws, lagging_read=1) as aws:
        store = stores(aws, table_name)
        store.take_over(sid("CH", 30), index=None, at=NOON)
        before = list(store.owned_by_humans())
        store.take_over(sid("CH", 31), index=None, at=LATER)

        lagging = list(store.owned_by_humans())

        assert sid("CH", 31) not in [*before, *lagging]
        assert store.read_owned(sid("CH", 31))
        assert aws.struck["lagging read"] == 2


def test_every_record_of_a_batch_that_is_cut_anywhere_is_deleted_or_tried_again(local_aws: LocalAws) -> None:
    with proxy(local_aws, batch_cut=0.5) as aws:
        sqs = local_client("sqs", endpoint=aws.url)
        url = sqs.create_queue(QueueName="cut.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        queue = Queue(client=sqs, url=url)
        for number in range(10):
            queue.send(message_added(index=number, conversation_sid=sid("CH", number)))
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        handles = [message["ReceiptHandle"] for message in received]

        tries = 0
        while True:
            try:
                queue.return_after(handles, 0)
            except Transient:
                tries += 1
            else:
                break

        assert len(received) == 10
        assert aws.struck["batch cut"] >= tries
        aws.is_faulty = False
        assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 10


def test_a_body_with_a_character_that_sqs_refuses_is_refused_and_none_of_ours_has_one(local_aws: LocalAws) -> None:
    with proxy(local_aws) as aws:
        sqs = local_client("sqs", endpoint=aws.url)
        url = sqs.create_queue(QueueName="characters.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        with pytest.raises(ClientError, match="InvalidMessageContents"):
            sqs.send_message(QueueUrl=url, MessageBody="\ufffe", MessageGroupId="1", MessageDeduplicationId="1")

        Queue(client=sqs, url=url).send(message_added(body="\x00\x0b\ufffe\uffff"))

        assert aws.struck["characters that SQS refuses"] == 1
        assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


@pytest.mark.parametrize("text", ["\x00", "\x0b", "a\ufffe", "\uffff", "\ud800"])
def test_what_aws_does_not_allow_is_refused(text: str) -> None:
    assert has_refused_characters(text)


@pytest.mark.parametrize("text", ["", "\t\n\r ~", "\ud7ff\ue000\ufffd", "🙂"])
def test_what_aws_allows_is_taken(text: str) -> None:
    assert not has_refused_characters(text)
