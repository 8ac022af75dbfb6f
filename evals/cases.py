"""A file of cases: what a customer says, and what a good answer has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from switchboard.agent import Answer, EntryRole, HistoryEntry, Question

TIMEOUT_SECONDS = 60.0
FIELDS = {"says", "after", "contains", "lacks", "hands_over", "no_reply"}


class WrongCase(Exception):
    """A case cannot be read; the message says which one, and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the customer says, after our last reply if there was one, and what the answer must have.

    Of each of `contains` one alternative (`a|b`) is in the answer, of `lacks` none is; capital letters do not matter.
    """

    says: tuple[str, ...]
    after: str = ""
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    hands_over: bool = False
    no_reply: bool = False

    def question(self, turn: str) -> Question:
        """Return what the assistant is asked."""
        history = (HistoryEntry(role=EntryRole.ASSISTANT, text=self.after),) if self.after else ()
        return Question(turn=turn, history=history, messages=self.says, timeout_seconds=TIMEOUT_SECONDS)

    def faults(self, answer: Answer) -> list[str]:
        """Return what is wrong with an answer; nothing if it is good."""
        text = answer.text.casefold()
        faults = [f"has none of {each}" for each in self.contains if not _any_in(each, text)]
        faults += [f"has {each}" for each in self.lacks if _any_in(each, text)]
        if answer.handoff is not self.hands_over:
            faults.append("does not hand over" if self.hands_over else "hands over")
        if answer.no_reply is not self.no_reply:
            faults.append("replies" if self.no_reply else "says nothing")
        return faults


def read_cases(file: Path) -> list[Case]:
    """Return the cases of a YAML file; raise `WrongCase` for one that cannot be read, or one that nothing can fail."""
    try:
        items = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise WrongCase(f"{file.name} is not YAML: {error}") from None
    if not isinstance(items, list) or not items:
        raise WrongCase(f"{file.name} is not a list of cases: begin each with `- says: …`")
    return [_case(item, place=f"{file.name}, case {number}") for number, item in enumerate(items, start=1)]


def _case(item: object, *, place: str) -> Case:
    if not isinstance(item, Mapping) or not item.get("says"):
        raise WrongCase(f"{place} has no `says`: write what the customer texts")
    if unknown := item.keys() - FIELDS:
        raise WrongCase(f"{place} has {', '.join(sorted(map(str, unknown)))}: a case has {', '.join(sorted(FIELDS))}")
    if not any(item.get(field) for field in FIELDS - {"says", "after"}):
        raise WrongCase(f"{place} says nothing of the answer: give it contains, lacks, hands_over or no_reply")
    return Case(
        says=tuple(_texts(item, "says")),
        after=str(item.get("after", "")),
        contains=tuple(_texts(item, "contains")),
        lacks=tuple(_texts(item, "lacks")),
        hands_over=item.get("hands_over", False) is True,
        no_reply=item.get("no_reply", False) is True,
    )


def _texts(item: Mapping[Any, Any], field: str) -> Iterator[str]:
    """Yield the texts of a field, which has one or a list of them."""
    value = item.get(field, [])
    yield from map(str, value if isinstance(value, list) else [value])


def _any_in(alternatives: str, text: str) -> bool:
    return any(each.casefold() in text for each in alternatives.split("|"))
