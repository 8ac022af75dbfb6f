"""A function as Lambda runs it: instances that each take one invocation at a time, of the code as it is on disk."""

import queue
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.activity import Broken, End, Invoked, LogLine, Replaced, Watch
from local.aws.execution_environment import (
    CannotStart,
    Crashed,
    FunctionSpec,
    Instance,
    Invocation,
    InvocationFailed,
    Raised,
    TimedOut,
)

type Fingerprint = frozenset[tuple[str, int, int]]

_ENDS: dict[type[InvocationFailed], End] = {
    Raised: End.RAISED,
    Crashed: End.CRASHED,
    TimedOut: End.TIMED_OUT,
    CannotStart: End.NOT_STARTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    instance: Instance
    code: Fingerprint


class Function:
    """A function with a fixed number of instances, started when this is made. Safe to invoke from many threads."""

    def __init__(self, spec: FunctionSpec, *, instances: int, watch: Watch) -> None:
        self.spec = spec
        self._watch = watch
        self._lock = threading.Lock()
        self._all: set[Instance] = set()
        self._is_closed = False
        self._newest = _fingerprint(spec.paths)
        self._told_of: Fingerprint | None = None
        self._idle: queue.SimpleQueue[_Started] = queue.SimpleQueue()
        self._instances = instances
        for _ in range(instances):
            self._idle.put(self._start())

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the instances."""
        with self._lock:
            return tuple(sorted(instance.pid for instance in self._all))

    def invoke(self, event: object) -> object:
        """Return what the handler returns for an event; an `InvocationFailed` says how it did not."""
        began = time.monotonic()
        request_id = str(uuid.uuid4())
        end, detail = End.RETURNED, ""
        try:
            with self._taken() as instance:
                began = time.monotonic()
                now_ms = time.time_ns() // 1_000_000
                deadline_ms = now_ms + self.spec.timeout_seconds * 1000
                return instance.invoke(Invocation(request_id=request_id, event=event, deadline_ms=deadline_ms))
        except InvocationFailed as error:
            end, detail = _ENDS[type(error)], str(error)
            raise
        finally:
            self._watch(
                Invoked(
                    function=self.spec.name,
                    request_id=request_id,
                    end=end,
                    milliseconds=round((time.monotonic() - began) * 1000),
                    detail=detail,
                )
            )

    def wait_until_ready(self) -> None:
        """Return once an instance has imported the code as it is on disk; `CannotStart` where it cannot."""
        with self._taken():
            pass

    def warm_up(self, event: object) -> None:
        """Have every instance work on an event once, so that no customer waits for a cold start."""
        with ThreadPoolExecutor(max_workers=self._instances) as threads:
            for first in [threads.submit(self.invoke, event) for _ in range(self._instances)]:
                with suppress(InvocationFailed):  # whoever watches is told
                    first.result()

    def kill(self) -> None:
        """End every instance with SIGKILL, whatever it is doing: a Lambda crash."""
        with self._lock:
            instances = list(self._all)
        for instance in instances:
            instance.kill()

    def close(self) -> None:
        """End every instance for good."""
        with self._lock:
            self._is_closed = True
            instances = list(self._all)
        for instance in instances:
            instance.kill()
        for instance in instances:
            instance.close()

    @contextmanager
    def _taken(self) -> Iterator[Instance]:
        """Give one ready instance to one invocation; a dead or outdated one is replaced, before and after."""
        started = self._idle.get()
        try:
            started = self._current(started)
            self._wait_until_ready(started)
            yield started.instance
        finally:
            self._idle.put(self._current(started))

    def _wait_until_ready(self, started: _Started) -> None:
        try:
            started.instance.wait_until_ready()
        except CannotStart as error:
            if self._told_of != started.code:
                self._told_of = started.code
                self._watch(Broken(function=self.spec.name, detail=str(error)))
            raise

    def _current(self, started: _Started) -> _Started:
        """Return what may take the next invocation. What could not be imported stays until its files change."""
        code = _fingerprint(self.spec.paths)
        is_same = started.code == code
        if is_same and (started.instance.is_alive() or started.instance.is_broken):
            return started
        with self._lock:
            if self._is_closed:
                return started
            self._all.discard(started.instance)
            fresh = self._start()
        started.instance.close()
        if self._newest != code:
            self._newest = code
            self._watch(Replaced(function=self.spec.name))
        return fresh

    def _start(self) -> _Started:
        code = _fingerprint(self.spec.paths)
        instance = Instance(self.spec, log=self._log)
        self._all.add(instance)
        return _Started(instance=instance, code=code)

    def _log(self, line: str) -> None:
        self._watch(LogLine(function=self.spec.name, text=line))


def _fingerprint(folders: tuple[Path, ...]) -> Fingerprint:
    """Tell one state of the files from another, by name, size and time of change."""
    return frozenset(_states(folders))


def _states(folders: tuple[Path, ...]) -> Iterator[tuple[str, int, int]]:
    for folder in folders:
        for path in folder.rglob("[!.]*[!~]"):
            try:
                state = path.stat()
            except FileNotFoundError:
                continue  # gone while we looked
            if stat.S_ISREG(state.st_mode) and path.suffix != ".pyc":
                yield str(path), state.st_size, state.st_mtime_ns
