"""What the local stack reports while it runs: a closed union of dataclasses, and the function that receives them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
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
class InvocationEnded:
    """An invocation ended. `detail` is the exception that the handler raised, or the signal that ended the process."""

    function: str
    request_id: str
    outcome: Outcome
    milliseconds: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReloaded:
    """A file of a function changed, and the function's process was replaced."""

    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFailed:
    """A function cannot start; `detail` says what to correct. No invocation works until a file changes."""

    function: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationMessage:
    """Somebody wrote in an emulated conversation: a customer, a human, or the assistant (author `switchboard`)."""

    author: str
    body: str


type Activity = ConversationMessage | LogLine | InvocationEnded | CodeReloaded | ImportFailed
type Listener = Callable[[Activity], None]
