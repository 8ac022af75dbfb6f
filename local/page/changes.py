"""Who watches what changes, and is woken from any thread; and a stream of server-sent events that shows it."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

STILL_HERE_SECONDS = 10  # between two looks where nothing was told
TOGETHER_SECONDS = 0.1  # at least: changes that come together are shown together
MAX_PAUSE_SECONDS = 1.0
PAUSE = 1.5  # times as long as the look took: looking leaves the machine to what is looked at


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who waits in an event loop."""

    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event


@dataclass
class Changes:
    """What changes has a name. After `close` every stream ends by itself."""

    is_closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _watchers: dict[str, set[Watcher]] = field(default_factory=dict)

    def tell(self, name: str) -> None:
        """Wake those who watch a name."""
        with self._lock:
            for watcher in self._watchers.get(name, ()):
                with suppress(RuntimeError):  # its event loop has ended
                    watcher.loop.call_soon_threadsafe(watcher.woken.set)

    def close(self) -> None:
        """Wake everybody, for the last time."""
        self.is_closed = True
        for name in list(self._watchers):
            self.tell(name)

    @contextmanager
    def watch(self, name: str) -> Iterator[asyncio.Event]:
        """Yield the event that is set each time the name changes."""
        watcher = Watcher(asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._watchers.setdefault(name, set()).add(watcher)
        try:
            yield watcher.woken
        finally:
            with self._lock:
                self._watchers[name].discard(watcher)
                if not self._watchers[name]:
                    del self._watchers[name]

    async def wait(self, woken: asyncio.Event, *, seconds: float) -> bool:
        """Return whether something changed within so many seconds."""
        try:
            await asyncio.wait_for(woken.wait(), seconds)
        except TimeoutError:
            return False
        woken.clear()
        return True


def pause_after(look_seconds: float) -> float:
    """Return how many seconds pass after a look that took so long, before the next one."""
    return min(max(TOGETHER_SECONDS, PAUSE * look_seconds), MAX_PAUSE_SECONDS)


def stream(changes: Changes, name: str, look: Callable[[], object]) -> StreamingResponse:
    """Return a stream of what `look` returns, at first and after each change; it is called in a thread."""

    async def events() -> AsyncIterator[str]:
        shown = ""
        with changes.watch(name) as woken:
            while not changes.is_closed:
                began = time.monotonic()
                looked = json.dumps(await run_in_threadpool(look), default=str)
                took = time.monotonic() - began
                yield f"data: {looked}\n\n" if looked != shown else ": still here\n\n"
                shown = looked
                if await changes.wait(woken, seconds=STILL_HERE_SECONDS) and not changes.is_closed:
                    await asyncio.sleep(pause_after(took))

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
