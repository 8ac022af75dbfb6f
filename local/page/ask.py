"""`python -m local.page.ask`: ask an assistant one question, in a process of its own. Nothing is sent, nothing written.

It reads a question as JSON on its input and prints the answer as the last line. A tool that is declared with
`@runs_once` is not run: it returns what it returned in the turn that is asked again, or that nothing was done.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, override

from local.scripted_model import register
from switchboard.agent import EntryRole, HistoryEntry, Question
from switchboard.agents.keys import Keys
from switchboard.agents.watching import TOOL_CALLS, ToolCall
from switchboard.bootstrap.agent import declared_assistant
from switchboard.bootstrap.startup import build
from switchboard.errors import SwitchboardError

TIMEOUT_SECONDS = 60.0
NOT_DONE = "Nothing was changed: the question is only asked again."


@dataclass(slots=True)
class EffectsBefore:
    """The effects of a turn that has ended: what its tools returned is returned again, and nothing is run."""

    results: dict[str, str] = field(default_factory=dict)
    so_far: str = ""

    def run_once(
        self,
        tool: str,
        call: int,
        *,
        arguments: str,
        so_far: str,
        run: Callable[[], str],
        check: Callable[[], str | None] | None = None,
    ) -> str:
        """Return what the call returned then."""
        del arguments, so_far, run, check
        return self.results.get(f"{tool}#{call}", json.dumps(NOT_DONE))


class Calls(logging.Handler):
    """Keeps the calls of tools."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[ToolCall] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.kept.extend(each for each in record.args or () if isinstance(each, ToolCall))


def answer_to(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the assistant of a folder answers, or why it does not."""
    folder = Path(asked["folder"])
    sys.path.insert(0, str(folder))
    register()
    calls = Calls()
    logging.getLogger(TOOL_CALLS).addHandler(calls)
    logging.getLogger(TOOL_CALLS).propagate = False
    models: Any = {"model": asked["model"], "fallback_model": asked["fallback_model"]}
    try:
        agent = build(
            lambda: declared_assistant(folder).agent(**models, keys=Keys(environment=os.environ)), folder=folder
        )
        answer = agent.answer(question_of(asked))
    except SwitchboardError as error:
        return {"error": str(error)}
    return {
        "text": answer.text,
        "handoff": answer.handoff,
        "no_reply": answer.no_reply,
        "opt_out": answer.opt_out,
        "files": list(answer.files),
        "calls": [{"name": call.name, "arguments": call.arguments, "returned": call.returned} for call in calls.kept],
    }


def question_of(asked: dict[str, Any]) -> Question:
    """Return what the assistant is asked; the customer's address and their files are not known."""
    return Question(
        turn=asked["turn"],
        history=tuple(map(_entry, asked["history"])),
        messages=tuple(asked["messages"]),
        timeout_seconds=TIMEOUT_SECONDS,
        effects=EffectsBefore(asked["effects"]),
        conversation=asked["conversation"],
        customer=asked["customer"],
        max_characters=asked["max_characters"],
        now=datetime.fromisoformat(asked["now"]),
    )


def plain(value: object) -> object:
    """Return whatever a tool was given or returned as JSON can say it."""
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half a surrogate pair is no text
    is_plain = value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value))
    return value if is_plain else plain(repr(value))


def _entry(said: dict[str, Any]) -> HistoryEntry:
    at = datetime.fromisoformat(said["at"]) if said["at"] else None
    return HistoryEntry(role=EntryRole(said["role"]), text=said["text"], at=at)


if __name__ == "__main__":
    print(json.dumps(plain(answer_to(json.load(sys.stdin)))))  # noqa: T201 -- the parent reads it
