"""One turn: the waiting messages of one conversation answered, at most once."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One earlier turn: what the customer said, and what was replied (None: nobody of ours answered)."""

    said: tuple[str, ...]
    replied: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent is asked. `turn` is the same on every retry: tools key their side effects by it."""

    turn: str
    history: tuple[Exchange, ...]
    messages: tuple[str, ...]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an answer cost."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An agent's reply in Markdown; with `handoff` it is the last one before a colleague takes the conversation."""

    text: str
    handoff: bool = False
    usage: Usage = Usage()


class Agent(Protocol):
    """Whatever answers: it never learns which channel it speaks on."""

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`, or raise `Transient` (try again) or `Permanent` (do not)."""
        ...
