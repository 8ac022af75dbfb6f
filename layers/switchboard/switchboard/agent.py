"""What a team implements to put its own assistant in place: an `Agent` gets a `Question` and returns an `Answer`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One earlier turn: what the customer said, message by message, and what we replied."""

    said: tuple[str, ...]
    replied: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent is asked: the messages that wait for an answer, after the earlier turns, oldest first.

    `turn` is the same each time the turn is tried again. A tool that changes something uses it as the idempotency key.
    """

    turn: str
    history: tuple[Exchange, ...]
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
