"""Twilio's field forms: SIDs, timestamps, numbers, attributes, files. What does not match in full is `Malformed`."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from switchboard.errors import Malformed
from switchboard.events import Marker
from switchboard.media import Media

_SID = re.compile(r"([A-Z]{2})[0-9a-fA-F]{32}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
_INTEGER = re.compile(r"[0-9]{1,9}")


def sid(name: str, value: str | None, *, prefix: str) -> str:
    """Return a SID of the resource that `prefix` names."""
    if value is None or not is_sid(value, prefix=prefix):
        raise Malformed(f"{name} is not a valid SID: it must be {prefix} and 32 hex digits")
    return value


def is_sid(value: str, *, prefix: str) -> bool:
    """Tell whether a value is a SID of the resource that `prefix` names."""
    match = _SID.fullmatch(value)
    return match is not None and match[1] == prefix


def timestamp(name: str, value: str | None) -> datetime:
    """Return a time in UTC. REST gives seconds, webhooks milliseconds."""
    malformed = f"{name} is not a valid timestamp: it must be ISO 8601 in UTC"
    if not _TIMESTAMP.fullmatch(value or ""):
        raise Malformed(malformed)
    try:
        return datetime.fromisoformat(value or "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(malformed) from None


def end_of_second(name: str, value: str | None) -> datetime:
    """Return a time in UTC; where it has no fraction, the last millisecond of its second."""
    at = timestamp(name, value)
    return at if "." in str(value) else at.replace(microsecond=999_000)


def is_timestamp(value: str) -> bool:
    """Tell whether a value is a timestamp in UTC."""
    try:
        timestamp("value", value)
    except Malformed:
        return False
    return True


def utc(value: datetime | str) -> datetime:
    """Return a date of the twilio package: it parses whole seconds, and leaves everything else a string."""
    return value.astimezone(UTC) if isinstance(value, datetime) else timestamp("date", value)


def integer(name: str, value: str | None) -> int:
    """Return a number of at most nine digits."""
    if not _INTEGER.fullmatch(value or ""):
        raise Malformed(f"{name} is not a valid number: it must have one to nine digits")
    return int(value or "")


def media(file: Mapping[str, Any]) -> Media:
    """Return a file of a message: webhooks and REST spell the keys in two ways, and samples show both.

    What is not as it should be is left out: the message is there all the same.
    """
    media_sid = str(file.get("Sid") or file.get("MediaSid") or file.get("sid") or "")
    size = file.get("Size", file.get("size"))
    return Media(
        content_type=str(file.get("ContentType") or file.get("content_type") or "file"),
        size=int(size) if _INTEGER.fullmatch(str(size)) else None,
        sid=media_sid if is_sid(media_sid, prefix="ME") else "",
    )


def our_attribute(text: str | None) -> Any:  # noqa: ANN401 -- whatever somebody wrote there
    """Return the value of `switchboard` in an attributes string, or None; other keys belong to other programs."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return values.get("switchboard") if isinstance(values, dict) else None


def marker(text: str | None) -> Marker | None:
    """Return the marker in the attributes of a reply of ours, or None."""
    match our_attribute(text):
        case {"turn": str(turn), "part": int(part)}:
            return Marker(turn=turn, part=part)
        case _:
            return None
