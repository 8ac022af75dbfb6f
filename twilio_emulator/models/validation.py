"""What Twilio accepts in a field, wherever the field appears."""

import json
import re
from datetime import timedelta

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError

MOST_NAME = 256
NEVER = "PT0S"  # the duration that switches a timer off
MOST_CONVERSATION_ATTRIBUTES_BYTES = 16 * 1024
MOST_ATTRIBUTES_BYTES = 4 * 1024  # of messages, participants and users

LONGEST = timedelta(days=100 * 365)  # of a timer: no calendar ends before it does

_CONVERSATION_SID = re.compile(r"CH[0-9a-fA-F]{32}")
_USER_SID = re.compile(r"US[0-9a-fA-F]{32}")
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?"
)


def name(parameter: str, value: str | None, *, most: int = MOST_NAME) -> str | None:
    """Return a name of at most so many characters."""
    if value is not None and len(value) > most:
        raise TwilioError(INVALID_PARAMETER, f"Invalid parameter: {parameter} is longer than {most}")
    return value


def identity(value: str) -> str:
    """Return an identity: not empty, not too long, and no user's SID."""
    if not value:
        raise TwilioError(50204)
    if len(value) > MOST_NAME:
        raise TwilioError(50207)
    if _USER_SID.fullmatch(value):
        raise TwilioError(50206)
    return value


def unique_name(value: str | None) -> str | None:
    """Return a unique name, which may not look like a SID; empty is none."""
    if value and _CONVERSATION_SID.fullmatch(value):
        raise TwilioError(50390)
    return name("UniqueName", value) or None


def attributes(value: str, *, most_bytes: int = MOST_ATTRIBUTES_BYTES) -> str:
    """Return a JSON string of at most so many bytes; empty is `{}`."""
    if len(value.encode()) > most_bytes:
        raise TwilioError(50303)
    try:
        json.loads(value or "{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TwilioError(50304) from None
    return value or "{}"


def duration(value: str, *, least: timedelta, malformed: int, too_short: int) -> timedelta | None:
    """Return an ISO-8601 duration of weeks, days and time; zero is None: it switches a timer off."""
    match = _DURATION.fullmatch(value)
    if match is None or not any(match.groupdict().values()):
        raise TwilioError(malformed)
    parsed = timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
    if parsed > LONGEST:
        raise TwilioError(malformed)
    if parsed and parsed < least:
        raise TwilioError(too_short)
    return parsed or None


def inactive_timer(value: str) -> timedelta | None:
    """Return how long a conversation stays active without a message: at least a minute."""
    return duration(value, least=timedelta(minutes=1), malformed=50379, too_short=50375)


def closed_timer(value: str) -> timedelta | None:
    """Return how long a conversation stays open without a message: at least ten minutes."""
    return duration(value, least=timedelta(minutes=10), malformed=50380, too_short=50376)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
