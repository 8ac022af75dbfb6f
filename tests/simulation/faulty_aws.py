"""A proxy for DynamoDB that throttles and loses responses, and a stub of Bedrock, for the proof on the real stack.

Requests to DynamoDB are forwarded to the local AWS. Bedrock answers with the numbers it was asked about.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulation.invariants import REPLY
from twilio_emulator.faults.connection_reset import ConnectionReset
from twilio_emulator.server import Servers, listen

THROTTLED = 0.02
RESPONSE_LOST = 0.02
MODEL_ERROR = 0.03
MODEL_SECONDS = (0.1, 1.0)
_FORWARDED_HEADERS = ("x-amz-target", "content-type", "authorization", "x-amz-date")


class FaultyAws:
    """Serves on a free port while it is entered. `struck` counts the faults; `is_faulty = False` ends them."""

    def __init__(self, *, upstream: Callable[[], str], seed: int) -> None:
        self._upstream = upstream
        self._chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self._http: httpx.AsyncClient | None = None
        self.is_faulty = True
        self.struck: Counter[str] = Counter()

    def __enter__(self) -> Self:
        listening = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        routes = [
            Route("/model/{model}/converse", self._converse, methods=["POST"]),
            Route("/", self._dynamodb, methods=["POST"]),
        ]
        application = Starlette(routes=routes, exception_handlers={ClientDisconnect: _client_is_gone})
        self._servers = Servers({listening: application}, at_end=self._aclose)
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    async def _dynamodb(self, request: Request) -> Response:
        operation = request.headers["x-amz-target"].rpartition(".")[2]
        if self._strikes("throttled", THROTTLED):
            kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            return JSONResponse({"__type": kind, "message": "slow down"}, 400)
        self._http = self._http or httpx.AsyncClient(trust_env=False)
        headers = {name: request.headers[name] for name in _FORWARDED_HEADERS if name in request.headers}
        response = await self._http.post(self._upstream(), content=await request.body(), headers=headers)
        if operation in {"UpdateItem", "TransactWriteItems"} and self._strikes("response lost", RESPONSE_LOST):
            return ConnectionReset()
        return Response(response.content, response.status_code, media_type=response.headers["content-type"])

    async def _converse(self, request: Request) -> Response:
        if self._strikes("model error", MODEL_ERROR):
            return JSONResponse({"message": "try again"}, 500, headers={"x-amzn-ErrorType": "InternalServerException"})
        await asyncio.sleep(self._chance.uniform(*MODEL_SECONDS))
        content = (await request.json())["messages"][-1]["content"]
        numbers = re.findall(r"\d+", " ".join(str(part.get("text", "")) for part in content))
        return JSONResponse(_converse_response(" ".join([REPLY, *numbers])))

    def _strikes(self, what: str, rate: float) -> bool:
        strikes = self.is_faulty and self._chance.random() < rate
        self.struck[what] += strikes
        return strikes

    async def _aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()


async def _client_is_gone(_request: Request, _error: Exception) -> Response:
    """Answer a worker that was killed during its request."""
    return Response()


def _converse_response(text: str) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
