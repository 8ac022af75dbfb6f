"""Errors of tools and models, family by family: what a turn is told of them.

What is no requirement of ours is rebuilt here, with the modules, bases and attributes that these files give it:
src/openai/_exceptions.py, src/anthropic/_exceptions.py, aiohttp/client_exceptions.py and httpx2/_exceptions.py.
"""

import asyncio
import re
import socket
import ssl
import urllib.error
from collections.abc import Callable, Iterator
from email.message import Message
from http import HTTPStatus
from types import SimpleNamespace
from typing import override

import botocore.exceptions as aws
import httpx
import pytest
import requests
import urllib3
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.exceptions import (
    ContentFilterError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
    ModelUnavailableError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ThinkingPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from switchboard.errors import Misconfigured, ModelMisconfigured, Permanent, SwitchboardError, Transient, Unknown
from tests.assistants import KNOWLEDGE, TURN, answering, question

SECRET = "my card number is 4111"
Raises = Callable[[], object]


# What libraries raise


def sdk(module: str) -> SimpleNamespace:
    """Return the exceptions of a provider's package, openai's or anthropic's: both are generated alike."""
    home = {"__module__": module}
    base = type({"openai": "OpenAIError", "anthropic": "AnthropicError"}[module], (Exception,), home)

    def init(self: Exception, message: str, request: object, *, body: object) -> None:
        Exception.__init__(self, message)
        vars(self).update(message=message, request=request, body=body)
        if module == "openai":
            fields = body if isinstance(body, dict) else {}
            vars(self).update(code=fields.get("code"), type=fields.get("type"))

    def init_status(self: Exception, message: str, *, response: httpx.Response, body: object) -> None:
        init(self, message, response.request, body=body)
        vars(self).update(response=response, status_code=response.status_code)

    def init_connection(self: Exception, *, message: str = "Connection error.", request: object) -> None:
        init(self, message, request, body=None)

    def init_timeout(self: Exception, request: object) -> None:
        init(self, "Request timed out.", request, body=None)

    api = type("APIError", (base,), {**home, "__init__": init})
    status = type("APIStatusError", (api,), {**home, "__init__": init_status})
    connection = type("APIConnectionError", (api,), {**home, "__init__": init_connection})
    named = ("BadRequestError", "AuthenticationError", "PermissionDeniedError", "NotFoundError", "RateLimitError")
    return SimpleNamespace(
        APIError=api,
        APIStatusError=status,
        APIConnectionError=connection,
        APITimeoutError=type("APITimeoutError", (connection,), {**home, "__init__": init_timeout}),
        InternalServerError=type("InternalServerError", (status,), home),
        **{name: type(name, (status,), home) for name in named},
    )


def aiohttp() -> SimpleNamespace:
    """Return aiohttp's exceptions."""
    home = {"__module__": "aiohttp.client_exceptions"}

    def init_response(self: Exception, info: object, history: tuple[object, ...], *, status: int, message: str) -> None:
        Exception.__init__(self, info, history)
        vars(self).update(status=status, message=message)

    def code(_: Exception) -> object:
        pytest.fail("aiohttp warns whoever reads it")

    error = type("ClientError", (Exception,), home)
    connection = type("ClientConnectionError", (error,), home)
    os_error = type("ClientOSError", (connection, OSError), home)
    connector = type("ClientConnectorError", (os_error,), home)
    server = type("ServerConnectionError", (connection,), home)
    tls = type("ClientSSLError", (connector,), home)
    return SimpleNamespace(
        ClientResponseError=type(
            "ClientResponseError", (error,), {**home, "__init__": init_response, "code": property(code)}
        ),
        ClientOSError=os_error,
        ClientConnectorError=connector,
        ClientConnectorDNSError=type("ClientConnectorDNSError", (connector,), home),
        ClientConnectorCertificateError=type("ClientConnectorCertificateError", (tls, ssl.CertificateError), home),
        ServerDisconnectedError=type("ServerDisconnectedError", (server,), home),
        ServerTimeoutError=type("ServerTimeoutError", (server, TimeoutError), home),
        ClientPayloadError=type("ClientPayloadError", (error,), home),
    )


def httpx2(name: str, *bases: str) -> Exception:
    """Return an exception of httpx2, by its name and those of its bases, the nearest first."""
    kind: type[Exception] = Exception
    for each in reversed((name, *bases, "TransportError", "RequestError", "HTTPError")):
        kind = type(each, (kind,), {"__module__": "httpx2"})
    return kind(SECRET)


AIOHTTP = aiohttp()
OPENAI, ANTHROPIC = sdk("openai"), sdk("anthropic")
REQUEST = httpx.Request("POST", "https://api.example.com/v1/orders")
POOL = urllib3.HTTPSConnectionPool("api.example.com")
REFUSED = ConnectionRefusedError(111, "Connection refused")
BAD_CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")


def httpx_status(status: int) -> Exception:
    return httpx.HTTPStatusError(SECRET, request=REQUEST, response=httpx.Response(status, request=REQUEST))


def requests_status(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(SECRET, response=response)


def aiohttp_status(status: int) -> Exception:
    error: Exception = AIOHTTP.ClientResponseError(None, (), status=status, message=SECRET)
    return error


def urllib_status(status: int) -> Exception:
    return urllib.error.HTTPError("https://api.example.com", status, SECRET, Message(), None)


def aws_status(status: int, code: str = "Whatever", operation: str = "GetItem") -> Exception:
    error = {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return aws.ClientError(error, operation)  # type: ignore[arg-type]


def sdk_status(package: SimpleNamespace, name: str, status: int, body: object = None) -> Exception:
    error: Exception = getattr(package, name)(SECRET, response=httpx.Response(status, request=REQUEST), body=body)
    return error


def model_status(status: int) -> Exception:
    return ModelHTTPError(status, "model", body={"message": SECRET})


def caused(error: Exception, cause: BaseException) -> Exception:
    """Return an error as `raise error from cause` leaves it."""
    error.__cause__ = cause
    return error


def during(error: Exception, context: BaseException) -> Exception:
    """Return an error as raising it in an `except` leaves it."""
    error.__context__ = context
    return error


def from_none(error: Exception, context: BaseException) -> Exception:
    """Return an error as `raise error from None` leaves it."""
    error.__context__ = context
    error.__suppress_context__ = True
    return error


CONNECTIONS: dict[str, Exception] = {
    "TimeoutError": TimeoutError(SECRET),
    "ConnectionRefusedError": REFUSED,
    "ConnectionResetError": ConnectionResetError(104, SECRET),
    "BrokenPipeError": BrokenPipeError(32, SECRET),
    "gaierror": socket.gaierror(-3, "Temporary failure in name resolution"),
    "no route": OSError(113, "No route to host"),
    "all addresses": OSError("Multiple exceptions: [Errno 111] ('::1', 80), [Errno 111] ('127.0.0.1', 80)"),
    "SSLEOFError": ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
    "httpx.ReadTimeout": httpx.ReadTimeout(SECRET),
    "httpx.PoolTimeout": httpx.PoolTimeout(SECRET),
    "httpx.ConnectError": httpx.ConnectError(SECRET),
    "httpx.ReadError": httpx.ReadError(SECRET),
    "httpx.RemoteProtocolError": httpx.RemoteProtocolError(SECRET),
    "httpx.ProxyError": httpx.ProxyError(SECRET),
    "httpx2.ConnectTimeout": httpx2("ConnectTimeout", "TimeoutException"),
    "httpx2.WriteError": httpx2("WriteError", "NetworkError"),
    "requests.ConnectionError": requests.ConnectionError(SECRET),
    "requests.ReadTimeout": requests.ReadTimeout(SECRET),
    "requests.ConnectTimeout": requests.ConnectTimeout(SECRET),
    "requests.ProxyError": requests.exceptions.ProxyError(SECRET),
    "requests.ChunkedEncodingError": requests.exceptions.ChunkedEncodingError(SECRET),
    "requests.RetryError": requests.exceptions.RetryError(SECRET),
    "requests.SSLError": requests.exceptions.SSLError(ssl.SSLEOFError(8, "EOF occurred")),
    "urllib3.ReadTimeoutError": urllib3.exceptions.ReadTimeoutError(POOL, "/", SECRET),
    "urllib3.ConnectTimeoutError": urllib3.exceptions.ConnectTimeoutError(SECRET),
    "urllib3.NewConnectionError": urllib3.exceptions.NewConnectionError(POOL, SECRET),  # type: ignore[arg-type]
    "urllib3.ProtocolError": urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError()),
    "urllib3.MaxRetryError": urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.ResponseError("too many")),
    "urllib3.IncompleteRead": urllib3.exceptions.IncompleteRead(1, 2),
    "aiohttp.ClientConnectorError": AIOHTTP.ClientConnectorError(111, SECRET),
    "aiohttp.ClientConnectorDNSError": AIOHTTP.ClientConnectorDNSError(111, SECRET),
    "aiohttp.ServerDisconnectedError": AIOHTTP.ServerDisconnectedError(),
    "aiohttp.ServerTimeoutError": AIOHTTP.ServerTimeoutError(),
    "aiohttp.ClientPayloadError": AIOHTTP.ClientPayloadError(SECRET),
    "aiohttp.ClientOSError": AIOHTTP.ClientOSError(104, SECRET),
    "botocore.EndpointConnectionError": aws.EndpointConnectionError(endpoint_url="https://a.example.com"),
    "botocore.ReadTimeoutError": aws.ReadTimeoutError(endpoint_url="https://a.example.com"),
    "botocore.ConnectTimeoutError": aws.ConnectTimeoutError(endpoint_url="https://a.example.com"),
    "botocore.ConnectionClosedError": aws.ConnectionClosedError(endpoint_url="https://a.example.com"),
    "botocore.HTTPClientError": aws.HTTPClientError(error=SECRET),
    "botocore.ResponseStreamingError": aws.ResponseStreamingError(error=SECRET),
    "openai.APIConnectionError": OPENAI.APIConnectionError(request=REQUEST),
    "openai.APITimeoutError": OPENAI.APITimeoutError(REQUEST),
    "anthropic.APIConnectionError": ANTHROPIC.APIConnectionError(request=REQUEST),
    "anthropic.APITimeoutError": ANTHROPIC.APITimeoutError(REQUEST),
    "ModelConnectionError": ModelConnectionError("model", SECRET),
    "Unknown": Unknown(SECRET),
}
STATUSES: dict[str, Callable[[int], Exception]] = {
    "httpx": httpx_status,
    "requests": requests_status,
    "aiohttp": aiohttp_status,
    "urllib": urllib_status,
    "botocore": aws_status,
    "openai": lambda status: sdk_status(OPENAI, "APIStatusError", status),
    "anthropic": lambda status: sdk_status(ANTHROPIC, "APIStatusError", status),
    "pydantic-ai": model_status,
}
CODES: dict[str, Exception] = {
    "botocore ThrottlingException": aws_status(400, "ThrottlingException"),
    "botocore ProvisionedThroughputExceededException": aws_status(400, "ProvisionedThroughputExceededException"),
    "botocore TooManyRequestsException": aws_status(400, "TooManyRequestsException"),
    "botocore SlowDown": aws_status(400, "SlowDown"),
    "botocore without a status": aws.ClientError({"Error": {"Code": "ServiceUnavailableException"}}, "Converse"),
    "openai in a stream": OPENAI.APIError(SECRET, REQUEST, body={"code": "rate_limit_exceeded", "type": "requests"}),
    "openai server_error": OPENAI.APIError(SECRET, REQUEST, body={"code": None, "type": "server_error"}),
    "anthropic in a stream": sdk_status(
        ANTHROPIC, "APIStatusError", 200, {"type": "error", "error": {"type": "overloaded_error", "message": SECRET}}
    ),
    "openai RateLimitError": sdk_status(OPENAI, "RateLimitError", 429, {"code": "rate_limit_exceeded"}),
}
PASSING = CONNECTIONS | CODES
REFUSALS: dict[str, Exception] = {
    "openai AuthenticationError": sdk_status(OPENAI, "AuthenticationError", 401, {"code": "invalid_api_key"}),
    "openai PermissionDeniedError": sdk_status(OPENAI, "PermissionDeniedError", 403),
    "openai NotFoundError": sdk_status(OPENAI, "NotFoundError", 404, {"code": "model_not_found"}),
    "openai insufficient_quota": sdk_status(OPENAI, "RateLimitError", 429, {"code": "insufficient_quota"}),
    "anthropic AuthenticationError": sdk_status(ANTHROPIC, "AuthenticationError", 401),
    "anthropic PermissionDeniedError": sdk_status(ANTHROPIC, "PermissionDeniedError", 403),
    "anthropic NotFoundError": sdk_status(ANTHROPIC, "NotFoundError", 404),
    "anthropic billing": sdk_status(ANTHROPIC, "APIStatusError", 400, {"error": {"type": "billing_error"}}),
    "ModelHTTPError 401": model_status(401),
    "ModelHTTPError 402": model_status(402),
    "ModelHTTPError 403": model_status(403),
    "ModelHTTPError 404": model_status(404),
    "ModelAuthenticationError": ModelAuthenticationError("model", SECRET),
    "ModelNotFoundError as 400": ModelHTTPError.for_category(ModelNotFoundError, status_code=400, model_name="model"),
    "ModelQuotaExceededError": ModelHTTPError.for_category(
        ModelQuotaExceededError, status_code=429, model_name="model", body=SECRET
    ),
    **{
        f"bedrock {code}": aws_status(400, code, "Converse")
        for code in (
            "AccessDeniedException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
            "ResourceNotFoundException",
            "ServiceQuotaExceededException",
        )
    },
}
BUGS: dict[str, Exception] = {
    "KeyError": KeyError(SECRET),
    "TypeError": TypeError(SECRET),
    "ValueError": ValueError(SECRET),
    "FileNotFoundError": FileNotFoundError(2, SECRET),
    "JSONDecodeError": requests.exceptions.JSONDecodeError(SECRET, "", 0),
    "httpx.UnsupportedProtocol": httpx.UnsupportedProtocol(SECRET),
    "httpx.LocalProtocolError": httpx.LocalProtocolError(SECRET),
    "httpx.InvalidURL": httpx.InvalidURL(SECRET),
    "httpx.TooManyRedirects": httpx.TooManyRedirects(SECRET),
    "requests.InvalidURL": requests.exceptions.InvalidURL(SECRET),
    "botocore.ParamValidationError": aws.ParamValidationError(report=SECRET),
    "botocore.NoCredentialsError": aws.NoCredentialsError(),
    "dynamodb AccessDeniedException": aws_status(400, "AccessDeniedException"),
    "dynamodb ResourceNotFoundException": aws_status(400, "ResourceNotFoundException"),
    "certificate": BAD_CERTIFICATE,
    "httpx, certificate": caused(httpx.ConnectError(SECRET), BAD_CERTIFICATE),
    "requests, certificate": requests.exceptions.SSLError(
        urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.SSLError(BAD_CERTIFICATE))
    ),
    "aiohttp, certificate": AIOHTTP.ClientConnectorCertificateError(1, SECRET),
    "UsageLimitExceeded": caused(UsageLimitExceeded(SECRET), TimeoutError(SECRET)),
    "hidden context": from_none(KeyError(SECRET), TimeoutError(SECRET)),
    "hidden deeper": caused(RuntimeError(SECRET), from_none(KeyError(SECRET), TimeoutError(SECRET))),
    "decided by the team": caused(RuntimeError(SECRET), caused(Permanent("no"), TimeoutError(SECRET))),
    "group of bugs": ExceptionGroup(SECRET, [KeyError(SECRET), ValueError(SECRET)]),
}
WRAPPED: dict[str, Exception] = {
    "cause": caused(RuntimeError(SECRET), httpx.ReadTimeout(SECRET)),
    "context": during(KeyError(SECRET), requests_status(503)),
    "cause of a context": during(KeyError(SECRET), caused(RuntimeError(SECRET), REFUSED)),
    "group": ExceptionGroup(SECRET, [KeyError(SECRET), httpx.ConnectTimeout(SECRET)]),
    "group in a cause": caused(RuntimeError(SECRET), ExceptionGroup(SECRET, [ExceptionGroup(SECRET, [REFUSED])])),
    "cause of a member": ExceptionGroup(SECRET, [caused(RuntimeError(SECRET), aiohttp_status(502))]),
    "URLError": urllib.error.URLError(socket.gaierror(-2, "Name or service not known")),
    "argument": RuntimeError(SECRET, httpx.ReadTimeout(SECRET)),
    "ModelAPIError": caused(ModelAPIError("model", SECRET), httpx.ReadError(SECRET)),
    "a decision of the team": caused(RuntimeError(SECRET), Transient("the shop is closed")),
}


# Through the assistant


def raising(error: Exception) -> Raises:
    def look_up() -> object:
        """Look up."""
        raise error

    return look_up


def tried(error: Exception, *, by: str) -> SwitchboardError:
    """Return what an assistant raises whose tool or model raises an error."""

    async def of_model(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise error

    async def calls_tool(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("look_up", {})])

    error.__traceback__ = None  # the cases are shared
    return failed(FunctionModel(of_model if by == "model" else calls_tool), raising(error))


def failed(model: FunctionModel | FallbackModel, *tools: Raises) -> SwitchboardError:
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF], tools=tools)
    assistant = Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))
    with answering(assistant, model) as answerer, pytest.raises(SwitchboardError) as raised:
        answerer.answer(question(SECRET))
    shown = "\n".join(chain(raised.value))
    assert SECRET not in shown
    assert shown.startswith(TURN)
    return raised.value


def chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def says(*parts: TextPart | ThinkingPart | ToolCallPart, finish: str | None = None) -> FunctionModel:
    async def respond(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=parts, finish_reason=finish)  # type: ignore[arg-type]

    return FunctionModel(respond)


@pytest.mark.parametrize("by", ["tool", "model"])
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again_later(name: str, by: str) -> None:
    failure = tried(PASSING[name], by=by)

    assert type(failure) is Transient
    kind = type(PASSING[name]).__name__
    assert re.fullmatch(rf"{TURN}: the agent failed with {kind}( \d+)? at test_failures\.py:\d+ in \w+", str(failure))


@pytest.mark.parametrize("by", ["tool", "model"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("family", STATUSES)
def test_a_response_that_passes_is_tried_again_later(family: str, status: int, by: str) -> None:
    failure = tried(STATUSES[family](status), by=by)

    assert type(failure) is Transient
    assert f"Error {status} at test_failures.py:" in str(failure)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
@pytest.mark.parametrize("family", ["httpx", "requests", "aiohttp", "urllib", "botocore"])
def test_a_request_of_a_tool_that_is_refused_is_permanent(family: str, status: int) -> None:
    failure = tried(STATUSES[family](status), by="tool")

    assert type(failure) is Permanent
    assert f"Error {status} at test_failures.py:" in str(failure)


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("family", STATUSES)
def test_a_model_that_refuses_us_is_the_operators_to_mend(family: str, status: int) -> None:
    failure = tried(STATUSES[family](status), by="model")

    assert type(failure) is ModelMisconfigured
    assert "ASSISTANT_MODEL" in str(failure)


@pytest.mark.parametrize("by", ["tool", "model"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_model_that_refuses_us_is_the_operators_to_mend_also_where_a_tool_asked_it(name: str, by: str) -> None:
    failure = tried(REFUSALS[name], by=by)

    assert type(failure) is ModelMisconfigured
    assert "ASSISTANT_MODEL" in str(failure)


@pytest.mark.parametrize("error", [aws.NoCredentialsError(), caused(RuntimeError(SECRET), httpx_status(401))])
def test_a_model_without_credentials_is_the_operators_to_mend(error: Exception) -> None:
    assert type(tried(error, by="model")) is ModelMisconfigured


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("family", STATUSES)
def test_a_request_that_a_model_cannot_take_is_permanent(family: str, status: int) -> None:
    assert type(tried(STATUSES[family](status), by="model")) is Permanent


def test_a_refusal_that_the_model_says_will_pass_is_tried_again_later() -> None:
    processing = ModelHTTPError.for_category(ModelUnavailableError, status_code=403, model_name="model")
    error = caused(processing, aws_status(403, "MPAgreementBeingCreated", "Converse"))

    assert type(tried(error, by="model")) is Transient


def test_of_several_models_the_one_that_refuses_us_is_told() -> None:
    async def busy(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise model_status(503)

    async def refuses(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise model_status(401)

    failure = failed(FallbackModel(FunctionModel(busy), FunctionModel(refuses)))

    assert type(failure) is ModelMisconfigured
    assert type(tried(FallbackExceptionGroup(SECRET, [model_status(500)]), by="tool")) is Transient


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_in_a_tool_is_permanent_and_shown_where_it_is(name: str) -> None:
    failure = tried(BUGS[name], by="tool")

    assert type(failure) is Permanent
    kind = type(BUGS[name]).__name__
    assert re.match(rf"{TURN}: the agent failed with {kind}.* at test_failures\.py:\d+ in look_up", str(failure))


@pytest.mark.parametrize("name", WRAPPED)
def test_what_passes_is_found_in_what_caused_an_error(name: str) -> None:
    failure = tried(WRAPPED[name], by="tool")

    assert type(failure) is Transient
    kind = type(WRAPPED[name]).__name__
    assert re.match(
        rf"{TURN}: the agent failed with {kind}.* at test_failures\.py:\d+ in look_up, because", str(failure)
    )


def test_an_error_that_runs_in_a_circle_is_judged() -> None:
    first, second = KeyError(SECRET), RuntimeError(SECRET)

    assert type(tried(during(first, during(second, first)), by="tool")) is Permanent


def test_an_error_whose_properties_fail_is_judged() -> None:
    class Odd(Exception):
        @property
        def response(self) -> object:
            raise RuntimeError(SECRET)

        @override
        def __str__(self) -> str:
            raise AssertionError

    assert type(tried(Odd(), by="tool")) is Permanent


def test_a_status_may_be_an_enum() -> None:
    class Busy(Exception):
        code = HTTPStatus.SERVICE_UNAVAILABLE

    failure = tried(Busy(SECRET), by="tool")

    assert type(failure) is Transient
    assert "Busy 503 at" in str(failure)


# Answers that are none


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (says(), "UnexpectedModelBehavior"),
        (says(TextPart("")), "UnexpectedModelBehavior"),
        (says(ThinkingPart("hm")), "UnexpectedModelBehavior"),
        (says(ThinkingPart("hm"), finish="length"), "OutputTokenLimitExceeded"),
        (says(finish="content_filter"), "ContentFilterError"),
    ],
)
def test_a_model_that_says_nothing_is_asked_again_later(model: FunctionModel, kind: str) -> None:
    failure = failed(model, raising(KeyError()))

    assert type(failure) is Transient
    assert f"failed with {kind} at" in str(failure)


@pytest.mark.parametrize("error", [UnexpectedModelBehavior(SECRET, SECRET), ContentFilterError(SECRET)])
def test_a_response_that_cannot_be_read_is_asked_for_again_later(error: Exception) -> None:
    assert type(tried(error, by="model")) is Transient


@pytest.mark.parametrize(
    "error", [TypeError(SECRET), ModelAPIError("model", SECRET), FallbackExceptionGroup(SECRET, [KeyError(SECRET)])]
)
def test_an_answer_that_no_sdk_expects_is_asked_for_again_later(error: Exception) -> None:
    assert type(tried(error, by="model")) is Transient
    assert type(tried(error, by="tool")) is Permanent


@pytest.mark.parametrize(
    "error",
    [UserError(SECRET), ModelRequestRejectedError("model", SECRET), ExceptionGroup(SECRET, [model_status(400)])],
)
def test_a_request_that_is_refused_without_a_status_is_permanent(error: Exception) -> None:
    assert type(tried(error, by="model")) is Permanent


def test_a_model_that_goes_on_handing_over_wrongly_is_permanent() -> None:
    assert type(failed(says(ToolCallPart(str(HANDOFF.name), {"reply": 1})))) is Permanent


def test_a_tool_that_goes_on_refusing_is_permanent_and_shown_where_it_does() -> None:
    failure = failed(says(ToolCallPart("look_up", {})), raising(ModelRetry(SECRET)))

    assert type(failure) is Permanent
    assert re.search(r"UnexpectedModelBehavior at test_failures\.py:\d+ in look_up", str(failure))


def test_a_tool_that_goes_on_asking_for_time_is_tried_again_later() -> None:
    failure = failed(says(ToolCallPart("look_up", {})), raising(caused(ModelRetry(SECRET), httpx.ReadTimeout(SECRET))))

    assert type(failure) is Transient


# The place


def test_the_place_is_the_deepest_in_the_teams_own_file() -> None:
    def check_stock() -> object:
        """Check the stock."""
        return requests.Session().send(requests.Request("GET", "https://shop.example.com"))  # type: ignore[arg-type]

    failure = failed(says(ToolCallPart("check_stock", {})), check_stock)

    assert re.fullmatch(
        rf"{TURN}: the agent failed with ValueError at test_failures\.py:\d+ in check_stock", str(failure)
    )


def test_the_place_of_a_group_is_that_of_its_member() -> None:
    async def fail() -> None:
        raise KeyError(SECRET)

    async def check_all() -> object:
        """Check all."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
        return None

    failure = failed(says(ToolCallPart("check_all", {})), check_all)

    assert re.search(r"ExceptionGroup of KeyError at test_failures\.py:\d+ in fail$", str(failure))


def test_a_refused_connection_is_recognised_as_the_libraries_raise_it() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        asks: dict[str, Raises] = {
            "by_httpx": lambda: httpx.get(url, trust_env=False),
            "by_requests": lambda: requests.get(url, timeout=5, proxies={"no_proxy": "*"}),
            "by_urllib3": lambda: urllib3.PoolManager(retries=False).request("GET", url),
        }
        for name, ask in asks.items():
            ask.__name__, ask.__doc__ = name, "Ask."
            assert type(failed(says(ToolCallPart(name, {})), ask)) is Transient


@pytest.mark.parametrize("decision", [Transient("the stock service is away"), Misconfigured("STOCK_URL is not set")])
def test_what_a_tool_decided_itself_stays(decision: SwitchboardError) -> None:
    async def calls_tool(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        assert isinstance(messages[-1].parts[-1], UserPromptPart)
        return ModelResponse(parts=[ToolCallPart("look_up", {})])

    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF], tools=[raising(decision)])
    with (
        answering(Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE)), FunctionModel(calls_tool)) as answerer,
        pytest.raises(type(decision)) as raised,
    ):
        answerer.answer(question("hi"))

    assert raised.value is decision
