"""A local HTTP server in the place of models' providers: it speaks each one's API, and misbehaves as it is told to.

Bedrock's Converse, OpenAI's Chat Completions and Responses, Anthropic's Messages and Google's generateContent are told
apart by the path. Every request is answered with the next step of the script, then always with the last one.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, override

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 100, 80, 7  # of each answer; the cached ones are among the input

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """An answer of the model: a text, or a call of a tool; `filtered` is how a provider withholds one."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    filtered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """What is no answer: a status and a body as they are. With `cut`, the connection ends in the middle of the body."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    cut: bool = False


class Hangs:
    """No answer, until the server is closed."""


type Step = Says | Sends | Hangs


class ModelServer(ThreadingHTTPServer):
    """Keeps the requests: path, headers in lower case, and body."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *script: Step) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.script = list(script)
        self.requests: list[tuple[str, dict[str, str], Json]] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_step(self) -> Step:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away."""


class _Requests(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, body))
        match self.server.next_step():
            case Says() as says:
                self._send(200, json.dumps(api_of(self.path)(says)).encode())
            case Sends() as sends:
                self._send(sends.status, sends.body, content_type=sends.content_type, cut=sends.cut)
            case Hangs():
                self.server.closing.wait()

    def _send(self, status: int, body: bytes, *, content_type: str = "application/json", cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) * 2 if cut else len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def model_server(*script: Step) -> Iterator[ModelServer]:
    """Serve a script."""
    with ModelServer(*script) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def api_of(path: str) -> Callable[[Says], Json]:
    """Return what writes an answer as the API of this path does."""
    ends = {"/converse": converse, "/chat/completions": chat, "/responses": responses, "/messages": messages}
    plain = path.partition("?")[0]
    return next((api for end, api in ends.items() if plain.endswith(end)), generate_content)


def converse(says: Says) -> Json:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"""
    block = {"toolUse": {"toolUseId": "1", "name": says.tool, "input": says.arguments}} if says.tool else {}
    stops = "guardrail_intervened" if says.filtered else "tool_use" if says.tool else "end_turn"
    return {
        "output": {"message": {"role": "assistant", "content": [block or {"text": says.text}]}},
        "stopReason": stops,
        "usage": {
            "inputTokens": INPUT_TOKENS - CACHED_TOKENS,
            "cacheReadInputTokens": CACHED_TOKENS,
            "outputTokens": OUTPUT_TOKENS,
            "totalTokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        "metrics": {"latencyMs": 1},
    }


def chat(says: Says) -> Json:
    """https://platform.openai.com/docs/api-reference/chat/object"""
    call = {"id": "1", "type": "function", "function": {"name": says.tool, "arguments": json.dumps(says.arguments)}}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "a-model",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": says.text or None,
                    "tool_calls": [call] if says.tool else None,
                },
                "finish_reason": "content_filter" if says.filtered else "tool_calls" if says.tool else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def responses(says: Says) -> Json:
    """https://platform.openai.com/docs/api-reference/responses/object"""
    text = {"type": "output_text", "text": says.text, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": says.tool,
        "arguments": json.dumps(says.arguments),
        "status": "completed",
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "incomplete" if says.filtered else "completed",
        "incomplete_details": {"reason": "content_filter"} if says.filtered else None,
        "error": None,
        "model": "a-model",
        "output": [call if says.tool else message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": CACHED_TOKENS, "cache_write_tokens": 0},
            "output_tokens": OUTPUT_TOKENS,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def messages(says: Says) -> Json:
    """https://docs.anthropic.com/en/api/messages"""
    call = {"type": "tool_use", "id": "1", "name": says.tool, "input": says.arguments}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "a-model",
        "content": [call if says.tool else {"type": "text", "text": says.text}],
        "stop_reason": "refusal" if says.filtered else "tool_use" if says.tool else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": INPUT_TOKENS - CACHED_TOKENS,
            "cache_read_input_tokens": CACHED_TOKENS,
            "cache_creation_input_tokens": 0,
            "output_tokens": OUTPUT_TOKENS,
        },
    }


def generate_content(says: Says) -> Json:
    """https://ai.google.dev/api/generate-content"""
    part = {"functionCall": {"name": says.tool, "args": says.arguments}} if says.tool else {"text": says.text}
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [part]},
                "finishReason": "SAFETY" if says.filtered else "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "cachedContentTokenCount": CACHED_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        "modelVersion": "a-model",
    }
