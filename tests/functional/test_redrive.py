"""Dead letters are work, over HTTP: put back by our command or as AWS's redrive does it, each is answered once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.activity import LogLine
from tests.stacks import Running, running
from tests.waiting import wait_until
from twilio_emulator.server import Servers, listen

ROOT = Path(__file__).parents[2]
QUESTION = "When are you open on Saturday?"


class Model:
    """Bedrock: while it `is_broken`, it refuses each request for good; then it answers."""

    def __init__(self) -> None:
        self.is_broken = True

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve on a free port, and give the URL."""
        application = Starlette(routes=[Route("/model/{model}/converse", self._converse, methods=["POST"])])
        with listen("127.0.0.1", 0) as listening, closing(Servers({listening: application}, at_end=_nothing)):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def _converse(self, _request: Request) -> Response:
        if self.is_broken:
            kind = {"x-amzn-ErrorType": "ValidationException"}
            return JSONResponse({"message": "the request is malformed"}, 400, headers=kind)
        return JSONResponse(
            {
                "output": {"message": {"role": "assistant", "content": [{"text": "From 9 to 13."}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
                "metrics": {"latencyMs": 1},
            }
        )


async def _nothing() -> None:
    """Have nothing to close."""


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def stack(model: Model) -> Iterator[Running]:
    with model.served() as url:
        environment = {"ASSISTANT_MODEL": "bedrock:proof", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url}
        with running(environment=environment) as started:
            yield started


def letters(stack: Running) -> int:
    attributes = stack.stack.client("sqs").get_queue_attributes(
        QueueUrl=dead_letters(stack),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(map(int, attributes.values()))


def dead_letters(stack: Running) -> str:
    return stack.environment("AgentFunction")["MESSAGES_DEAD_LETTER_QUEUE_URL"]


def bodies(stack: Running) -> list[str]:
    """Return the bodies of the dead letters, which stay where they are."""
    received = stack.stack.client("sqs").receive_message(
        QueueUrl=dead_letters(stack), MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [record["Body"] for record in received.get("Messages", [])]


def put_back_as_aws_does(stack: Running, body: str, conversation_sid: str) -> None:
    """Put a letter on the queue as StartMessageMoveTask does, which the local AWS lacks: the ids are new."""
    stack.stack.client("sqs").send_message(
        QueueUrl=stack.environment("AgentFunction")["MESSAGES_QUEUE_URL"],
        MessageBody=body,
        MessageGroupId=conversation_sid,
        MessageDeduplicationId=uuid4().hex,
    )


def redrive(stack: Running, folder: Path, *options: str) -> str:
    """Run our command, as an operator does, and return what it prints."""
    env_vars = folder / "env.json"
    env_vars.write_text(json.dumps(stack.stack.environments))
    command = [sys.executable, "-m", "local.redrive", "--local", "--env-vars", str(env_vars), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- our own
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def decisions(stack: Running, conversation_sid: str) -> list[str]:
    """Return what the agent decided on a conversation, in order."""
    logged: list[dict[str, Any]] = [
        json.loads(activity.text)
        for activity in stack.activities
        if isinstance(activity, LogLine) and activity.function == "agent" and conversation_sid in activity.text
    ]
    return [line["message"] for line in logged if line["message"] not in {"coalescing", "notified", "step"}]


def test_a_redriven_dead_letter_is_answered_once_however_often_and_by_whom_it_is_put_back(
    stack: Running, model: Model, tmp_path: Path
) -> None:
    model.is_broken = True
    phone = stack.phone("+12025550190")
    conversation_sid = phone.text(QUESTION)["conversation_sid"]
    phone.wait_for_replies()
    wait_until(lambda: letters(stack) == 1 and stack.queued() == 0, what="the dead letter")
    (body,) = bodies(stack)
    model.is_broken = False

    printed = redrive(stack, tmp_path)
    phone.wait_for_replies(2)
    for _ in range(2):
        put_back_as_aws_does(stack, body, conversation_sid)
    wait_until(lambda: "redrive_skipped" in decisions(stack, conversation_sid), what="the repeats")
    wait_until(lambda: stack.queued() == 0)

    assert f"{conversation_sid}: 1" in printed
    assert [message["body"] for message in phone.inbox()][1:] == ["From 9 to 13."]
    assert decisions(stack, conversation_sid)[:2] == ["fell_back", "answered"]
    assert letters(stack) == 0


def test_a_letter_that_fails_again_at_once_leaves_a_letter_again(stack: Running, model: Model, tmp_path: Path) -> None:
    model.is_broken = True
    phone = stack.phone("+12025550191")
    conversation_sid = phone.text(QUESTION)["conversation_sid"]
    phone.wait_for_replies()
    wait_until(lambda: letters(stack) == 1 and stack.queued() == 0, what="the dead letter")

    redrive(stack, tmp_path)
    wait_until(lambda: decisions(stack, conversation_sid).count("fell_back") == 2, what="the second failure")
    wait_until(lambda: letters(stack) == 1 and stack.queued() == 0, what="its letter")
    model.is_broken = False
    redrive(stack, tmp_path, "--conversation", conversation_sid)
    phone.wait_for_replies(2)

    assert [message["body"] for message in phone.inbox()][1:] == ["From 9 to 13."]
    wait_until(lambda: letters(stack) == 0)


def test_a_record_that_is_not_an_event_is_put_back_once_and_returns(stack: Running, tmp_path: Path) -> None:
    conversation_sid = f"CH{uuid4().hex}"
    put_back_as_aws_does(stack, '{"type": "FromTheFuture"}', conversation_sid)
    wait_until(lambda: letters(stack) == 1, what="the dead letter")

    printed = redrive(stack, tmp_path)
    wait_until(lambda: letters(stack) == 1 and stack.queued() == 0, what="its return")

    assert "1 put back" in printed
    assert bodies(stack) == ['{"type": "FromTheFuture"}']
