"""What goes wrong at the model and at a shop when somebody asks about a number, for the proof on the real stack."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from twilio_emulator.faults.connection_reset import ConnectionReset

MAX_BUSY_SECONDS = 60  # longer than any turn waits for the model

type Behaviour = Callable[[], Awaitable[Response | None]]


async def _well() -> None:
    """Let the request be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What happens to the requests about one number: a behaviour returns a failure, or None for a plain answer.

    `tool` is what the model calls before it answers.
    """

    model: Behaviour = _well
    shop: Behaviour = _well
    tool: str = ""


def first(times: int, failure: Response) -> Behaviour:
    """Fail so many times."""
    failures = iter([failure] * times)

    async def behave() -> Response | None:
        return next(failures, None)

    return behave


def until(end: threading.Event, failure: Response) -> Behaviour:
    """Fail until then."""

    async def behave() -> Response | None:
        return None if end.is_set() else failure

    return behave


def busy_until(end: threading.Event, *, begun: threading.Event) -> Behaviour:
    """Say that a request has come, and answer it at the end."""

    async def behave() -> None:
        begun.set()
        await asyncio.to_thread(end.wait, MAX_BUSY_SECONDS)

    return behave


def slow(seconds: float) -> Behaviour:
    """Answer late."""

    async def behave() -> None:
        await asyncio.sleep(seconds)

    return behave


def bedrock_error(status: int, kind: str) -> Response:
    """Return an error of Bedrock's Converse API."""
    return JSONResponse({"message": kind}, status, headers={"x-amzn-ErrorType": kind})


def bedrock_answer(*content: dict[str, Any]) -> Response:
    """Return an answer of Bedrock's Converse API with these content blocks."""
    return JSONResponse(
        {
            "output": {"message": {"role": "assistant", "content": list(content)}},
            "stopReason": "tool_use" if any("toolUse" in block for block in content) else "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "metrics": {"latencyMs": 1},
        }
    )


THROTTLED = bedrock_error(429, "ThrottlingException")
NO_CAPACITY = bedrock_error(503, "ServiceUnavailableException")
KEY_REFUSED = bedrock_error(403, "UnrecognizedClientException")
EMPTY = bedrock_answer()
RESET = ConnectionReset()
TIME_OUT = ConnectionReset(seconds=5)  # longer than the tool waits
UNAVAILABLE = JSONResponse({}, 503)
UNEXPECTED = JSONResponse({})  # over which the tool stumbles: a bug
