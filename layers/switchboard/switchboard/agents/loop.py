"""One event loop for the process, on a thread of its own.

HTTP clients that are pooled belong to the loop they were first used on. With a loop for each call the second call
would meet the first one's connections, and a closed loop.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Self


class Loop:
    """A running event loop. Any thread may run coroutines on it, side by side."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._ended = asyncio.Event()
        self._thread = Thread(target=self._live, name="agents", daemon=True)
        self._thread.start()

    def finish[T](self, coroutine: Coroutine[object, object, T], *, within_seconds: float) -> Future[T]:
        """Run a coroutine to its end, or cancel it when the time is over. Returns it done, failed or cancelled.

        The deadline is kept by the waiting thread: it holds also where the coroutine blocks the loop.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        wait([future], timeout=within_seconds)
        future.cancel()
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what still runs and end the thread, for whoever makes more than one in a process."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _live(self) -> None:
        with self._runner:
            self._runner.run(self._ended.wait())
