"""The rules for fields that several resources have."""

import json
import re
from datetime import timedelta

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError

MAX_NAME_LENGTH = 256
NO_TIMER = "PT0S"  # switches a timer off
MAX_CONVERSATION_ATTRIBUTES_BYTES = 16 * 1024
MAX_ATTRIBUTES_BYTES = 4 * 1024  # of messages, participants and users

MAX_TIMER = timedelta(days=100 * 365)  # keeps every due date within what `datetime` can hold

_CONVERSATION_SID = re.compile(r"CH[0-9a-fA-F]{32}")
_USER_SID = re.compile(r"US[0-9a-fA-F]{32}")
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?"
)


def name(parameter: str, value: str | None, *, max_length: int = MAX_NAME_LENGTH) -> str | None:
    """Return a name; raise 20422 if it is longer than `max_length` characters."""
    if value is not None and len(value) > max_length:
        raise TwilioError(
            INVALID_PARAMETER, f"Invalid parameter: {parameter} must not be longer than {max_length} characters"
        )
    return value


def identity(value: str) -> str:
    """Return an identity; raise Twilio's error if it is empty, too long, or looks like the SID of a user."""
    if not value:
        raise TwilioError(50204)
    if len(value) > MAX_NAME_LENGTH:
        raise TwilioError(50207)
    if _USER_SID.fullmatch(value):
        raise TwilioError(50206)
    return value


def unique_name(value: str | None) -> str | None:
    """Return a unique name, or None if it is empty; raise 50390 if it looks like the SID of a conversation."""
    if value and _CONVERSATION_SID.fullmatch(value):
        raise TwilioError(50390)
    return name("UniqueName", value) or None


def attributes(value: str, *, max_bytes: int = MAX_ATTRIBUTES_BYTES) -> str:
    """Return attributes, or `{}` if they are empty; raise 50303 if they are too long, 50304 if they are not JSON."""
    if len(value.encode()) > max_bytes:
        raise TwilioError(50303)
    try:
        json.loads(value or "{}", parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise TwilioError(50304) from None
    return value or "{}"


def duration(value: str, *, minimum: timedelta, malformed: int, too_short: int) -> timedelta | None:
    """Return an ISO 8601 duration of weeks, days and time, or None if it is zero, which switches a timer off.

    `malformed` and `too_short` are the codes of the errors that are raised.
    """
    match = _DURATION.fullmatch(value)
    if match is None or not any(match.groupdict().values()):
        raise TwilioError(malformed)
    parsed = timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
    if parsed > MAX_TIMER:
        raise TwilioError(malformed)
    if parsed and parsed < minimum:
        raise TwilioError(too_short)
    return parsed or None


def inactive_timer(value: str) -> timedelta | None:
    """Return how long a conversation stays active without a message; at least one minute."""
    return duration(value, minimum=timedelta(minutes=1), malformed=50379, too_short=50375)


def closed_timer(value: str) -> timedelta | None:
    """Return how long a conversation stays open without a message; at least ten minutes."""
    return duration(value, minimum=timedelta(minutes=10), malformed=50380, too_short=50376)


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
