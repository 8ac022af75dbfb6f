"""A Lambda function: as many execution environments as run at once, which always run the code as it is on disk."""

import os
import queue
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.activity import (
    CodeReloaded,
    ImportFailed,
    InvocationBegan,
    InvocationEnded,
    Listener,
    LogLine,
    Outcome,
    Shown,
)
from local.aws.execution_environment import (
    CannotStart,
    Crashed,
    ExecutionEnvironment,
    FunctionSpec,
    Invocation,
    InvocationFailed,
    Raised,
    TimedOut,
)
from local.aws.trouble import Trouble

type Fingerprint = frozenset[tuple[str, int, int]]

_OUTCOMES: dict[type[InvocationFailed], Outcome] = {
    Raised: Outcome.RAISED,
    Crashed: Outcome.CRASHED,
    TimedOut: Outcome.TIMED_OUT,
    CannotStart: Outcome.NOT_STARTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """An execution environment, and the state of the files that it imported."""

    environment: ExecutionEnvironment
    code: Fingerprint


class LambdaFunction:
    """A function that runs up to `concurrency` invocations at once; any thread may invoke it.

    One execution environment starts when it is made; as on Lambda, another one where an invocation finds none idle.
    """

    def __init__(
        self, spec: FunctionSpec, *, concurrency: int, listener: Listener, trouble: Trouble | None = None
    ) -> None:
        self.spec = spec
        self._trouble = trouble or Trouble()
        self._listener = listener
        self._lock = threading.Lock()
        self._environments: set[ExecutionEnvironment] = set()
        self._is_closed = False
        self.replacements = 0  # how often its code was replaced by newer code
        self._newest_code = _fingerprint(spec.paths)
        self._reported_code: Fingerprint | None = None
        self._idle: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        self._concurrency = concurrency
        self._idle.put(self._start())

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the execution environments."""
        with self._lock:
            return tuple(sorted(environment.pid for environment in self._environments))

    def invoke(self, event: object) -> object:
        """Return what the handler returns for an event; the class of the `InvocationFailed` says why it did not."""
        began = time.monotonic()
        request_id = str(uuid.uuid4())
        outcome, detail, result = Outcome.RETURNED, "", None
        try:
            with self._acquire() as environment:
                began = time.monotonic()
                self._listener(InvocationBegan(function=self.spec.name, request_id=request_id, event=event))
                now_ms = time.time_ns() // 1_000_000
                deadline_ms = now_ms + self.spec.timeout_seconds * 1000
                with self._trouble.of(self.spec.name) as trouble:
                    result = environment.invoke(
                        Invocation(request_id=request_id, event=event, deadline_ms=deadline_ms, trouble=trouble)
                    )
                return result
        except InvocationFailed as error:
            outcome, detail = _OUTCOMES[type(error)], str(error)
            raise
        finally:
            self._listener(
                InvocationEnded(
                    function=self.spec.name,
                    request_id=request_id,
                    outcome=outcome,
                    milliseconds=round((time.monotonic() - began) * 1000),
                    detail=detail,
                    result=result,
                )
            )

    def wait_until_ready(self) -> None:
        """Return once an execution environment has started the code as it is on disk; `CannotStart` if it cannot."""
        if self._idle.empty() and self._newest_code == _fingerprint(self.spec.paths):
            return  # all are at work, on this code: who only asks starts no other
        with self._acquire():
            pass

    def kill(self) -> None:
        """End every execution environment with SIGKILL, also in the middle of an invocation: a Lambda crash."""
        with self._lock:
            environments = list(self._environments)
        for environment in environments:
            environment.kill()

    def close(self) -> None:
        """End every execution environment, and start no other."""
        with self._lock:
            self._is_closed = True
            environments = list(self._environments)
        for environment in environments:
            environment.kill()
        for environment in environments:
            environment.close()

    @contextmanager
    def _acquire(self) -> Iterator[ExecutionEnvironment]:
        """Wait for an idle execution environment and yield it, ready; replace it if it is dead or its code is old."""
        slot = self._take()
        try:
            slot = self._replace_if_stale(slot)
            self._wait_until_ready(slot)
            yield slot.environment
        finally:
            self._idle.put(self._replace_if_stale(slot))

    def _take(self) -> _Slot:
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        with self._lock:
            if len(self._environments) < self._concurrency and not self._is_closed:
                return self._start()
        return self._idle.get()

    def _wait_until_ready(self, slot: _Slot) -> None:
        try:
            slot.environment.wait_until_ready()
        except CannotStart as error:
            if self._reported_code != slot.code:
                self._reported_code = slot.code
                self._listener(ImportFailed(function=self.spec.name, detail=str(error)))
            raise

    def _replace_if_stale(self, slot: _Slot) -> _Slot:
        """Return a slot for the next invocation. Code that cannot start is tried again once a file changes."""
        code = _fingerprint(self.spec.paths)
        is_current = slot.code == code
        if is_current and (slot.environment.is_alive() or slot.environment.has_start_error):
            return slot
        with self._lock:
            if self._is_closed:
                return slot
            self._environments.discard(slot.environment)
            fresh = self._start()
        slot.environment.close()
        if self._newest_code != code:
            self._newest_code = code
            self.replacements += 1
            self._listener(CodeReloaded(function=self.spec.name))
        return fresh

    def _start(self) -> _Slot:
        code = _fingerprint(self.spec.paths)
        environment = ExecutionEnvironment(self.spec, log=self._log, show=self._show)
        self._environments.add(environment)
        return _Slot(environment=environment, code=code)

    def _show(self, values: Mapping[str, Any]) -> None:
        self._listener(Shown(function=self.spec.name, values=values))

    def _log(self, line: str) -> None:
        self._trouble.notice(line)
        self._listener(LogLine(function=self.spec.name, text=line))


def _fingerprint(folders: tuple[Path, ...]) -> Fingerprint:
    """Return a value that differs as soon as a file is added, removed or changed: names, sizes, times of change."""
    return frozenset(_states(folders))


def _states(folders: tuple[Path, ...]) -> Iterator[tuple[str, int, int]]:
    """Yield them by `os.scandir`: every invocation asks twice, and pathlib takes six times as long."""
    left = list(map(str, folders))
    while left:
        with suppress(FileNotFoundError), os.scandir(left.pop()) as entries:  # what was listed may be gone
            for entry in entries:
                if entry.name.startswith((".", "__pycache__")) or entry.name.endswith("~"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif entry.is_file():
                    with suppress(FileNotFoundError):
                        state = entry.stat()
                        yield entry.path, state.st_size, state.st_mtime_ns
