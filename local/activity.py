"""What the local stack tells whoever watches it: a closed union."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class End(StrEnum):
    """How an invocation ended."""

    RETURNED = "returned"
    RAISED = "raised"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A function printed a line."""

    function: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """An invocation ended. `detail` says what was raised, or by which signal the process died."""

    function: str
    request_id: str
    end: End
    milliseconds: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A function's process was started anew, because its files changed."""

    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A function's handler cannot be imported; `detail` is the error. It stays so until a file changes."""

    function: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Somebody wrote in an emulated conversation: a customer, a colleague, or we (`switchboard`)."""

    author: str
    body: str


type Happening = Said | LogLine | Invoked | Replaced | Broken
type Watch = Callable[[Happening], None]
