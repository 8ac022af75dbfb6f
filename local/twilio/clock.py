"""The emulator's time: a source's, moved forward by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


class Clock:
    """Tells `source`'s time plus what it was advanced by; never goes back by itself."""

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return self._source() + self._ahead

    def advance(self, ahead: timedelta) -> None:
        """Move forward; what falls due in between happens when the emulator next looks."""
        if ahead < timedelta():
            raise ValueError("the clock only moves forward")
        self._ahead += ahead
