"""What the assistant remembers: how far back, when older history becomes a summary, and a summary made by rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from switchboard.agent import EntryRole, HistoryEntry
from switchboard.errors import Misconfigured
from switchboard.tokens import MAX_QUESTION_TOKENS, MAX_SUMMARY_TOKENS, estimate_tokens

MAX_LINE = 160  # characters of what somebody said, in a summary by rule

_WHO = {
    EntryRole.CUSTOMER: "Customer",
    EntryRole.ASSISTANT: "Assistant",
    EntryRole.HUMAN: "Colleague",
    EntryRole.SYSTEM: "Program",
    EntryRole.TOOL: "Tool",
}


class MemoryMode(StrEnum):
    """How far back the assistant remembers."""

    OFF = "off"
    CONVERSATION = "conversation"
    CUSTOMER = "customer"  # also what was said in the customer's earlier conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """When a summary takes the place of older history.

    It is due where more than `due_items` turns and notes, or `due_tokens`, came after the last one. The newest
    `kept_items`, with `kept_tokens` at most, stay as they are. An agent that gives none is asked again in each turn;
    beyond `max_items` or `max_tokens` a rule makes it.
    """

    mode: MemoryMode = MemoryMode.CONVERSATION
    due_items: int = 10
    due_tokens: int = 14_000
    kept_items: int = 6
    kept_tokens: int = 7_000
    max_items: int = 34  # a query reads 40
    max_tokens: int = MAX_QUESTION_TOKENS - 4_000


def parse_memory(mode: str, *, name: str) -> Memory:
    """Return the memory of a mode; raise `Misconfigured`, which names the setting, for what is not one."""
    if mode not in set(MemoryMode):
        raise Misconfigured(f"{name} is {mode!r}: it must be {', '.join(MemoryMode)}")
    return Memory(mode=MemoryMode(mode))


def extract(entries: Iterable[HistoryEntry]) -> str:
    """Return a summary by rule: the beginning of what each said, the newest lines that a summary has room for."""
    lines = [line for entry in entries for line in _lines(entry)]
    kept: list[str] = []
    left = MAX_SUMMARY_TOKENS
    for line in reversed(lines):
        left -= estimate_tokens(line) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def _lines(entry: HistoryEntry) -> list[str]:
    if entry.role is EntryRole.SUMMARY:
        return entry.text.splitlines()
    who = _WHO.get(entry.role)
    text = " ".join(entry.text.split())
    said = text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 1]}…"
    return [f"{who}: {said}"] if who and text else []
