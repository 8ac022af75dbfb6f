"""The assistant on Bedrock's Converse API. A local HTTP server stands in for Bedrock."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, override

import boto3
import pydantic_ai.models
import pytest

from switchboard.agents.bedrock import MAX_TOKENS, bedrock_model
from switchboard.errors import ModelMisconfigured, Permanent, Transient
from tests.assistants import answering, bakery, question


class Bedrock(ThreadingHTTPServer):
    """Answers each request with the next of its replies, then always with the last one; keeps the requests."""

    def __init__(self, *replies: tuple[int, dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.replies = list(replies)
        self.requests: list[tuple[str, dict[str, Any]]] = []


class _Conversation(BaseHTTPRequestHandler):
    server: Bedrock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        status, reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        content = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amzn-ErrorType", str(reply.get("__type", "")))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


def content_reply(*content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    message = {"role": "assistant", "content": list(content)}
    usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}
    stops = "tool_use" if "toolUse" in content[0] else "end_turn"
    return 200, {"output": {"message": message}, "stopReason": stops, "usage": usage, "metrics": {"latencyMs": 1}}


def tool_call(tool: str, **arguments: str) -> tuple[int, dict[str, Any]]:
    return content_reply({"toolUse": {"toolUseId": "1", "name": tool, "input": arguments}})


def error_reply(status: int, kind: str) -> tuple[int, dict[str, Any]]:
    return status, {"__type": kind, "message": "you wrote: hi"}


@pytest.fixture(autouse=True)
def _aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pydantic_ai.models.override_allow_model_requests(allow_model_requests=True):
        yield


@contextmanager
def bedrock_server(monkeypatch: pytest.MonkeyPatch, *replies: tuple[int, dict[str, Any]]) -> Iterator[Bedrock]:
    with Bedrock(*replies) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_it_searches_the_knowledge_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    search = tool_call("search_knowledge", question="open on Saturday")
    replies = (search, content_reply({"text": "From nine."}))

    with bedrock_server(monkeypatch, *replies) as bedrock, answering(bakery, bedrock_model("a.model-1:0")) as agent:
        answer = agent.answer(question("When are you open on Saturday?"))

    assert answer.text == "From nine."
    assert len(bedrock.requests) == 2
    assert "On Saturday" in json.dumps(bedrock.requests[1][1]["messages"])


def test_it_hands_off(monkeypatch: pytest.MonkeyPatch) -> None:
    hand_off = tool_call("hand_off", reply="A colleague takes over.")

    with bedrock_server(monkeypatch, hand_off), answering(bakery, bedrock_model("a.model-1:0")) as agent:
        answer = agent.answer(question("A human, please"))

    assert answer.handoff
    assert answer.text == "A colleague takes over."


def test_it_asks_for_answers_of_limited_length_that_are_not_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

    with (
        bedrock_server(monkeypatch, content_reply({"text": "Hi."})) as bedrock,
        answering(bakery, bedrock_model(model)) as agent,
    ):
        agent.answer(question("hi"))

    [(path, body)] = bedrock.requests
    assert path.endswith("/converse")
    assert body["inferenceConfig"]["maxTokens"] == MAX_TOKENS


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "ThrottlingException"), (503, "ServiceUnavailableException"), (500, "InternalServerException")],
)
def test_an_overloaded_bedrock_is_asked_once_and_the_error_is_transient(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: str
) -> None:
    with (
        bedrock_server(monkeypatch, error_reply(status, kind)) as bedrock,
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(Transient) as raised,
    ):
        agent.answer(question("hi"))

    assert len(bedrock.requests) == 1
    assert "hi" not in str(raised.value).split()


def test_a_request_that_bedrock_refuses_is_permanent(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        bedrock_server(monkeypatch, error_reply(400, "ValidationException")),
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(Permanent, match="400"),
    ):
        agent.answer(question("hi"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "AccessDeniedException"),
        (403, "UnrecognizedClientException"),
        (403, "ExpiredTokenException"),
        (404, "ResourceNotFoundException"),
        (400, "ServiceQuotaExceededException"),
    ],
)
def test_a_bedrock_that_refuses_us_is_the_operators_to_mend(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: str
) -> None:
    with (
        bedrock_server(monkeypatch, error_reply(status, kind)),
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(ModelMisconfigured, match=f"{status}.*ASSISTANT_MODEL"),
    ):
        agent.answer(question("hi"))


def test_a_bedrock_without_credentials_is_the_operators_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the credentials of an earlier test

    with (
        bedrock_server(monkeypatch, content_reply({"text": "unheard"})),
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(ModelMisconfigured, match="NoCredentialsError"),
    ):
        agent.answer(question("hi"))


def test_a_bedrock_that_cannot_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock_server(monkeypatch, content_reply({"text": "unheard"})):
        model = bedrock_model("a.model-1:0")

    with answering(bakery, model) as agent, pytest.raises(Transient):
        agent.answer(question("hi"))
