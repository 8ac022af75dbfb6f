"""The local HTTP API invokes a route's function with API Gateway's event, and responds as API Gateway does."""

import base64
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from local.aws.execution_environment import Crashed
from local.aws.http_api import RouteSpec, http_api
from local.aws.template import UnsupportedTemplate
from twilio_emulator.server import CannotListen, Servers, listen

type Event = Any  # JSON

ROUTE = RouteSpec(method="POST", path="/webhook")


class FakeFunction:
    """Keeps its events; returns the result it was made with, or raises it."""

    def __init__(self, result: object = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.result = result if result is not None else {"statusCode": 200}

    def __call__(self, event: Event) -> object:
        self.events.append(event)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def nothing() -> None:
    """End nothing: the HTTP API has nothing of its own running."""


@contextmanager
def serving_routes(functions: Mapping[RouteSpec, FakeFunction], *, is_ready: bool = True) -> Iterator[httpx.Client]:
    with ThreadPoolExecutor() as threads:
        listening = listen("127.0.0.1", 0)
        application = http_api(list(functions.items()), is_ready=lambda: is_ready, threads=threads)
        servers = Servers({listening: application}, at_end=nothing)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
                yield client
        finally:
            servers.close()


@contextmanager
def serving(function: FakeFunction, *, is_ready: bool = True) -> Iterator[httpx.Client]:
    with serving_routes({ROUTE: function}, is_ready=is_ready) as client:
        yield client


def test_a_forms_event_is_that_of_payload_format_2() -> None:
    function = FakeFunction()
    body = "Body=a+b&Body=c&Empty=&Wort=gr%C3%BC%C3%9F"
    headers = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("X-Twilio-Signature", "sig="),
        ("X-Twice", "one"),
        ("x-twice", "two"),
        ("Cookie", "a=1; b=2"),
        ("User-Agent", "TwilioProxy/1.1"),
    ]

    with serving(function) as client:
        client.post("/webhook?one=1&two=2&two=3", content=body, headers=headers)
        port = client.base_url.port

    (event,) = function.events
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /webhook"
    assert "pathParameters" not in event
    assert event["rawPath"] == "/webhook"
    assert event["rawQueryString"] == "one=1&two=2&two=3"
    assert event["queryStringParameters"] == {"one": "1", "two": "2,3"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]).decode() == body
    assert event["headers"]["x-twilio-signature"] == "sig="
    assert event["headers"]["x-twice"] == "one,two"
    assert "cookie" not in event["headers"]
    context = event["requestContext"]
    assert context["domainName"] == f"127.0.0.1:{port}"
    assert context["stage"] == "$default"
    assert context["http"] == {
        "method": "POST",
        "path": "/webhook",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "TwilioProxy/1.1",
    }
    assert context["requestId"]
    assert context["timeEpoch"] > 0


def test_a_json_body_is_not_encoded() -> None:
    function = FakeFunction()

    with serving(function) as client:
        client.post("/webhook", json={"a": "ü"})

    (event,) = function.events
    assert event["body"] == '{"a":"ü"}'
    assert event["isBase64Encoded"] is False


def test_an_event_of_a_request_without_a_body_has_no_body() -> None:
    function = FakeFunction()

    with serving(function) as client:
        client.post("/webhook")

    assert "body" not in function.events[0]
    assert "queryStringParameters" not in function.events[0]


def test_the_functions_result_becomes_the_response() -> None:
    function = FakeFunction(
        {
            "statusCode": 403,
            "headers": {"Content-Type": "text/plain", "X-One": "1"},
            "body": base64.b64encode(b"no").decode(),
            "isBase64Encoded": True,
            "cookies": ["a=1", "b=2"],
        }
    )

    with serving(function) as client:
        response = client.post("/webhook", content=b"x")

    assert (response.status_code, response.text, response.headers["x-one"]) == (403, "no", "1")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_failed_invocation_is_an_internal_server_error() -> None:
    function = FakeFunction(Crashed("SIGKILL"))

    with serving(function) as client:
        response = client.post("/webhook", content=b"x")

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhook"),
        ("HEAD", "/webhook"),
        ("PUT", "/webhook"),
        ("POST", "/webhook/"),
        ("POST", "/other"),
        ("GET", "/"),
    ],
)
def test_all_other_routes_are_not_found(method: str, path: str) -> None:
    function = FakeFunction()

    with serving(function) as client:
        response = client.request(method, path)

    assert response.status_code == 404
    assert response.text == ("" if method == "HEAD" else '{"message": "Not Found"}')
    assert response.headers["content-type"] == "application/json"
    assert function.events == []


def test_a_body_above_the_limit_of_api_gateway_is_refused() -> None:
    function = FakeFunction()

    with serving(function) as client:
        response = client.post("/webhook", content=b"x" * (10 * 1024 * 1024 + 1))

    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})
    assert function.events == []


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
def test_healthz_is_200_once_everything_is_up(*, is_ready: bool, status: int) -> None:
    with serving(FakeFunction(), is_ready=is_ready) as client:
        response = client.get("/healthz")

    assert response.status_code == status


def test_the_error_of_a_port_in_use_names_its_address() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotListen, match=f"127.0.0.1:{port}: Address already in use"):
            listen("127.0.0.1", port)


def route_that_answers(method: str, path: str, *routes: str) -> str:
    """Serve routes such as `GET /orders`; return the key of the one whose function gets the request, or the status."""
    functions = {RouteSpec.of(*route.split()): FakeFunction() for route in routes}
    with serving_routes(functions) as client:
        status = client.request(method, path).status_code
    invoked = [event["routeKey"] for function in functions.values() for event in function.events]
    return invoked[0] if invoked else str(status)


def test_each_route_invokes_its_own_function() -> None:
    webhook, token = FakeFunction({"statusCode": 202}), FakeFunction({"statusCode": 200, "body": "a token"})
    routes = {ROUTE: webhook, RouteSpec.of("get", "/webchat/token"): token}

    with serving_routes(routes) as client:
        responses = [client.post("/webhook", content=b"x"), client.get("/webchat/token"), client.post("/webchat/token")]

    assert [response.status_code for response in responses] == [202, 200, 404]
    assert [event["routeKey"] for event in webhook.events] == ["POST /webhook"]
    assert [event["routeKey"] for event in token.events] == ["GET /webchat/token"]


def test_two_functions_share_a_path_by_method() -> None:
    routes = ("GET /orders", "POST /orders")

    assert route_that_answers("GET", "/orders", *routes) == "GET /orders"
    assert route_that_answers("POST", "/orders", *routes) == "POST /orders"
    assert route_that_answers("PUT", "/orders", *routes) == "404"


def test_a_path_parameter_stands_in_the_event() -> None:
    function = FakeFunction()

    with serving_routes({RouteSpec.of("GET", "/orders/{id}/{proxy+}"): function}) as client:
        client.get("/orders/7/lines/2")

    (event,) = function.events
    assert event["pathParameters"] == {"id": "7", "proxy": "lines/2"}
    assert event["routeKey"] == "GET /orders/{id}/{proxy+}"
    assert event["rawPath"] == "/orders/7/lines/2"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/orders/open", "GET /orders/open"),
        ("/orders/7", "GET /orders/{id}"),
        ("/orders/7/lines", "ANY /{proxy+}"),
        ("/other", "ANY /{proxy+}"),
        ("/", "404"),
    ],
)
def test_the_most_specific_route_is_chosen(path: str, route: str) -> None:
    routes = ("ANY /{proxy+}", "GET /orders/{id}", "GET /orders/open", "ANY /orders/open")

    assert route_that_answers("GET", path, *routes) == route


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "$default", r"\$default"),
        ("GET", "/{proxy+}/end", r"/\{proxy\+\}/end"),
        ("GET", "/a{id}", r"/a\{id\}"),
        ("GET", "orders", "orders"),
        ("TRACE", "/orders", "TRACE"),
    ],
)
def test_a_route_that_is_not_supported_is_an_error_that_names_it(method: str, path: str, named: str) -> None:
    with pytest.raises(UnsupportedTemplate, match=named):
        RouteSpec.of(method, path)
