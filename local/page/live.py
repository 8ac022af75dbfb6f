"""Tells whoever looks at the page that something may have changed, from any thread, until the local stack ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from starlette.responses import StreamingResponse

MIN_PAUSE_SECONDS = 0.25  # after each look: what changes meanwhile is one look
MAX_PAUSE_SECONDS = 1.0
PAUSE = 1.5  # times as long as the look took: looking leaves the machine to what is looked at
MAX_SECONDS = 5.0  # without a look: what nobody told shows after that


class Changes:
    """Those who look, all in one event loop, are told of a change at once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: set[asyncio.Event] = set()
        self._is_over = False
        self._end = asyncio.Event()

    def tell(self) -> None:
        """Have everybody look again."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and everybody with it
                loop.call_soon_threadsafe(self._wake)

    def end(self) -> None:
        """End every look: whoever looks is told nothing more."""
        self._is_over = True
        self.tell()

    async def looks(self) -> AsyncIterator[None]:
        """Yield now, then after each change, and at least every five seconds, until `end`."""
        self._loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        self._looking.add(changed)
        try:
            while not self._is_over:
                changed.clear()
                began = self._loop.time()
                yield
                pause = max(MIN_PAUSE_SECONDS, PAUSE * (self._loop.time() - began))
                await _wait_for(self._end, min(pause, MAX_PAUSE_SECONDS))
                await _wait_for(changed, MAX_SECONDS)
        finally:
            self._looking.discard(changed)

    def _wake(self) -> None:
        if self._is_over:
            self._end.set()
        for changed in self._looking:
            changed.set()


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def live(changes: Changes, read: Callable[[], Awaitable[object]]) -> StreamingResponse:
    """Return what `read` returns as server-sent events: now, and whenever it is another."""

    async def events() -> AsyncIterator[str]:
        sent = ""
        async for _ in changes.looks():
            data = json.dumps(await read(), separators=(",", ":"))
            if data != sent:
                sent = data
                yield f"data: {data}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
