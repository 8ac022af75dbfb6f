"""The assistant on Bedrock's Converse API, which a server of this test plays at the wire."""

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
from tests.assistants import answering, question, shop


class Bedrock(ThreadingHTTPServer):
    """Answers each request with the next of its replies, the last one again and again, and keeps what was asked."""

    def __init__(self, *replies: tuple[int, dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.replies = list(replies)
        self.asked: list[tuple[str, dict[str, Any]]] = []


class _Conversation(BaseHTTPRequestHandler):
    server: Bedrock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body)))
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


def says(*content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    message = {"role": "assistant", "content": list(content)}
    usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}
    stops = "tool_use" if "toolUse" in content[0] else "end_turn"
    return 200, {"output": {"message": message}, "stopReason": stops, "usage": usage, "metrics": {"latencyMs": 1}}


def calls(tool: str, **arguments: str) -> tuple[int, dict[str, Any]]:
    return says({"toolUse": {"toolUseId": "1", "name": tool, "input": arguments}})


def refuses(status: int, kind: str) -> tuple[int, dict[str, Any]]:
    return status, {"__type": kind, "message": "you wrote: hi"}


@pytest.fixture(autouse=True)
def _this_machine_is_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pydantic_ai.models.override_allow_model_requests(allow_model_requests=True):
        yield


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, *replies: tuple[int, dict[str, Any]]) -> Iterator[Bedrock]:
    with Bedrock(*replies) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_it_searches_what_the_shop_knows_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    search = calls("search_knowledge", question="open on Saturday")
    model_replies = (search, says({"text": "From nine."}))

    with serving(monkeypatch, *model_replies) as bedrock, answering(shop(), bedrock_model("a.model-1:0")) as agent:
        answer = agent.answer(question("When are you open on Saturday?"))

    assert answer.text == "From nine."
    assert len(bedrock.asked) == 2
    assert "On Saturday" in json.dumps(bedrock.asked[1][1]["messages"])


def test_it_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    hand_off = calls("hand_off", reply="A colleague takes over.")

    with serving(monkeypatch, hand_off), answering(shop(), bedrock_model("a.model-1:0")) as agent:
        answer = agent.answer(question("A person, please"))

    assert answer.handoff
    assert answer.text == "A colleague takes over."


def test_it_asks_for_bounded_answers_that_are_not_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

    with serving(monkeypatch, says({"text": "Hi."})) as bedrock, answering(shop(), bedrock_model(model)) as agent:
        agent.answer(question("hi"))

    [(path, body)] = bedrock.asked
    assert path.endswith("/converse")
    assert body["inferenceConfig"]["maxTokens"] == MAX_TOKENS


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "ThrottlingException"), (503, "ServiceUnavailableException"), (500, "InternalServerException")],
)
def test_a_busy_bedrock_is_asked_once_and_again_with_the_next_delivery(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: str
) -> None:
    with (
        serving(monkeypatch, refuses(status, kind)) as bedrock,
        answering(shop(), bedrock_model("a.model-1:0")) as agent,
        pytest.raises(Transient) as raised,
    ):
        agent.answer(question("hi"))

    assert len(bedrock.asked) == 1
    assert "hi" not in str(raised.value).split()


def test_a_request_that_bedrock_refuses_is_permanent(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serving(monkeypatch, refuses(400, "ValidationException")),
        answering(shop(), bedrock_model("a.model-1:0")) as agent,
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
        serving(monkeypatch, refuses(status, kind)),
        answering(shop(), bedrock_model("a.model-1:0")) as agent,
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
        serving(monkeypatch, says({"text": "unheard"})),
        answering(shop(), bedrock_model("a.model-1:0")) as agent,
        pytest.raises(ModelMisconfigured, match="NoCredentialsError"),
    ):
        agent.answer(question("hi"))


def test_a_bedrock_that_cannot_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, says({"text": "unheard"})):
        model = bedrock_model("a.model-1:0")

    with answering(shop(), model) as agent, pytest.raises(Transient):
        agent.answer(question("hi"))
