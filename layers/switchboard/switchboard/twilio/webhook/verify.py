"""Verify that Twilio signed a request, with the twilio package's RequestValidator.

The validator raises on a missing signature, on a field that is repeated in a plain dict and on JSON without
`bodySHA256`, and it hashes a body of any size (twilio 9.13). So size, shape and encoding are checked first, and
repeated fields reach it as repeated fields. Source of the algorithm: Twilio, "Webhooks security".
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from switchboard.errors import Malformed, NotAuthentic, RejectionCause

ROUTE = "/webhook"
MAX_BODY_BYTES = 256 * 1024  # Twilio's largest event, 32 KB of body and 16 KB of attributes, is 147 KB encoded
MAX_FIELDS = 200

_BODY_HASH = re.compile(r"bodySHA256=[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request that nobody has verified yet. `url` is the one that Twilio was given, not one that the sender chose."""

    url: str
    content_type: str
    signature: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name, each with all its values. RequestValidator reads repeated fields by `getall`."""

    fields: Mapping[str, tuple[str, ...]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def getall(self, name: str) -> tuple[str, ...]:
        """Return all values of a field."""
        return self.fields[name]

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a field, none where it is absent."""
        return self.fields.get(name, ())

    def get(self, name: str) -> str | None:
        """Return the only value of a field, or None; `Malformed` where it is repeated."""
        values = self.values(name)
        if len(values) > 1:
            raise Malformed(f"{name} is repeated")
        return values[0] if values else None


def request_from_api_gateway(event: Mapping[str, Any], *, public_url: str | None) -> WebhookRequest:
    """Read an HTTP API (payload 2.0) event; bodies come in base64 from AWS and plain from `sam local`."""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    content_type = media_type(headers.get("content-type", ""))
    check_query(event.get("rawQueryString", ""), content_type=content_type)
    return WebhookRequest(
        url=_with_query(public_url, event) if public_url else api_url(event),
        content_type=content_type,
        signature=headers.get("x-twilio-signature", ""),
        body=_body(event),
    )


def api_url(event: Mapping[str, Any]) -> str:
    """Return the URL under which API Gateway received an event."""
    return _with_query(f"https://{event['requestContext']['domainName']}{ROUTE}", event)


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type header, in small letters and without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def check_query(query: str, *, content_type: str) -> None:
    """Raise `Malformed` where a request has another query than the `bodySHA256` of a JSON body."""
    if query and (content_type != "application/json" or not _BODY_HASH.fullmatch(query)):
        raise Malformed("the webhook URL must not have a query")


def _with_query(url: str, event: Mapping[str, Any]) -> str:
    query = event.get("rawQueryString", "")
    return f"{url}?{query}" if query else url


def verify(request: WebhookRequest, *, auth_tokens: Sequence[str]) -> Form:
    """Return the fields of a request that one of the tokens signed; `NotAuthentic` or `Malformed` otherwise."""
    if not request.signature:
        raise NotAuthentic("the request has no X-Twilio-Signature header", cause=RejectionCause.UNSIGNED)
    if len(request.body) > MAX_BODY_BYTES:
        raise Malformed(f"the body has more than {MAX_BODY_BYTES} bytes")
    text = _decoded(request.body)
    match request.content_type:
        case "application/x-www-form-urlencoded":
            form = _urlencoded_form(text)
            signed: Form | str = form
        case "application/json" if "?" in request.url:
            form = _json_form(text)
            signed = text
        case "application/json":
            raise NotAuthentic("a JSON body needs its bodySHA256 in the URL", cause=RejectionCause.UNSIGNED)
        case _:
            raise Malformed("the body is neither a form nor JSON")
    if not any(RequestValidator(token).validate(request.url, signed, request.signature) for token in auth_tokens):
        raise NotAuthentic(
            f"the signature is not valid for {request.url}: the URL that Twilio calls, or the auth token, is another"
        )
    return form


def _body(event: Mapping[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    if len(body) > 2 * MAX_BODY_BYTES:
        raise Malformed(f"the body has more than {MAX_BODY_BYTES} bytes")
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise Malformed("the body is neither base64 nor text") from None


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not valid UTF-8") from None


def _urlencoded_form(text: str) -> Form:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Malformed(f"the body is not a valid form: it must have at most {MAX_FIELDS} URL-encoded fields") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Form({name: tuple(values) for name, values in fields.items()})


def _json_form(text: str) -> Form:
    try:
        values = json.loads(text)
        json.dumps(values, ensure_ascii=False).encode()  # an escaped lone surrogate cannot be encoded
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON") from None
    if not isinstance(values, dict) or len(values) > MAX_FIELDS:
        raise Malformed(f"the body is not a JSON object of at most {MAX_FIELDS} fields")
    return Form({name: (value if isinstance(value, str) else json.dumps(value),) for name, value in values.items()})
