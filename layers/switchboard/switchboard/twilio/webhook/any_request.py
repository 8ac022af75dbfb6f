"""The request of a web framework → the request to verify. No framework is imported: attributes tell them apart.

In production, give `webhook_url`, the URL that Twilio was told. Without it, the URL is the request's own: its scheme,
host and path are what the sender and the proxies before us say.
"""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import request_uri

from switchboard.errors import Malformed, RejectionCause
from switchboard.twilio.webhook.verify import MAX_BODY_BYTES, WebhookRequest, check_query, media_type

READ_THE_BODY_FIRST = (
    "the body of the request was not read: write `await request.body()` "
    "(aiohttp: `request.read()`, Quart: `request.get_data()`) before, and read no form"
)
TAKES = (
    "the request must be a tuple (url, headers, body), a WSGI environ, or a request of Flask, Django, Starlette, "
    "FastAPI, aiohttp, Quart or Sanic"
)

type Request = Any  # any framework's

_ABSOLUTE = re.compile(r"https?://[!-~]+")
_LENGTH = re.compile(r"[0-9]{1,9}")


def request_from_any(request: Request, *, webhook_url: str | None = None) -> WebhookRequest:
    """Return the request to verify; raise `Malformed` where the sender must change it, `TypeError` where the caller.

    A `request` is a tuple (url, headers, body), a WSGI environ, or a request of Flask, Django, Starlette, FastAPI,
    aiohttp, Quart or Sanic. Await the body of an asynchronous framework's request before; read its form afterwards.

    `webhook_url` has no query: a `bodySHA256` is taken from the request.
    """
    if isinstance(request, tuple):
        return _from_tuple(request, webhook_url)
    if isinstance(request, Mapping) and "wsgi.input" in request:
        return _from_environ(request, _environ_body(request), webhook_url)
    if hasattr(request, "environ") and hasattr(request, "get_data"):
        return _from_environ(request.environ, _werkzeug_body(request), webhook_url)
    if hasattr(request, "META") and hasattr(request, "build_absolute_uri"):
        return _from_django(request, webhook_url)
    if {"url", "headers"} <= set(dir(request)):  # a URL that is not valid fails when it is built
        return _from_attributes(request, webhook_url)
    raise TypeError(f"{TAKES}, not {type(request).__name__}")


def _from_tuple(request: tuple[Any, ...], webhook_url: str | None) -> WebhookRequest:
    match request:
        case (url, headers, bytes() | bytearray() | memoryview() | str() as body):
            pass
        case _:
            raise TypeError("the tuple must be (url, headers, body), with the body as bytes or str")
    own_url, _, query = str(url).partition("?")
    if not webhook_url and "://" not in own_url:
        raise TypeError("the url of the tuple must be absolute where no webhook_url is given")
    return _request(webhook_url or (lambda: own_url), query, headers, _bytes(body))


def _from_environ(environ: Mapping[str, Any], body: bytes, webhook_url: str | None) -> WebhookRequest:
    headers = {
        "Content-Type": environ.get("CONTENT_TYPE", ""),
        "X-Twilio-Signature": environ.get("HTTP_X_TWILIO_SIGNATURE", ""),
    }
    own_url = webhook_url or (lambda: request_uri(dict(environ), include_query=False))
    return _request(own_url, environ.get("QUERY_STRING", ""), headers, body)


def _environ_body(environ: Mapping[str, Any]) -> bytes:
    """Read the body. Without a length, only where the server ends it: else the read would wait for the sender."""
    if not _has_length(environ) and environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read(MAX_BODY_BYTES + 1))
    size = _length(environ)
    body = bytes(environ["wsgi.input"].read(size))
    if len(body) != size:
        raise Malformed("the body is shorter than its Content-Length, or was read before")
    return body


def _werkzeug_body(request: Request) -> bytes:
    if not _has_length(request.environ):
        return _environ_body(request.environ)
    size = _length(request.environ)
    body = bytes(request.get_data())
    if size and not body:
        raise TypeError("the body of the request was read before: pass the request before you read its form")
    return body


def _from_django(request: Request, webhook_url: str | None) -> WebhookRequest:
    if _has_length(request.META):
        _length(request.META)
    own_url = webhook_url or (lambda: request.build_absolute_uri().partition("?")[0])
    return _request(own_url, request.META.get("QUERY_STRING", ""), request.headers, request.body)


def _from_attributes(request: Request, webhook_url: str | None) -> WebhookRequest:
    """Read a request with `url`, `headers` and one of `body`, `read` and `get_data`, of which many are coroutines."""
    try:
        own_url, _, query = str(request.url).partition("?")
    except ValueError:
        raise Malformed("the URL of the request is not valid") from None
    if not _was_read(request):
        raise TypeError(READ_THE_BODY_FIRST)
    names = ("get_data", "body", "read")
    body = next((getattr(request, name) for name in names if hasattr(request, name)), None)
    if callable(body):
        body = body()
    if isinstance(body, Coroutine):
        body = _result(body)
    if not isinstance(body, bytes):
        raise TypeError(f"{TAKES}, not {type(request).__name__}")
    return _request(webhook_url or (lambda: own_url), query, request.headers, body)


def _was_read(request: Request) -> bool:
    """Tell whether a body was read, as Starlette and aiohttp note it: one may also have arrived in time by chance."""
    if hasattr(request, "_stream_consumed"):
        return hasattr(request, "_body")
    return getattr(request, "_read_bytes", b"") is not None


def _result(coroutine: Coroutine[Any, Any, object]) -> object:
    """Return the result of a coroutine that need not wait, because the body was read before."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    except RuntimeError as error:  # it would wait, and no event loop runs in this thread
        raise TypeError(READ_THE_BODY_FIRST) from error
    coroutine.close()
    raise TypeError(READ_THE_BODY_FIRST)


def _request(url: str | Callable[[], str], query: str, headers: object, body: bytes) -> WebhookRequest:
    """Return the request under the URL that Twilio was told, or under its own, which is built only then."""
    found = _headers(headers)
    content_type = media_type(found.get("content-type", ""))
    check_query(query, content_type=content_type)
    url = url if isinstance(url, str) else _checked_url(url)
    return WebhookRequest(
        url=f"{url}?{query}" if query else url,
        content_type=content_type,
        signature=found.get("x-twilio-signature", ""),
        body=body,
    )


def _headers(headers: Any) -> dict[str, str]:  # noqa: ANN401 -- a mapping, or pairs
    """Return the two headers that we read. A header that is there twice says two things."""
    pairs: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers
    found: dict[str, str] = {}
    for raw_name, value in pairs:
        name = _text(raw_name).lower()
        if name in {"content-type", "x-twilio-signature"} and value is not None:
            if name in found:
                raise Malformed(f"the header {name} is repeated")
            found[name] = _text(value)
    return found


def _checked_url(own_url: Callable[[], str]) -> str:
    """Return a request's own URL. Twilio signs it and the form behind it, so no field may hide in it."""
    try:
        url = own_url()
        parts = urlsplit(url)
        is_valid = _ABSOLUTE.fullmatch(url) and parts.hostname and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise Malformed("the URL of the request is not valid")
    if "AccountSid" in url:  # the form's first field: the path may have swallowed it and what is behind it
        raise Malformed("AccountSid stands inside the URL", cause=RejectionCause.AMBIGUOUS)
    return url


def _has_length(environ: Mapping[str, Any]) -> bool:
    return bool(environ.get("CONTENT_LENGTH")) and not environ.get("HTTP_TRANSFER_ENCODING")


def _length(environ: Mapping[str, Any]) -> int:
    """Return the length of the body; `Malformed` where it is unknown or too large."""
    if not _has_length(environ):
        raise Malformed("the request has no Content-Length")
    length = environ["CONTENT_LENGTH"]
    if not _LENGTH.fullmatch(length):
        raise Malformed("Content-Length is not a valid number")
    if int(length) > MAX_BODY_BYTES:
        raise Malformed(f"the body has more than {MAX_BODY_BYTES} bytes")
    return int(length)


def _bytes(body: bytes | bytearray | memoryview | str) -> bytes:
    try:
        return body.encode() if isinstance(body, str) else bytes(body)
    except UnicodeEncodeError:
        raise Malformed("the body is not text") from None


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("latin-1")
    raise TypeError("the headers must be a mapping of str or bytes, or pairs of them")
