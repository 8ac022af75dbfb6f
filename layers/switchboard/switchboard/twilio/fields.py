"""Twilio's field forms: SIDs, instants, numbers. What does not match exactly is `Malformed`."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from switchboard.errors import Malformed
from switchboard.events import Marker

_SID = re.compile(r"([A-Z]{2})[0-9a-fA-F]{32}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
_INDEX = re.compile(r"[0-9]{1,9}")


def sid(name: str, value: str | None, *, prefix: str) -> str:
    """Return a SID of the resource that `prefix` names."""
    match = _SID.fullmatch(value or "")
    if not match or match[1] != prefix:
        raise Malformed(f"{name} is no {prefix} SID")
    return match[0]


def instant(name: str, value: str | None) -> datetime:
    """Return an instant; REST gives seconds, webhooks milliseconds."""
    if not _INSTANT.fullmatch(value or ""):
        raise Malformed(f"{name} is no instant in UTC")
    try:
        return datetime.fromisoformat(value or "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(f"{name} is no instant in UTC") from None


def end_of_instant(name: str, value: str | None) -> datetime:
    """Return an instant; of one that names whole seconds the last millisecond, for it may have been then."""
    at = instant(name, value)
    return at if "." in str(value) else at.replace(microsecond=999_000)


def is_instant(value: str) -> bool:
    """Tell whether a value is an instant in UTC."""
    try:
        instant("value", value)
    except Malformed:
        return False
    return True


def index(name: str, value: str | None) -> int:
    """Return a message index."""
    if not _INDEX.fullmatch(value or ""):
        raise Malformed(f"{name} is no message index")
    return int(value or "")


def attributes(text: str | None) -> Mapping[str, Any]:
    """Return the `switchboard` object of an attributes string; whatever else others keep there is theirs."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    ours = values.get("switchboard") if isinstance(values, dict) else None
    return ours if isinstance(ours, dict) else {}


def marker(text: str | None) -> Marker | None:
    """Return the marker in the attributes of a reply of ours, if there is one."""
    match attributes(text):
        case {"turn": str(turn), "part": int(part)}:
            return Marker(turn=turn, part=part)
        case _:
            return None
