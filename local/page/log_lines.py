"""A line that a function printed → what it tells of a turn: a step, a decision or an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# What Powertools puts on every line.
EVERY_LINE = frozenset(
    {
        "level",
        "location",
        "message",
        "timestamp",
        "service",
        "cold_start",
        "function_name",
        "function_memory_size",
        "function_arn",
        "function_request_id",
        "sampling_rate",
        "xray_trace_id",
        "conversation_sid",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedLine:
    """A structured line: what was decided, when, in epoch milliseconds, in which invocation, and its facts."""

    at: float
    level: str
    message: str
    request: str
    conversation_sid: str
    turn: str
    facts: Mapping[str, Any]

    @property
    def is_debug(self) -> bool:
        """Whether it is no decision."""
        return self.level == "DEBUG"

    @property
    def is_step(self) -> bool:
        """Whether it tells of a step of a turn."""
        return self.is_debug and self.message == "step" and "step" in self.facts


def read_line(text: str) -> LoggedLine | None:
    """Return a line in Powertools' form; None for a metric, a print, or what a team logs otherwise."""
    if not text.startswith("{"):
        return None
    try:
        line = json.loads(text)
        at = datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z").timestamp() * 1000
        message = line["message"]
    except (KeyError, TypeError, ValueError):
        return None
    if not isinstance(message, str) or "level" not in line:
        return None
    return LoggedLine(
        at=at,
        level=str(line["level"]),
        message=message,
        request=str(line.get("function_request_id", "")),
        conversation_sid=str(line.get("conversation_sid", "")),
        turn=str(line.get("turn", "")),
        facts={name: value for name, value in line.items() if name not in EVERY_LINE},
    )
