"""Any request: what a web framework received is verified like an event of API Gateway, or rejected like one."""

import asyncio
import io
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request
from starlette.requests import Request as StarletteRequest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from switchboard.errors import Malformed, NotAuthentic, RejectionCause
from switchboard.twilio.webhook.any_request import request_from_any
from switchboard.twilio.webhook.verify import MAX_BODY_BYTES, WebhookRequest, verify
from tests.signing import DOMAIN, TOKEN, URL, message_fields, signature_of

FIELDS = message_fields()
BODY = urlencode(FIELDS).encode()
FORM = "application/x-www-form-urlencoded; charset=utf-8"
HEADERS = {"Content-Type": FORM, "X-Twilio-Signature": signature_of(FIELDS)}


def environ(changes: Mapping[str, object]) -> dict[str, Any]:
    """Return the environ of a WSGI server with changes; `None` takes a variable out."""
    built = {**as_environ(BODY, HEADERS, "/webhook", ""), **changes}
    return {name: value for name, value in built.items() if value is not None}


def as_tuple(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    return (f"https://{DOMAIN}{path}{query and '?'}{query}", headers, body)


def as_environ(body: bytes, headers: Mapping[str, str], path: str, query: str) -> dict[str, Any]:
    builder = EnvironBuilder(path, f"https://{DOMAIN}", query, method="POST", data=body, headers=Headers(headers))
    return builder.get_environ()


def as_werkzeug(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    return WerkzeugRequest(as_environ(body, headers, path, query))


class DjangoRequest:
    """What a django.http.HttpRequest has of what we read."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self.META = environ
        self.headers = {"Content-Type": environ.get("CONTENT_TYPE", "")}
        if "HTTP_X_TWILIO_SIGNATURE" in environ:
            self.headers["X-Twilio-Signature"] = environ["HTTP_X_TWILIO_SIGNATURE"]
        self.allowed_hosts = [DOMAIN]

    @property
    def body(self) -> bytes:
        return bytes(self.META["wsgi.input"].read())

    def build_absolute_uri(self) -> str:
        if self.META["HTTP_HOST"] not in self.allowed_hosts:
            raise AssertionError("DisallowedHost")
        return WerkzeugRequest(dict(self.META)).url


def as_django(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    return DjangoRequest(as_environ(body, headers, path, query))


def starlette(
    body: bytes = BODY,
    *,
    headers: Sequence[tuple[str, str]] = (*HEADERS.items(), ("Host", DOMAIN)),
    path: str = "/webhook",
    query: bytes = b"",
) -> StarletteRequest:
    async def arrived() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "query_string": query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    return StarletteRequest(scope, arrived)


def as_starlette(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    return was_read(starlette(body, headers=[*headers.items(), ("Host", DOMAIN)], path=path, query=query.encode()))


def was_read(request: StarletteRequest) -> StarletteRequest:
    asyncio.run(request.body())
    return request


def as_aiohttp(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    async def read() -> object:
        loop = asyncio.get_running_loop()
        payload = StreamReader(BaseProtocol(loop), 2**20, loop=loop)
        payload.feed_data(body)
        payload.feed_eof()
        request = make_mocked_request(
            "POST",
            f"{path}{query and '?'}{query}",
            headers={**headers, "Host": DOMAIN},
            payload=payload,
            sslcontext=SSLContext(PROTOCOL_TLS_CLIENT),
        )
        await request.read()
        return request

    return asyncio.run(read())


def as_sanic(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    return SimpleNamespace(url=f"https://{DOMAIN}{path}{query and '?'}{query}", headers=headers, body=body)


def as_quart(body: bytes, headers: Mapping[str, str], path: str, query: str) -> object:
    async def get_data() -> bytes:
        return body

    return SimpleNamespace(**vars(as_sanic(b"", headers, path, query)) | {"body": object(), "get_data": get_data})


KINDS = [as_tuple, as_environ, as_werkzeug, as_django, as_starlette, as_aiohttp, as_sanic, as_quart]
any_kind = pytest.mark.parametrize("kind", KINDS)


@any_kind
@pytest.mark.parametrize("webhook_url", [None, URL])
def test_what_twilio_signed_is_verified(kind: Callable[..., Any], webhook_url: str | None) -> None:
    request = request_from_any(kind(BODY, HEADERS, "/webhook", ""), webhook_url=webhook_url)

    assert request == WebhookRequest(
        url=URL,
        content_type="application/x-www-form-urlencoded",
        signature=HEADERS["X-Twilio-Signature"],
        body=BODY,
    )
    assert verify(request, auth_tokens=[TOKEN]).get("Body") == FIELDS["Body"]


@any_kind
@pytest.mark.parametrize("webhook_url", [None, URL])
def test_a_json_body_is_verified_by_the_hash_in_the_query(kind: Callable[..., Any], webhook_url: str | None) -> None:
    body = b'{"EventType": "onMessageAdded"}'
    query = f"bodySHA256={sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {})
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}

    request = request_from_any(kind(body, headers, "/webhook", query), webhook_url=webhook_url)

    assert verify(request, auth_tokens=[TOKEN]).get("EventType") == "onMessageAdded"


@any_kind
def test_a_url_that_twilio_was_not_told_is_not_verified(kind: Callable[..., Any]) -> None:
    request = request_from_any(kind(BODY, HEADERS, "/elsewhere", ""))

    with pytest.raises(NotAuthentic):
        verify(request, auth_tokens=[TOKEN])


@any_kind
def test_the_path_and_host_of_a_request_do_not_matter_where_the_webhook_url_is_given(kind: Callable[..., Any]) -> None:
    request = kind(BODY, HEADERS, "/stage/behind a proxy", "")
    if isinstance(request, DjangoRequest):
        request.allowed_hosts = []

    assert verify(request_from_any(request, webhook_url=URL), auth_tokens=[TOKEN])


@any_kind
def test_a_form_must_not_come_with_a_query(kind: Callable[..., Any]) -> None:
    for query in ("AccountSid=AC1", f"bodySHA256={'0' * 64}"):
        with pytest.raises(Malformed, match="must not have a query"):
            request_from_any(kind(BODY, HEADERS, "/webhook", query), webhook_url=URL)


@any_kind
def test_a_path_that_swallowed_the_forms_first_field_is_ambiguous(kind: Callable[..., Any]) -> None:
    with pytest.raises(Malformed) as malformed:
        request_from_any(kind(BODY, HEADERS, "/webhookAccountSidAC1Author", ""))

    assert malformed.value.cause is RejectionCause.AMBIGUOUS


@any_kind
def test_a_request_without_headers_is_unsigned(kind: Callable[..., Any]) -> None:
    request = request_from_any(kind(BODY, {}, "/webhook", ""))

    with pytest.raises(NotAuthentic) as rejected:
        verify(request, auth_tokens=[TOKEN])

    assert (rejected.value.cause, request.content_type) == (RejectionCause.UNSIGNED, "")


@any_kind
def test_a_body_that_is_too_large_is_malformed(kind: Callable[..., Any]) -> None:
    with pytest.raises(Malformed, match="more than 262144 bytes"):
        verify(request_from_any(kind(b"x" * (MAX_BODY_BYTES + 1), HEADERS, "/webhook", "")), auth_tokens=[TOKEN])


@pytest.mark.parametrize(
    "headers",
    [
        {name.upper(): value for name, value in HEADERS.items()},
        {name.lower().encode(): value.encode() for name, value in HEADERS.items()},
        [*HEADERS.items(), ("Cookie", "a"), ("Cookie", "b")],
        iter(HEADERS.items()),
        Headers(HEADERS),
    ],
)
def test_headers_are_a_mapping_or_pairs_in_any_case(headers: object) -> None:
    request = request_from_any((URL, headers, BODY.decode()))

    assert verify(request, auth_tokens=[TOKEN])


@pytest.mark.parametrize("name", ["Content-Type", "x-twilio-signature"])
@pytest.mark.parametrize(
    "make", [lambda headers: (URL, headers, BODY), lambda headers: was_read(starlette(headers=headers))]
)
def test_a_header_that_is_there_twice_is_malformed(name: str, make: Callable[[list[tuple[str, str]]], Any]) -> None:
    with pytest.raises(Malformed, match=f"{name.lower()} is repeated"):
        request_from_any(make([*HEADERS.items(), (name, HEADERS[name.title()])]), webhook_url=URL)


def test_a_header_that_is_none_is_absent() -> None:
    assert request_from_any((URL, {**HEADERS, "X-Twilio-Signature": None}, BODY)).signature == ""


@pytest.mark.parametrize(
    "url",
    [
        f"https://{DOMAIN}/ünd",
        f"https://{DOMAIN}/a b",
        f"https://{DOMAIN}:port/webhook",
        f"https://{DOMAIN}:99999/webhook",
        "https://[/webhook",
        "https:///webhook",
        "ftp://example.com/webhook",
        f"https://{DOMAIN}/\ud800",
    ],
)
def test_an_own_url_that_is_none_is_malformed(url: str) -> None:
    with pytest.raises(Malformed, match="URL of the request is not valid"):
        request_from_any((url, HEADERS, BODY))

    assert request_from_any((url, HEADERS, BODY), webhook_url=URL).url == URL


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (environ({"HTTP_HOST": "api.example.com:port"}), "URL of the request"),
        (environ({"PATH_INFO": "/\u20ac"}), "URL of the request"),
        (WerkzeugRequest(environ({"HTTP_HOST": "["})), "URL of the request"),
        (starlette(query=b"\xff"), "URL of the request"),
        ((URL, HEADERS, "\ud800"), "not text"),
    ],
)
def test_what_no_server_should_pass_is_malformed(request_: object, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        request_from_any(request_)


def test_a_body_of_the_sender_is_never_read_further_than_the_limit() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 <= size <= MAX_BODY_BYTES + 1
            return b"x" * size

    for length in ("262145", "1" * 5000, "-1", "+5", "five", "1_0"):
        for wrap in (dict, WerkzeugRequest, DjangoRequest):
            with pytest.raises(Malformed):
                request_from_any(wrap(environ({"CONTENT_LENGTH": length, "wsgi.input": Endless()})))
    for wrap in (dict, WerkzeugRequest):
        with pytest.raises(Malformed, match="more than 262144 bytes"):
            verify(request_from_any(wrap(environ({**CHUNKED, "wsgi.input": Endless()}))), auth_tokens=[TOKEN])


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


@pytest.mark.parametrize("wrap", [dict, WerkzeugRequest])
@pytest.mark.parametrize("length", [None, "", "3"])
def test_a_chunked_body_is_read_where_the_server_ends_it(
    wrap: Callable[[Mapping[str, Any]], object], length: str | None
) -> None:
    request = request_from_any(wrap(environ({**CHUNKED, "CONTENT_LENGTH": length})))

    assert request.body == BODY
    with pytest.raises(Malformed, match="no Content-Length"):
        request_from_any(wrap(environ({**CHUNKED, "CONTENT_LENGTH": length, "wsgi.input_terminated": None})))


def test_a_wsgi_body_that_is_shorter_than_its_length_is_malformed() -> None:
    with pytest.raises(Malformed, match="shorter than its Content-Length, or was read before"):
        request_from_any(environ({"CONTENT_LENGTH": str(len(BODY) + 1)}))


def test_werkzeugs_request_may_have_its_data_read_before_and_its_form_after() -> None:
    request = WerkzeugRequest(environ({}))
    request.get_data()

    assert request_from_any(request).body == BODY
    assert request.form["Body"] == FIELDS["Body"]


def test_werkzeugs_request_whose_form_was_read_before_is_the_callers_mistake() -> None:
    request = WerkzeugRequest(environ({}))
    assert request.form

    with pytest.raises(TypeError, match="before you read its form"):
        request_from_any(request)


def test_starlettes_request_whose_body_was_not_read_is_the_callers_mistake_even_if_it_has_arrived() -> None:
    with pytest.raises(TypeError, match=r"write `await request\.body\(\)`"):
        request_from_any(starlette())


def test_a_body_that_must_be_waited_for_is_the_callers_mistake() -> None:
    given_up = []

    async def get_data() -> bytes:
        try:
            await asyncio.sleep(60)
        finally:
            given_up.append(True)
        return b""

    async def endpoint() -> None:
        with pytest.raises(TypeError, match=r"Quart: `request\.get_data\(\)`"):
            request_from_any(SimpleNamespace(url=URL, headers=HEADERS, get_data=get_data))

    asyncio.run(endpoint())
    assert given_up == [True]
    with pytest.raises(TypeError, match=r"Quart: `request\.get_data\(\)`"):  # as where no event loop runs
        request_from_any(SimpleNamespace(url=URL, headers=HEADERS, get_data=get_data))


def test_starlettes_request_whose_stream_was_read_is_the_callers_mistake() -> None:
    async def endpoint() -> None:
        request = starlette()
        async for _ in request.stream():
            pass
        with pytest.raises(TypeError, match=r"await request\.body\(\)"):
            request_from_any(request)

    asyncio.run(endpoint())


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (None, "FastAPI"),
        (BODY, "FastAPI"),
        ({"body": BODY}, "FastAPI"),
        (SimpleNamespace(url=URL, headers={}, body=io.BytesIO()), "FastAPI"),
        (SimpleNamespace(url=URL, headers={}), "FastAPI"),
        ((URL, HEADERS), "url, headers, body"),
        ((URL, HEADERS, FIELDS), "bytes or str"),
        ((URL, {"Content-Type": [FORM]}, BODY), "headers must be"),
        (("/webhook", HEADERS, BODY), "absolute"),
    ],
)
def test_what_is_no_request_is_the_callers_mistake(request_: object, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        request_from_any(request_)


def test_a_relative_url_is_enough_where_the_webhook_url_is_given() -> None:
    request = request_from_any(("/webhook", HEADERS, bytearray(BODY)), webhook_url=URL)

    assert verify(request, auth_tokens=[TOKEN])
