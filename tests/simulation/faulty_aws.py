"""A proxy for DynamoDB that throttles and loses responses, and stubs of Bedrock and a shop, for the real stack.

Requests to DynamoDB are forwarded to the local AWS. Bedrock answers with the numbers it was asked about; a number's
`Script` says what else happens.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulation.invariants import REPLY
from tests.simulation.scripts import Script, bedrock_answer, bedrock_error
from twilio_emulator.faults.connection_reset import ConnectionReset
from twilio_emulator.server import Servers, listen

THROTTLED = 0.02
RESPONSE_LOST = 0.02
MODEL_ERROR = 0.03
MODEL_SECONDS = (0.1, 1.0)
_FORWARDED_HEADERS = ("x-amz-target", "content-type", "authorization", "x-amz-date")


class FaultyAws:
    """Serves on a free port while it is entered. `struck` counts the faults; `is_faulty = False` ends them.

    `scripts` are by number. While `table_is_away`, DynamoDB throttles every request.
    """

    def __init__(self, *, upstream: Callable[[], str], seed: int, is_faulty: bool = True) -> None:
        self._upstream = upstream
        self._chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self._http: httpx.AsyncClient | None = None
        self.is_faulty = is_faulty
        self.table_is_away = False
        self.scripts: dict[str, Script] = {}
        self.struck: Counter[str] = Counter()

    def __enter__(self) -> Self:
        listening = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        routes = [
            Route("/model/{model}/converse", self._converse, methods=["POST"]),
            Route("/orders/{number}", self._order),
            Route("/", self._dynamodb, methods=["POST"]),
        ]
        application = Starlette(routes=routes, exception_handlers={ClientDisconnect: _client_is_gone})
        self._servers = Servers({listening: application}, at_end=self._aclose)
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    async def _dynamodb(self, request: Request) -> Response:
        operation = request.headers["x-amz-target"].rpartition(".")[2]
        if self.table_is_away or self._strikes("throttled", THROTTLED):
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
            return bedrock_error(500, "InternalServerException")
        messages = (await request.json())["messages"]
        numbers = _numbers(messages)
        for number in filter(self.scripts.get, numbers):
            script = self.scripts[number]
            if (failure := await script.model()) is not None:
                return failure
            if script.tool and not any("toolResult" in block for block in messages[-1]["content"]):
                call = {"toolUseId": f"call-{number}", "name": script.tool, "input": {"number": number}}
                return bedrock_answer({"toolUse": call})
        await asyncio.sleep(self._chance.uniform(*MODEL_SECONDS))
        return bedrock_answer({"text": " ".join([REPLY, *numbers])})

    async def _order(self, request: Request) -> Response:
        """Answer as the shop whose orders the assistant's tool looks up."""
        script = self.scripts[request.path_params["number"]]
        return await script.shop() or JSONResponse({"state": "on its way"})

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


def _numbers(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Return the numbers in the last words that have some: what tools returned, and requests to answer, come after."""
    texts = (str(block.get("text", "")) for message in reversed(messages) for block in reversed(message["content"]))
    return next(filter(None, (re.findall(r"\d+", text) for text in texts)), [])
