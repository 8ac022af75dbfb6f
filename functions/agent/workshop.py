"""The workshop's diary, for `book_repair`. Yours is an API; this one is forgotten when the process ends."""

import hashlib
from typing import Literal

type Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
type Work = Literal["tune-up", "flat tire", "brakes", "gears", "chain", "wheel", "motor"]

_BOOKINGS: dict[str, str] = {}  # by reference


def book(turn: str, day: Day, work: Work) -> str:
    """Book a repair, and return what the customer is told."""
    reference = _reference(turn, day, work)
    _BOOKINGS[reference] = (
        f"Your repair ({work}) is booked for {day}, reference {reference}. Bring the bicycle when we open."
    )
    return _BOOKINGS[reference]


def booking(turn: str, day: Day, work: Work) -> str | None:
    """Return what `book` returned for a turn, if it was called."""
    return _BOOKINGS.get(_reference(turn, day, work))


def _reference(turn: str, day: str, work: str) -> str:
    """Return a number that is the same however often the turn is tried, so that a booking can be looked up."""
    return f"R-{int(hashlib.sha256(f'{turn} {day} {work}'.encode()).hexdigest(), 16) % 9000 + 1000}"
