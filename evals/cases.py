"""A file of cases: what a customer says, and what a good answer has."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from switchboard.agent import Answer, EntryRole, HistoryEntry, Question
from switchboard.agents.watching import ToolCall
from switchboard.disclosure import SENTENCES

TIMEOUT_SECONDS = 60.0
EXPECTED = ("contains", "lacks", "calls", "never_calls", "hands_over", "no_reply", "disclosed")


class WrongCase(Exception):
    """A case cannot be read; the message says which one, and what is wrong."""


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the customer says, after a history if there was one, and what the answer must have.

    Of each of `contains` one alternative (`a|b`) is in the answer, of `lacks` none is; capital letters do not matter.
    `calls` has the tools that were called, with their arguments. `may` names endings that are as good as an answer.
    A reply that is `disclosed` is a conversation's first one, and begins with the disclosure.
    """

    says: str | list[str]
    history: list[dict[EntryRole, str]] = []
    after: str = ""
    contains: str | list[str] = []
    lacks: str | list[str] = []
    calls: dict[str, dict[str, Any]] = {}
    never_calls: str | list[str] = []
    hands_over: bool = False
    no_reply: bool = False
    disclosed: bool = False
    may: list[Literal["hands_over", "no_reply"]] = []

    def question(self, turn: str) -> Question:
        """Return what the assistant is asked."""
        said = [*self.history, *([{EntryRole.ASSISTANT: self.after}] if self.after else [])]
        history = tuple(HistoryEntry(role=role, text=text) for each in said for role, text in each.items())
        messages = tuple(_texts(self.says))
        return Question(turn=turn, history=history, messages=messages, timeout_seconds=TIMEOUT_SECONDS)

    def faults(self, answer: Answer, calls: Iterable[ToolCall] = ()) -> list[str]:
        """Return what is wrong with an answer, and with the calls of tools before it; nothing if it is good."""
        text, called = answer.text.casefold(), list(calls)
        faults = [f"has {each}" for each in _texts(self.lacks) if _any_in(each, text)]
        faults += [f"calls {call.name}" for call in called if call.name in _texts(self.never_calls)]
        if (answer.handoff and "hands_over" in self.may) or (answer.no_reply and "no_reply" in self.may):
            return faults
        faults += [f"has none of {each}" for each in _texts(self.contains) if not _any_in(each, text)]
        missing = [name for name, given in self.calls.items() if not _is_in(name, given, called)]
        faults += [f"does not call {name} with {self.calls[name]}" for name in missing]
        if self.disclosed and not answer.text.startswith(tuple(SENTENCES.values())):
            faults.append("does not begin with the disclosure")
        if answer.handoff is not self.hands_over:
            faults.append("does not hand over" if self.hands_over else "hands over")
        if answer.no_reply is not self.no_reply:
            faults.append("replies" if self.no_reply else "says nothing")
        return faults


class Cases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file's cases, and how many percent of them must be answered well."""

    cases: Annotated[list[Case], msgspec.Meta(min_length=1)]
    at_least: float = 95.0


def read_cases(file: Path) -> Cases:
    """Return the cases of a YAML file; raise `WrongCase` for one that cannot be read, or that nothing can fail."""
    try:
        items = yaml.safe_load(file.read_text(encoding="utf-8"))
        read = msgspec.convert({"cases": items} if isinstance(items, list) else items, Cases)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        place = r" - at `(?:key` in `)?\$(?:\.cases\[(\d+)\])?(\S*)`"
        said = re.sub(place, lambda at: f" (case {int(at[1]) + 1}{at[2]})" if at[1] else "", str(error))
        raise WrongCase(f"{file.name} cannot be read as cases, each `- says: …`: {said}") from None
    for number, case in enumerate(read.cases, start=1):
        if not any(getattr(case, name) for name in EXPECTED):
            raise WrongCase(f"{file.name}, case {number} says nothing of the answer: give it {', '.join(EXPECTED)}")
    return read


def _texts(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _any_in(alternatives: str, text: str) -> bool:
    return any(each.casefold() in text for each in alternatives.split("|"))


def _is_in(name: str, given: dict[str, Any], calls: Iterable[ToolCall]) -> bool:
    return any(call.name == name and given.items() <= call.arguments.items() for call in calls)
