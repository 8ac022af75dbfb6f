"""Lambda's Python runtime, inside an execution environment: import a handler, then run one invocation after the other.

A handler's module may have a function `start`, which builds what its handler works with. Unlike on Lambda it can be
called before the first event, so that what cannot be built is reported when it is saved, not when a customer writes.

This script runs under `python -P`, with only the function's own folder and the layer on the path, so it imports nothing
of `local`; the scripted model and what breaks on purpose, files that do not either, it loads by their paths. Arguments:
the file descriptor of the socket to the parent, and the handler (`app.lambda_handler`).

Each message is one line of JSON. This process first sends `{"ready": true}` or `{"error": …}`. Then it answers each
invocation, and `{"start": true}`, with `{"result": …}` or `{"error": …}`. Before that it may send any number of
`{"shown": …}`, what only a developer sees of a turn. An invocation's `trouble` says what is wrong on purpose while it
runs. The process ends when the parent's end of the socket closes.
"""

import importlib
import importlib.util
import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

SCRIPTED_MODEL = Path(__file__).parents[1] / "scripted_model.py"
IN_TROUBLE = Path(__file__).with_name("in_trouble.py")
_WRITING = threading.Lock()  # turns run side by side, and each shows what it does


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """The handler's second argument: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    deadline_ms: int
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function times out."""
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)


def _context(invocation: dict[str, Any]) -> LambdaContext:
    return LambdaContext(
        aws_request_id=invocation["request_id"],
        invoked_function_arn=invocation["function_arn"],
        deadline_ms=invocation["deadline_ms"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
    )


def _error(error: BaseException) -> dict[str, Any]:
    """Return an error in the form of Lambda's response, and log it as Lambda's runtime does."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    sys.stderr.write("[ERROR] " + "".join(traceback.format_exception(error)))
    return {
        "error": {
            "errorType": type(error).__name__,
            "errorMessage": str(error),
            "stackTrace": traceback.format_list(frames),
        }
    }


def _import_error(error: BaseException) -> dict[str, Any]:
    """Return an error of an import, with the file and the line in its message."""
    response = _error(error)
    folders = os.environ["PYTHONPATH"].split(os.pathsep)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if any(frame.filename.startswith(f"{folder}{os.sep}") for folder in folders)
    ]
    if frames and not isinstance(error, SyntaxError):  # a SyntaxError names its file and line itself
        response["error"]["errorMessage"] += f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
    return response


def _start(module: ModuleType) -> bytes:
    try:
        getattr(module, "start", bool)()
    except Exception as error:  # noqa: BLE001 -- whatever it raises, the parent reports it
        return json.dumps(_error(error)).encode()
    return b'{"result": null}'


def _invoke(handler: Callable[[Any, LambdaContext], Any], invocation: dict[str, Any]) -> bytes:
    try:
        _meet_trouble(invocation)
        return json.dumps({"result": handler(invocation["event"], _context(invocation))}).encode()
    except Exception as error:  # noqa: BLE001 -- the outermost edge: as on Lambda, the process stays
        return json.dumps(_error(error)).encode()


def _read_lines(source: BinaryIO, lines: queue.SimpleQueue[bytes]) -> None:
    """Put the parent's lines into the queue; end the process with the parent, even in the middle of an invocation."""
    try:
        for line in source:
            lines.put(line)
    finally:  # the socket ended, or was reset because the parent ended with lines of ours unread
        os._exit(0)


def _write_line(target: BinaryIO, line: bytes) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with _WRITING:
        target.write(line + b"\n")
        target.flush()


class _Marked(logging.Formatter):
    """Begins each line with a mark, by which the console knows it."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self._mark = mark

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's lines, each with the mark."""
        return "\n".join(f"{self._mark} {line}" for line in super().format(record).splitlines())


class _ToParent(logging.Handler):
    """Sends the parent what a record tells of, as JSON."""

    def __init__(self, kind: str, target: BinaryIO) -> None:
        super().__init__()
        self._kind = kind
        self._target = target

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record's argument, a dataclass; a parent that has ended needs nothing."""
        for told in record.args or ():
            if is_dataclass(told) and not isinstance(told, type):
                with suppress(Exception):  # a tool may be given anything, and what is shown may not fail its call
                    shown = {"kind": self._kind, "at": record.created, **asdict(told)}
                    _write_line(self._target, json.dumps({"shown": shown}, default=repr, skipkeys=True).encode())


def _show_to_developers(target: BinaryIO) -> None:
    """Print whole tracebacks and tool calls, and send the parent these and what the model was shown.

    All of it may quote the customer; on AWS nothing shows it.
    """
    for name, mark in (("switchboard.tracebacks", "[TRACEBACK]"), ("switchboard.tool_calls", "[TOOL]")):
        handler = logging.StreamHandler()
        handler.setFormatter(_Marked(mark))
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False  # or a handler of the root logger would print it again
    for name, kind in (("switchboard.tool_calls", "tool"), ("switchboard.model_requests", "model")):
        logging.getLogger(name).addHandler(_ToParent(kind, target))
        logging.getLogger(name).propagate = False


def _know_scripts() -> None:
    """Make `script:…` a model, where it is the chosen one: on AWS it is none."""
    if os.environ.get("ASSISTANT_MODEL", "").startswith("script:"):
        _load(SCRIPTED_MODEL).register()


def _load(path: Path) -> ModuleType:
    """Return the module of a file that is on no path, imported once."""
    if path.stem in sys.modules:
        return sys.modules[path.stem]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing")
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _meet_trouble(invocation: dict[str, Any]) -> None:
    """Begin and end what is wrong on purpose. Until the first trouble nothing is loaded for it."""
    trouble = invocation.get("trouble", {})
    if trouble or IN_TROUBLE.stem in sys.modules:
        _load(IN_TROUBLE).meet(trouble, invocation["event"], os.environ["PYTHONPATH"].split(os.pathsep))


def main(descriptor: int, handler_name: str) -> None:
    """Run invocations until the parent's end of the socket closes."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    source, target = os.fdopen(descriptor, "rb"), os.fdopen(os.dup(descriptor), "wb")
    _show_to_developers(target)
    threading.Thread(target=_read_lines, args=(source, lines), daemon=True).start()
    module_name, _, function = handler_name.rpartition(".")
    try:
        _know_scripts()
        module = importlib.import_module(module_name)
        handler = getattr(module, function)
    except BaseException as error:  # noqa: BLE001 -- the function's author reads whatever its import raises
        _write_line(target, json.dumps(_import_error(error)).encode())
        os._exit(1)
    _write_line(target, b'{"ready": true}')
    while True:
        line = json.loads(lines.get())
        _write_line(target, _start(module) if "start" in line else _invoke(handler, line))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
