"""What a developer sees of a turn and a log never does: the words of tool calls and of the model, whole tracebacks.

All of it may quote the customer. It goes to loggers of its own, and only where somebody attached a handler to one:
`make run`, `make chat` and `make eval` do; on AWS nobody does, whatever the log level.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

TRACEBACKS = "switchboard.tracebacks"
TOOL_CALLS = "switchboard.tool_calls"
MODEL_REQUESTS = "switchboard.model_requests"
MAX_SHOWN = 300  # characters of what a tool returned


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool, and what it returned, or how it failed; in which turn, and how long it took."""

    name: str
    arguments: dict[str, object]
    returned: str
    turn: str = ""
    conversation: str = ""
    milliseconds: int = 0

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        shown = self.returned if len(self.returned) <= MAX_SHOWN else f"{self.returned[:MAX_SHOWN]}…"
        return f"{self.name}({given}) → {shown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAsked:
    """A request to the model: what it was shown, and what it answered, or how it failed.

    Each entry of `shown` and `answered` is a part of a message: what it is, such as `user-prompt`, and its words.
    """

    turn: str
    conversation: str
    model: str
    shown: Sequence[Mapping[str, str]]
    answered: Sequence[Mapping[str, str]]
    tools: Sequence[str]
    input_tokens: int
    output_tokens: int
    milliseconds: int
    failed: str = ""


def show_traceback(error: BaseException, *, turn: str) -> None:
    """Show the whole traceback of an error to whoever watches."""
    logger = logging.getLogger(TRACEBACKS)
    if logger.handlers:
        logger.error("%s: the agent failed", turn, exc_info=error)


def show_tool_call(call: ToolCall) -> None:
    """Show a call to whoever watches; the record's only argument is the `ToolCall`."""
    logger = logging.getLogger(TOOL_CALLS)
    if logger.handlers:
        logger.warning("%s", call)


def show_model_asked(asked: Callable[[], ModelAsked]) -> None:
    """Show a request to whoever watches; the record's only argument is the `ModelAsked`, made only for them."""
    logger = logging.getLogger(MODEL_REQUESTS)
    if logger.handlers:
        logger.warning("%s", asked())
