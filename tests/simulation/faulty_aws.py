"""A proxy for DynamoDB and SQS with faults, and stubs of Bedrock and a shop, for the real stack.

Requests to DynamoDB and SQS are forwarded to the local AWS; `aws_faults.py` says what is answered instead. Bedrock
answers with the numbers it was asked about; a number's `Script` says what else happens.
"""

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulation.aws_faults import RATES, WRITES, AwsFaults, Body, has_refused_characters
from tests.simulation.invariants import REPLY
from tests.simulation.scripts import Script, bedrock_answer, bedrock_error
from twilio_emulator.faults.connection_reset import ConnectionReset
from twilio_emulator.server import Servers, listen

MODEL_ERROR = 0.03
MODEL_SECONDS = (0.1, 1.0)
DYNAMODB, SQS = "com.amazonaws.dynamodb.v20120810", "com.amazonaws.sqs"
_FORWARDED_HEADERS = ("x-amz-target", "content-type", "authorization", "x-amz-date")


class FaultyAws:
    """Serves on a free port while it is entered. `struck` counts the faults; `is_faulty = False` ends them.

    `scripts` are by number. While `table_is_away`, DynamoDB throttles every request.
    """

    def __init__(
        self,
        *,
        upstream: Callable[[], str],
        seed: int,
        is_faulty: bool = True,
        rates: Mapping[str, float] = RATES,
    ) -> None:
        self._upstream = upstream
        self._chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self._http: httpx.AsyncClient | None = None
        self._faults = AwsFaults(self._chance, rates=rates)
        self.is_faulty = is_faulty
        self.table_is_away = False
        self.scripts: dict[str, Script] = {}

    @property
    def is_faulty(self) -> bool:
        """Whether faults strike."""
        return self._faults.is_on

    @is_faulty.setter
    def is_faulty(self, is_faulty: bool) -> None:
        self._faults.is_on = is_faulty

    @property
    def struck(self) -> Counter[str]:
        """How often each fault has struck."""
        return self._faults.struck

    def __enter__(self) -> Self:
        listening = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        routes = [
            Route("/model/{model}/converse", self._converse, methods=["POST"]),
            Route("/orders/{number}", self._order),
            Route("/", self._aws, methods=["POST"]),
        ]
        application = Starlette(routes=routes, exception_handlers={ClientDisconnect: _client_is_gone})
        self._servers = Servers({listening: application}, at_end=self._aclose)
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    async def _aws(self, request: Request) -> Response:
        service, _, operation = request.headers["x-amz-target"].rpartition(".")
        parameters = await request.json()
        if service == "AmazonSQS":
            return await self._sqs(request, operation, parameters)
        return await self._dynamodb(request, operation, parameters)

    async def _dynamodb(self, request: Request, operation: str, parameters: Body) -> Response:
        if self.table_is_away:
            return _refused(DYNAMODB, "ProvisionedThroughputExceededException", {"message": "slow down"})
        if refusal := self._faults.refusal(operation, parameters):
            return _refused(DYNAMODB, *refusal)
        left = self._faults.unprocessed(operation, parameters)
        response = await self._forward(request, parameters)
        if operation in WRITES and self._faults.strikes("response lost"):
            return ConnectionReset()
        answer = response.json()
        if response.is_success:
            answer = self._faults.lagging(operation, parameters, answer)
        return JSONResponse(answer | ({"UnprocessedKeys": left} if left else {}), response.status_code)

    async def _sqs(self, request: Request, operation: str, parameters: Body) -> Response:
        if body := parameters.get("MessageBody"):
            if has_refused_characters(body):
                return _refused(SQS, "InvalidMessageContents", {"message": "the body has a character that SQS refuses"})
            self._faults.struck["characters that SQS refuses"] += has_refused_characters(_unescaped(body))
        failed = self._faults.failed(operation, parameters)
        if failed and not parameters["Entries"]:
            return JSONResponse({"Successful": [], "Failed": failed})
        response = await self._forward(request, parameters)
        answer = response.json()
        return JSONResponse(
            answer | ({"Failed": [*answer.get("Failed", ()), *failed]} if failed else {}), response.status_code
        )

    async def _forward(self, request: Request, parameters: Body) -> httpx.Response:
        self._http = self._http or httpx.AsyncClient(trust_env=False)
        headers = {name: request.headers[name] for name in _FORWARDED_HEADERS if name in request.headers}
        return await self._http.post(self._upstream(), content=json.dumps(parameters), headers=headers)

    async def _converse(self, request: Request) -> Response:
        if self._faults.strikes("model error", MODEL_ERROR):
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

    async def _aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()


def _refused(service: str, exception: str, answer: Body) -> Response:
    return JSONResponse({"__type": f"{service}#{exception}", **answer}, 400)


def _unescaped(body: str) -> str:
    """Return what a body says, where it is JSON."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body


async def _client_is_gone(_request: Request, _error: Exception) -> Response:
    """Answer a worker that was killed during its request."""
    return Response()


def _numbers(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Return the numbers in the last words that have some: what tools returned, and requests to answer, come after."""
    texts = (str(block.get("text", "")) for message in reversed(messages) for block in reversed(message["content"]))
    return next(filter(None, (re.findall(r"\d+", text) for text in texts)), [])
