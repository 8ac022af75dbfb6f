"""What a team implements to put its own assistant in place: an `Agent` gets a `Question` and returns an `Answer`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class EntryRole(StrEnum):
    """Who said an entry of the history, or what it is."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"  # the agent itself: an earlier answer
    HUMAN = "human"  # whoever else on our side wrote in the conversation
    SYSTEM = "system"  # another program's note
    NOTICE = "notice"  # a sentence of ours that no agent said, such as the fallback sentence; the customer read it
    MARK = "mark"  # nobody's words: what happened here, such as that a human took over


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One thing that was said, or that happened, before the question. `at` is its time, as far as we know it."""

    role: EntryRole
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent is asked: the messages that wait for an answer, oldest first, after all that was said before.

    Together, the messages and the history have a limited length: the oldest entries are left out, and a mark says so.
    `turn` is the same each time the turn is tried again. A tool that changes something uses it as the idempotency key.
    """

    turn: str
    history: tuple[HistoryEntry, ...]
    messages: tuple[str, ...]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply in Markdown. With `handoff`, it is the last one before a human takes the conversation.

    With `no_reply` nothing is said, whatever `text` is: the customer asked nothing and waits for nothing.
    """

    text: str = ""
    handoff: bool = False
    no_reply: bool = False


class Agent(Protocol):
    """Whatever answers a conversation. It never learns which channel the customer uses."""

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`, or raise `Transient` (try again) or `Permanent` (do not try again).

        The text of an error is logged, so it must not repeat what the customer said.
        """
        ...
