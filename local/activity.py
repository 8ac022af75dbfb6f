"""What the local stack reports while it runs: a closed union of dataclasses, and the function that receives them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
class Shown:
    """A function showed what only a developer sees of a turn: the call of a `tool`, or a request to the `model`."""

    function: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationBegan:
    """An execution environment was given an event."""

    function: str
    request_id: str
    event: object


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationEnded:
    """An invocation ended. `detail` is the exception that the handler raised, or the signal that ended the process.

    `result` is what the handler returned.
    """

    function: str
    request_id: str
    outcome: Outcome
    milliseconds: int
    detail: str = ""
    result: object = field(default=None, compare=False, repr=False)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLost:
    """Twilio has sent a webhook that did not arrive: a fault dropped it, or nothing answered in time."""

    fields: Sequence[tuple[str, str]]
    reason: str


type Activity = (
    ConversationMessage
    | LogLine
    | Shown
    | InvocationBegan
    | InvocationEnded
    | WebhookLost
    | CodeReloaded
    | ImportFailed
)
type Listener = Callable[[Activity], None]
