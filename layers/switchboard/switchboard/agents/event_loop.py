"""One event loop for the process, on a thread of its own.

A pooled HTTP client belongs to the event loop that used it first. With a new loop for each call, the second call would
find connections of a loop that is closed.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Self


class EventLoopThread:
    """A running event loop. Any thread may run coroutines on it, several at the same time."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._ended = asyncio.Event()
        self._thread = Thread(target=self._serve, name="agents", daemon=True)
        self._thread.start()

    def run[T](self, coroutine: Coroutine[object, object, T], *, timeout: float) -> Future[T]:
        """Run a coroutine for at most `timeout` seconds. Return its future: done, failed or cancelled.

        The calling thread watches the time, so that the limit holds even if the coroutine blocks the event loop.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        wait([future], timeout=timeout)
        future.cancel()
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what still runs, and end the thread."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _serve(self) -> None:
        with self._runner:
            self._runner.run(self._ended.wait())
