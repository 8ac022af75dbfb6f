"""Tells whoever looks at the page that something may have changed, from any thread, until the local stack ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from starlette.responses import StreamingResponse

PAUSE_SECONDS = 0.25  # after each look: what changes meanwhile is one look
MAX_SECONDS = 5.0  # without a look: what nobody told shows after that


class Changes:
    """Those who look, all in one event loop, are told of a change at once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: set[asyncio.Event] = set()
        self._is_over = False

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
                yield
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), MAX_SECONDS)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._looking.discard(changed)

    def _wake(self) -> None:
        for changed in self._looking:
            changed.set()


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
