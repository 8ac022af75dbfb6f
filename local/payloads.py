"""The payloads of `events/`: made as if they had happened just now, and signed for whoever is to believe them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from local.identity import Identity
from twilio_emulator.webhooks.signing import signature

EVENTS = Path(__file__).parent.parent / "events"


def logical_id(path: Path) -> str:
    """Return the function that a payload is for: `events/webhook/sms.json` is for WebhookFunction."""
    return f"{path.parent.name.capitalize()}Function"


def read(path: Path, *, now: datetime, who: Identity, public_url: str) -> dict[str, Any]:
    """Return a payload with every date `now`, and a webhook signed by `who`; `public_url` may be the API's own, empty.

    Raises `ValueError` for what is no payload of ours.
    """
    payload = json.loads(path.read_text())
    match payload:
        case {"requestContext": {"http": _}, "body": str(_)}:
            return _webhook(payload, now=now, who=who, public_url=public_url)
        case {"Records": [*records]}:
            return {"Records": [_sqs_record(record, now=now) for record in records]}
        case {"source": "aws.scheduler"}:
            return {**payload, "time": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    raise ValueError(f"{path.name} is neither an HTTP API's event, nor a batch of SQS records, nor a schedule's")


def form(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a webhook."""
    return dict(parse_qsl(base64.b64decode(payload["body"]).decode(), keep_blank_values=True))


def _webhook(payload: Mapping[str, Any], *, now: datetime, who: Identity, public_url: str) -> dict[str, Any]:
    context = payload["requestContext"]
    fields = form(payload) | {
        "AccountSid": who.account_sid,
        "ChatServiceSid": who.service_sid,
        "DateCreated": _twilio_instant(now),
    }
    body = urlencode(fields)
    url = public_url or f"https://{context['domainName']}{payload['rawPath']}"
    return {
        **payload,
        "headers": {
            **payload["headers"],
            "content-length": str(len(body)),
            "x-twilio-signature": signature(who.auth_token, url, fields.items()),
        },
        "requestContext": {
            **context,
            "time": f"{now:%d/%b/%Y:%H:%M:%S +0000}",
            "timeEpoch": _milliseconds(now),
        },
        "body": base64.b64encode(body.encode()).decode(),
    }


def _sqs_record(record: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    body = json.dumps(json.loads(record["body"]) | {"at": now.isoformat()}, ensure_ascii=False)
    sent = str(_milliseconds(now))
    return {
        **record,
        "body": body,
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "attributes": {**record["attributes"], "SentTimestamp": sent, "ApproximateFirstReceiveTimestamp": sent},
    }


def _twilio_instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
