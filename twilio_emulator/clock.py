"""The emulator's time: a source's, moved forward by hand."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

FURTHEST = timedelta(days=100 * 365)  # all dates stay dates


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


class Clock:
    """Tells `source`'s time plus what it was advanced by."""

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self.source = source
        self._moved = asyncio.Event()
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return self.source() + self.ahead

    def advance(self, ahead: timedelta) -> None:
        """Move forward, by no more than a century in all, and wake whoever waits for a time that has come."""
        if ahead < timedelta():
            raise ValueError("the clock only moves forward")
        if self.ahead + ahead > FURTHEST:
            raise ValueError("the clock is moved by no more than a century")
        self.ahead += ahead
        self._moved.set()
        self._moved.clear()

    async def wait(self, duration: timedelta) -> None:
        """Return once the clock shows so much more, be it that time passed or that the clock was moved."""
        until = self() + duration
        while (left := (until - self()).total_seconds()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)
