"""Webhooks as Twilio signs them and as API Gateway passes them to a function."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from tests.builders import sid

ACCOUNT = sid("AC", 1)
SERVICE = sid("IS", 1)
TOKEN = "emulator-token"
DOMAIN = "api.example.com"
URL = f"https://{DOMAIN}/webhook"

type Fields = Mapping[str, str | Sequence[str]]


def message_fields(**changes: str) -> dict[str, str]:
    """Return the fields of a customer's text message, as a live project received them in 2026."""
    return {
        "AccountSid": ACCOUNT,
        "Attributes": "{}",
        "Author": "+12025550110",
        "Body": "hola ñ & + = %",
        "ChatServiceSid": SERVICE,
        "ConversationSid": sid("CH", 1),
        "DateCreated": "2026-08-11T13:03:28.879Z",
        "EventType": "onMessageAdded",
        "Index": "1",
        "MessageSid": sid("IM", 1),
        "MessagingServiceSid": sid("MG", 1),
        "ParticipantSid": sid("MB", 1),
        "RetryCount": "0",
        "Source": "SMS",
        **changes,
    }


class _MultiDict(dict[str, Sequence[str]]):
    def getlist(self, name: str) -> Sequence[str]:
        return self[name]


def signature_of(fields: Fields, *, url: str = URL, token: str = TOKEN) -> str:
    values = {name: [value] if isinstance(value, str) else value for name, value in fields.items()}
    return str(RequestValidator(token).compute_signature(url, _MultiDict(values)))


def api_gateway_event(
    body: bytes,
    *,
    signature: str | None,
    content_type: str = "application/x-www-form-urlencoded; charset=utf-8",
    query: str = "",
    plain: bool = False,
) -> dict[str, Any]:
    """Return an HTTP API event (payload 2.0): as AWS makes it, or `plain`, as `sam local` does."""
    names = ("Content-Type", "X-Twilio-Signature") if plain else ("content-type", "x-twilio-signature")
    headers = dict(zip(names, (content_type, signature), strict=True))
    return {
        "version": "2.0",
        "routeKey": "POST /webhook",
        "rawPath": "/webhook",
        "rawQueryString": query,
        "headers": {name: value for name, value in headers.items() if value is not None},
        "requestContext": {"domainName": DOMAIN, "http": {"method": "POST", "path": "/webhook"}, "stage": "$default"},
        "body": body.decode("latin-1") if plain else base64.b64encode(body).decode(),
        "isBase64Encoded": not plain,
    }


def signed_event(fields: Fields, *, token: str = TOKEN, plain: bool = False) -> dict[str, Any]:
    body = urlencode(fields, doseq=True).encode()
    return api_gateway_event(body, signature=signature_of(fields, token=token), plain=plain)
