"""What a developer sees of a turn and a log never does: tool calls with their words, and whole tracebacks.

Both may quote the customer. They go to loggers of their own, and only where somebody attached a handler to one: `make
run`, `make chat` and `make eval` do; on AWS nobody does, whatever the log level.
"""

import logging
from dataclasses import dataclass

TRACEBACKS = "switchboard.tracebacks"
TOOL_CALLS = "switchboard.tool_calls"
MAX_SHOWN = 300  # characters of what a tool returned


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool, and what it returned, or how it failed."""

    name: str
    arguments: dict[str, object]
    returned: str

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        shown = self.returned if len(self.returned) <= MAX_SHOWN else f"{self.returned[:MAX_SHOWN]}…"
        return f"{self.name}({given}) → {shown}"


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
