"""Waiting for a condition: asked again and again until it holds, or the deadline fails the test."""

import threading
import time
from collections.abc import Callable

_PAUSE = threading.Event()  # never set: a wait that ends only by its timeout
PAUSE_SECONDS = 0.02  # the first; each is half as long again, so that a long wait leaves the processor to the others
MAX_PAUSE_SECONDS = 0.5


def wait_until[T](
    condition: Callable[[], T], *, within_seconds: float = 300, what: str = "it", pause_seconds: float = PAUSE_SECONDS
) -> T:
    """Return the condition's first truthy value; fail after `within_seconds`, which is generous: no test is timed."""
    until = time.monotonic() + within_seconds
    while not (value := condition()):
        if time.monotonic() > until:
            raise AssertionError(f"waited {within_seconds} s for {what}")
        _PAUSE.wait(pause_seconds)
        pause_seconds = max(pause_seconds, min(pause_seconds * 1.5, MAX_PAUSE_SECONDS))
    return value


def stays[T](condition: Callable[[], T], *, for_seconds: float, what: str = "it") -> None:
    """Return if the condition holds for so long; fail as soon as it does not."""
    until = time.monotonic() + for_seconds
    while time.monotonic() < until:
        if not condition():
            raise AssertionError(f"{what} did not stay so for {for_seconds} s")
        _PAUSE.wait(PAUSE_SECONDS)


def pause(seconds: float) -> None:
    """Wait, for what says itself how long: a service that has had too many calls."""
    _PAUSE.wait(seconds)
