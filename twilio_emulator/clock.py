"""The emulator's clock: the time of a source, plus an offset that only grows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

MAX_ADVANCE = timedelta(days=100 * 365)  # keeps every computed date within what `datetime` can hold


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


class Clock:
    """Returns the time of `source` plus `ahead`, the sum of all advances."""

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self.source = source
        self._advanced = asyncio.Event()
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return self.source() + self.ahead

    def advance(self, ahead: timedelta) -> None:
        """Move the clock forward, by at most a century in total, and wake up everything that waits for the new time."""
        if ahead < timedelta():
            raise ValueError("the clock can only move forward")
        if self.ahead + ahead > MAX_ADVANCE:
            raise ValueError("the clock can be moved forward by at most a century in total")
        self.ahead += ahead
        self._advanced.set()
        self._advanced.clear()

    async def wait(self, duration: timedelta) -> None:
        """Return once the clock shows `duration` more, whether the time passed or the clock was advanced."""
        until = self() + duration
        while (left := (until - self()).total_seconds()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._advanced.wait(), left)
