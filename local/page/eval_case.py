"""A turn that was answered → the text of an eval case, which asks the same and wants the same facts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from switchboard.agent import EntryRole, HistoryEntry

# What an answer must not get wrong: a price, a time, a day, a number of an order.
FACTS = re.compile(
    r"[$€£]\s?\d[\d,.]*\d|[$€£]\s?\d|\b\d{1,2}(?::\d{2})?\s?[ap]m\b|\b[A-Z]{1,4}-\d+\b|\b\d+\s?%"
    r"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
)
MAX_FACTS = 4
IN_A_CASE = frozenset(EntryRole) - {EntryRole.SUMMARY, EntryRole.TOOL}
LONGEST_SENTENCE = 80


def eval_case(
    *, history: Sequence[HistoryEntry], said: Sequence[str], kind: str, rule: str, answer: str, calls: Mapping[str, Any]
) -> str:
    """Return the case in the form of evals/*.yaml; what it `contains` is a proposal, to be read before it is kept."""
    case: dict[str, Any] = {}
    if told := [{each.role.value: each.text} for each in history if each.role in IN_A_CASE]:
        case["history"] = told
    case["says"] = said[0] if len(said) == 1 else list(said)
    if rule == "no_reply":
        case["no_reply"] = True
    elif kind == "handoff":
        case["hands_over"] = True
    else:
        case["contains"] = facts_in(answer)
    if calls:
        case["calls"] = {name: _certain(arguments) for name, arguments in calls.items()}
    return yaml.safe_dump([case], allow_unicode=True, sort_keys=False, width=110)


def _certain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that another run words alike, such as a number or a code: no text of several words."""
    return {name: value for name, value in arguments.items() if not re.search(r"\s", str(value))}


def facts_in(answer: str) -> list[str]:
    """Return the facts of an answer that a wrong one would lack; where it has none, the beginning of its words."""
    found = list(dict.fromkeys(match.group().strip() for match in FACTS.finditer(answer)))
    return found[:MAX_FACTS] or [re.split(r"(?<=[.!?])\s", answer.strip())[0][:LONGEST_SENTENCE]]
