"""A local HTTP server in the place of Bedrock's Converse API: it sends what it is told to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, override

import pydantic_ai.models
import pytest

type Reply = tuple[int, dict[str, Any]]


class Bedrock(ThreadingHTTPServer):
    """Answers each request with the next of its replies, then always with the last one; keeps the requests."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.replies = list(replies)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.authorizations: list[str] = []


class _Requests(BaseHTTPRequestHandler):
    server: Bedrock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        self.server.authorizations.append(self.headers["Authorization"])
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


def content_reply(*content: dict[str, Any], stop_reason: str = "end_turn") -> Reply:
    """Return a response whose message has these blocks."""
    message = {"role": "assistant", "content": list(content)}
    usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}
    stops = "tool_use" if any("toolUse" in block for block in content) else stop_reason
    return 200, {"output": {"message": message}, "stopReason": stops, "usage": usage, "metrics": {"latencyMs": 1}}


def text_reply(text: str, stop_reason: str = "end_turn") -> Reply:
    return content_reply({"text": text}, stop_reason=stop_reason)


def tool_call(tool: str, *, beside: str = "", **arguments: str) -> Reply:
    """Return a call of a tool, with words beside it."""
    words = [{"text": beside}] if beside else []
    return content_reply(*words, {"toolUse": {"toolUseId": "1", "name": tool, "input": arguments}})


def error_reply(status: int, kind: str) -> Reply:
    return status, {"__type": kind, "message": "you wrote: hi"}


@contextmanager
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have credentials of AWS, and let models be asked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pydantic_ai.models.override_allow_model_requests(allow_model_requests=True):
        yield


@contextmanager
def bedrock_server(monkeypatch: pytest.MonkeyPatch, *replies: Reply) -> Iterator[Bedrock]:
    """Serve replies: to each request the next one, then always the last."""
    with Bedrock(*replies) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{server.server_port}")
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
