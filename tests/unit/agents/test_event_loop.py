"""The event loop that runs every agent, on a thread of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, current_thread

import pytest

from switchboard.agents.event_loop import EventLoopThread


async def thread_name() -> str:
    return current_thread().name


def test_every_coroutine_runs_on_the_thread_of_the_loop() -> None:
    with EventLoopThread() as loop:
        names = {loop.run(thread_name(), timeout=20).result() for _ in range(3)}

    assert names == {"agents"}


def test_coroutines_of_several_threads_run_at_the_same_time() -> None:
    all_four = Barrier(4)

    async def wait_for_the_others() -> int:
        return await asyncio.to_thread(all_four.wait, 20)

    with EventLoopThread() as loop, ThreadPoolExecutor(4) as threads:
        positions = list(threads.map(lambda _: loop.run(wait_for_the_others(), timeout=20).result(), range(4)))

    assert sorted(positions) == [0, 1, 2, 3]


def test_a_coroutine_that_still_runs_at_the_deadline_is_cancelled() -> None:
    cancelled = Event()

    async def wait_forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with EventLoopThread() as loop:
        run = loop.run(wait_forever(), timeout=0.05)

        assert run.cancelled()
        assert cancelled.wait(20)


def test_run_returns_at_the_deadline_even_if_a_coroutine_blocks_the_loop() -> None:
    release = Event()

    async def block() -> None:
        release.wait(20)

    with EventLoopThread() as loop:
        run = loop.run(block(), timeout=0.05)
        was_released = release.is_set()
        release.set()

    assert run.cancelled()
    assert not was_released


def test_an_error_of_a_coroutine_reaches_the_caller_unchanged() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with EventLoopThread() as loop:
        run = loop.run(fail(), timeout=20)

    with pytest.raises(LookupError, match="gone"):
        run.result()
