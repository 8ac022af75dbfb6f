"""A webhook as the function was given it → the form's fields; and the same fields → a webhook, signed as Twilio's."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from twilio_emulator.webhooks.signing import signature

REPLAY = "x-switchboard-replay"  # marks what the page has sent; nothing but the recorder reads it
FORM = "application/x-www-form-urlencoded; charset=utf-8"

type Fields = Sequence[tuple[str, str]]


def fields_of(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of the form in an HTTP API's event; none where it carries no form."""
    body = event.get("body", "")
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode(errors="replace")
    return parse_qsl(body, keep_blank_values=True) if isinstance(body, str) else []


def is_replay(event: Mapping[str, Any]) -> bool:
    """Tell whether the page has sent it."""
    return REPLAY in event.get("headers", {})


def signed_request(fields: Fields, *, url: str, auth_token: str) -> tuple[bytes, Mapping[str, str]]:
    """Return the body and the headers of a webhook that carries these fields."""
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature(auth_token, url, fields), REPLAY: "1"}
    return urlencode(fields).encode(), headers
