"""A Lambda execution environment: a child process that runs one invocation at a time."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.aws.named_variables import named_variables

RUNTIME = Path(__file__).with_name("runtime.py")
PASSES_BY_ITSELF = "Transient"  # the class of a start's error after which it is simply tried again
MAX_INIT_SECONDS = 60  # the first start compiles the layer, perhaps on a busy machine


class InvocationFailed(Exception):
    """The function returned no result."""


class Raised(InvocationFailed):
    """The handler raised; the execution environment stays."""


class Crashed(InvocationFailed):
    """The process ended."""


class TimedOut(InvocationFailed):
    """The function ran into its timeout, and its process was killed."""


class CannotStart(InvocationFailed):
    """The handler cannot be imported, or what it works with cannot be built. The text says what to correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A function as the template declares it. Its code can import from `paths`: its own folder, then the layer's.

    Of the caller's variables, `offered`, it gets those that its own code names, each time that it starts.
    """

    name: str
    handler: str
    paths: tuple[Path, ...]
    timeout_seconds: int
    environment: Mapping[str, str]
    arn: str
    offered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """An event for a function, when the function times out, and what is wrong on purpose meanwhile."""

    request_id: str
    event: object
    deadline_ms: int  # since the Unix epoch
    trouble: Mapping[str, object] = field(default_factory=dict)


class ExecutionEnvironment:
    """A started process. `log` is called with each line that it prints, from a thread of its own.

    `show` is called with what only a developer sees of an invocation, from the invocation's thread.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        log: Callable[[str], None],
        show: Callable[[Mapping[str, Any]], None] = lambda _shown: None,
    ) -> None:
        self._spec = spec
        self._show = show
        self._channel, runtime_end = socket.socketpair()
        with runtime_end:
            self._process = subprocess.Popen(  # noqa: S603 -- our own script
                [sys.executable, "-P", "-u", str(RUNTIME), str(runtime_end.fileno()), spec.handler],
                pass_fds=[runtime_end.fileno()],
                env={
                    **named_variables(spec.paths[0], spec.offered),
                    **spec.environment,
                    "PYTHONPATH": os.pathsep.join(map(str, spec.paths)),
                },
                cwd=spec.paths[0],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the parent, which then ends its children
            )
        self._responses = self._channel.makefile("rb")
        self._is_imported = self._is_ready = False
        self._start_error = ""
        self._logs = threading.Thread(target=self._forward_lines, args=(log,), daemon=True)
        self._logs.start()

    @property
    def pid(self) -> int:
        """The process id; `kill -9` simulates a Lambda crash."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    @property
    def has_start_error(self) -> bool:
        """Whether it cannot start until somebody corrects its code or a setting."""
        return bool(self._start_error)

    def wait_until_ready(self) -> None:
        """Return once the handler is imported and its `start` has returned; `CannotStart` with the reason if not."""
        if self._is_ready:
            return
        if self.has_start_error:
            raise CannotStart(self._start_error)
        try:
            if not self._is_imported:
                self._import()
            response = self._request({"start": True}, MAX_INIT_SECONDS)
        except Crashed as error:
            raise CannotStart(f"its process ended while it started: {error}") from None
        except TimedOut:
            raise CannotStart(f"it did not start within {MAX_INIT_SECONDS} s") from None
        if "error" in response:
            message = str(response["error"]["errorMessage"])
            if response["error"]["errorType"] != PASSES_BY_ITSELF:
                self._start_error = message
            raise CannotStart(message)
        self._is_ready = True

    def _import(self) -> None:
        response = self._read_response(MAX_INIT_SECONDS)
        if "error" in response:
            self._start_error = _message_of(response["error"])
            raise CannotStart(self._start_error)
        self._is_imported = True

    def invoke(self, invocation: Invocation) -> object:
        """Return the handler's result, or raise `Raised`, `Crashed` or `TimedOut`. The last two end the process."""
        self.wait_until_ready()
        request: dict[str, object] = {
            "request_id": invocation.request_id,
            "event": invocation.event,
            "deadline_ms": invocation.deadline_ms,
            "function_arn": self._spec.arn,
        }
        if invocation.trouble:
            request["trouble"] = invocation.trouble
        response = self._request(request, invocation.deadline_ms / 1000 - time.time())
        if "error" in response:
            raise Raised(_message_of(response["error"]))
        return response["result"]

    def kill(self) -> None:
        """End the process with SIGKILL, as a Lambda crash does."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process; return once `log` has its last line."""
        self.kill()
        self._logs.join()
        self._responses.close()
        self._channel.close()

    def _request(self, request: Mapping[str, object], seconds: float) -> dict[str, Any]:
        try:
            self._channel.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Crashed(self._exit_reason()) from None
        return self._read_response(seconds)

    def _read_response(self, seconds: float) -> dict[str, Any]:
        """Return the response that comes within so many seconds; what is shown before it, is shown at once."""
        until = time.monotonic() + seconds
        while "shown" in (line := self._read_line(until - time.monotonic())):
            self._show(line["shown"])
        return line

    def _read_line(self, seconds: float) -> dict[str, Any]:
        self._channel.settimeout(max(0.001, seconds))
        try:
            line = self._responses.readline()
        except TimeoutError:
            self.kill()
            raise TimedOut(f"Task timed out after {self._spec.timeout_seconds}.00 seconds") from None
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise Crashed(self._exit_reason())
        response: dict[str, Any] = json.loads(line)
        return response

    def _exit_reason(self) -> str:
        code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def _forward_lines(self, log: Callable[[str], None]) -> None:
        if self._process.stdout is None:
            raise AssertionError("Popen got stdout=PIPE")
        with self._process.stdout as lines:
            for line in lines:
                log(line.decode(errors="replace").rstrip("\n"))


def _message_of(error: Mapping[str, object]) -> str:
    return f"{error['errorType']}: {error['errorMessage']}"
