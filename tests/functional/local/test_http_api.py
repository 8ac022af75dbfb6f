"""The front door hands a function what an HTTP API would, and answers what an HTTP API would."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from local.aws.execution_environment import Crashed
from local.aws.http_api import front_door
from twilio_emulator.server import CannotListen, Servers, listen

type Event = Any  # JSON

ROUTE = "POST /webhook"


class FakeFunction:
    """Keeps its events; answers what it was told to."""

    def __init__(self, result: object = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.result = result if result is not None else {"statusCode": 200}

    def __call__(self, event: Event) -> object:
        self.events.append(event)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def nothing() -> None:
    """End nothing: the front door alone has nothing running."""


@contextmanager
def serving(function: FakeFunction, *, is_ready: bool = True) -> Iterator[httpx.Client]:
    with ThreadPoolExecutor() as threads:
        listening = listen("127.0.0.1", 0)
        application = front_door(function, route=ROUTE, is_ready=lambda: is_ready, threads=threads)
        servers = Servers({listening: application}, at_end=nothing)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
                yield client
        finally:
            servers.close()


def test_a_form_arrives_as_an_http_api_hands_it_on() -> None:
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
    assert event["routeKey"] == ROUTE
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


def test_json_arrives_plain() -> None:
    function = FakeFunction()

    with serving(function) as client:
        client.post("/webhook", json={"a": "ü"})

    (event,) = function.events
    assert event["body"] == '{"a":"ü"}'
    assert event["isBase64Encoded"] is False


def test_an_empty_body_is_no_body() -> None:
    function = FakeFunction()

    with serving(function) as client:
        client.post("/webhook")

    assert "body" not in function.events[0]
    assert "queryStringParameters" not in function.events[0]


def test_the_functions_answer_goes_out_as_it_is() -> None:
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


def test_a_function_that_gives_no_result_is_an_internal_server_error() -> None:
    function = FakeFunction(Crashed("SIGKILL"))

    with serving(function) as client:
        response = client.post("/webhook", content=b"x")

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/webhook"), ("PUT", "/webhook"), ("POST", "/webhook/"), ("POST", "/other"), ("GET", "/")],
)
def test_all_other_routes_are_not_found(method: str, path: str) -> None:
    function = FakeFunction()

    with serving(function) as client:
        response = client.request(method, path)

    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})
    assert response.headers["content-type"] == "application/json"
    assert function.events == []


def test_a_body_larger_than_the_apis_limit_is_refused() -> None:
    function = FakeFunction()

    with serving(function) as client:
        response = client.post("/webhook", content=b"x" * (10 * 1024 * 1024 + 1))

    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})
    assert function.events == []


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
def test_health_tells_whether_everything_is_up(*, is_ready: bool, status: int) -> None:
    with serving(FakeFunction(), is_ready=is_ready) as client:
        response = client.get("/healthz")

    assert response.status_code == status


def test_a_taken_port_is_told_by_its_address() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotListen, match=f"127.0.0.1:{port}: Address already in use"):
            listen("127.0.0.1", port)
