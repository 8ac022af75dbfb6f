"""One Lambda instance as its parent sees it: a child process that answers one invocation at a time."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("runtime.py")
STARTS_WITHIN_SECONDS = 60  # generous: the first start compiles everything


class InvocationFailed(Exception):
    """The function gave no result."""


class Raised(InvocationFailed):
    """The handler raised; the instance lives on."""


class Crashed(InvocationFailed):
    """The process died."""


class TimedOut(InvocationFailed):
    """The function's time was over; its process was killed."""


class CannotStart(InvocationFailed):
    """The handler cannot be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A function as the template describes it. `paths` are what its code may import: its own folder, the layer."""

    name: str
    handler: str
    paths: tuple[Path, ...]
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, str]
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event for a function, and until when it may work on it."""

    request_id: str
    event: object
    deadline_ms: int  # of the epoch


class Instance:
    """A started child. `log` gets each line that it prints, from a thread of its own."""

    def __init__(self, spec: FunctionSpec, *, log: Callable[[str], None]) -> None:
        self._spec = spec
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own script
                [sys.executable, "-P", "-u", str(CHILD), str(theirs.fileno()), spec.handler],
                pass_fds=[theirs.fileno()],
                env={**spec.environment, "PYTHONPATH": os.pathsep.join(map(str, spec.paths))},
                cwd=spec.paths[0],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the parent, which then ends its children
            )
        self._answers = self._channel.makefile("rb")
        self._is_ready = False
        self._import_error = ""
        self._logs = threading.Thread(target=self._hand_on_lines, args=(log,), daemon=True)
        self._logs.start()

    @property
    def pid(self) -> int:
        """The process id, for a `kill -9` that plays a Lambda crash."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process.poll() is None

    @property
    def is_broken(self) -> bool:
        """Tell whether the handler could not be imported."""
        return bool(self._import_error)

    def wait_until_ready(self) -> None:
        """Return once the handler is imported; `CannotStart` says why it is not."""
        if self._is_ready:
            return
        if self.is_broken:
            raise CannotStart(self._import_error)
        try:
            answer = self._answer(STARTS_WITHIN_SECONDS)
        except (Crashed, TimedOut) as error:
            raise CannotStart(str(error)) from None
        if "error" in answer:
            self._import_error = _said(answer["error"])
            raise CannotStart(self._import_error)
        self._is_ready = True

    def invoke(self, invocation: Invocation) -> object:
        """Return the handler's result; `Raised`, `Crashed` or `TimedOut`, after which only the first lives on."""
        self.wait_until_ready()
        line = json.dumps(
            {
                "request_id": invocation.request_id,
                "event": invocation.event,
                "deadline_ms": invocation.deadline_ms,
                "function_arn": self._spec.arn,
            }
        )
        try:
            self._channel.sendall(line.encode() + b"\n")
        except OSError:
            raise Crashed(self._how_it_died()) from None
        answer = self._answer(invocation.deadline_ms / 1000 - time.time())
        if "error" in answer:
            raise Raised(_said(answer["error"]))
        return answer["result"]

    def kill(self) -> None:
        """End the process as a Lambda crash does: at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and return once its last line is handed on."""
        self.kill()
        self._logs.join()
        self._answers.close()
        self._channel.close()

    def _answer(self, seconds: float) -> dict[str, Any]:
        self._channel.settimeout(max(0.001, seconds))
        try:
            line = self._answers.readline()
        except TimeoutError:
            self.kill()
            raise TimedOut(f"Task timed out after {self._spec.timeout_seconds}.00 seconds") from None
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise Crashed(self._how_it_died())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _how_it_died(self) -> str:
        code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def _hand_on_lines(self, log: Callable[[str], None]) -> None:
        if self._process.stdout is None:
            raise AssertionError("opened as a pipe")
        with self._process.stdout as lines:
            for line in lines:
                log(line.decode(errors="replace").rstrip("\n"))


def _said(error: Mapping[str, object]) -> str:
    return f"{error['errorType']}: {error['errorMessage']}"
