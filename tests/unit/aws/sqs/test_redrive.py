"""Our redrive of dead letters, on SQS (moto): every letter goes back once, and what comes back meanwhile stays."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import boto3
import pytest
from moto import mock_aws

from switchboard.aws.sqs.queue import encoded
from switchboard.aws.sqs.redrive import Redriven, redrive
from switchboard.events import MessageAdded
from tests.builders import message_added, sid

FIRST, SECOND = sid("CH", 1), sid("CH", 2)


@dataclass
class Sqs:
    """Two FIFO queues on moto. `on_send` is called with the body of each record that our command puts back."""

    client: Any
    urls: dict[str, str] = field(default_factory=dict)
    ids: "count[int]" = field(default_factory=count)

    def add(self, body: str, *, group: str = FIRST, to: str = "dead-letters") -> None:
        self.client.send_message(
            QueueUrl=self.urls[to],
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=str(next(self.ids)),
        )

    def bodies(self, queue: str) -> list[str]:
        received = self.client.receive_message(QueueUrl=self.urls[queue], MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [record["Body"] for record in received.get("Messages", [])]

    def redrive(self, *, conversation_sid: str = "") -> Redriven:
        return redrive(
            self.client,
            dead_letters=self.urls["dead-letters"],
            queue=self.urls["messages"],
            conversation_sid=conversation_sid,
        )

    def on_send(self, call: Callable[[str], None]) -> None:
        def after_send(*, params: dict[str, Any], **_: object) -> None:
            if params["QueueUrl"] == self.urls["messages"]:
                call(params["MessageBody"])

        self.client.meta.events.register("before-parameter-build.sqs.SendMessage", after_send)


def do_not_wait(*, params: dict[str, Any], **_: object) -> None:
    params["WaitTimeSeconds"] = 0


@pytest.fixture
def sqs() -> Iterator[Sqs]:
    with mock_aws():
        client = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.meta.events.register("before-parameter-build.sqs.ReceiveMessage", do_not_wait)
        started = Sqs(client=client)
        for name in ("messages", "dead-letters"):
            queue = client.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})
            started.urls[name] = queue["QueueUrl"]
        yield started


def letter(conversation_sid: str = FIRST, index: int = 0) -> MessageAdded:
    return replace(message_added(conversation_sid=conversation_sid, index=index), again=True)


def test_every_letter_is_put_back_in_its_group_and_leaves_the_dead_letter_queue(sqs: Sqs) -> None:
    for index in range(12):
        sqs.add(encoded(letter(index=index)))
    sqs.add(encoded(letter(SECOND)), group=SECOND)

    redriven = sqs.redrive()

    assert (redriven.put_back, redriven.left) == ({FIRST: 12, SECOND: 1}, 0)
    assert sqs.bodies("dead-letters") == []
    assert encoded(letter()) in sqs.bodies("messages")


def test_the_letters_of_one_conversation_are_put_back_alone(sqs: Sqs) -> None:
    sqs.add(encoded(letter()))
    sqs.add(encoded(letter(SECOND)), group=SECOND)

    redriven = sqs.redrive(conversation_sid=SECOND)

    assert (redriven.put_back, redriven.left) == ({SECOND: 1}, 0)
    assert sqs.bodies("dead-letters") == [encoded(letter())]


def test_a_record_that_sqs_itself_gave_up_is_marked_when_it_is_put_back(sqs: Sqs) -> None:
    sqs.add(encoded(message_added()))

    sqs.redrive()

    (body,) = sqs.bodies("messages")
    assert json.loads(body)["again"] is True


@pytest.mark.parametrize("body", ["no JSON", "[]", "5", '{"type": "FromTheFuture"}', "[" * 100_000])
def test_a_record_that_is_not_an_event_is_put_back_as_it_is(sqs: Sqs, body: str) -> None:
    sqs.add(body)

    assert sqs.redrive().put_back == {FIRST: 1}
    assert sqs.bodies("messages") == [body]


@pytest.mark.parametrize("body", ["no JSON", encoded(letter())])
def test_what_comes_back_at_once_stays_so_that_the_run_ends(sqs: Sqs, body: str) -> None:
    sqs.add(body)
    sqs.on_send(sqs.add)

    redriven = sqs.redrive()

    assert (redriven.put_back, redriven.left) == ({FIRST: 1}, 1)
    assert sqs.bodies("dead-letters") == [body]


def test_a_run_that_was_interrupted_loses_no_letter_and_its_repeat_doubles_none(sqs: Sqs) -> None:
    sqs.add(encoded(letter()))

    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    sqs.client.meta.events.register("before-parameter-build.sqs.DeleteMessage", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sqs.redrive()
    sqs.client.meta.events.unregister("before-parameter-build.sqs.DeleteMessage", interrupt)
    received = sqs.client.receive_message(QueueUrl=sqs.urls["messages"], VisibilityTimeout=0)

    assert [record["Body"] for record in received["Messages"]] == [encoded(letter())]
    attributes = sqs.client.get_queue_attributes(QueueUrl=sqs.urls["dead-letters"], AttributeNames=["All"])
    assert attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
