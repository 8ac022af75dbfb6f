"""What a team declares its assistant with: a pydantic-ai agent, what it knows, the handoff to a human, and silence."""

from dataclasses import dataclass
from typing import Annotated

import pydantic_ai
from pydantic import Field
from pydantic_ai import ToolOutput

from switchboard.agents.answer_rules import AnswerRules
from switchboard.agents.knowledge import Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What a tool is given, as `ctx.deps`.

    `turn` is the same each time the turn is tried again: a tool that changes something uses it as its idempotency key.
    """

    turn: str
    knowledge: Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Give the conversation to a human: the customer reads `reply`, and the assistant is silent from then on."""

    reply: Annotated[str, Field(description="What the customer reads: that a colleague takes over.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReply:
    """Say nothing: the customer only thanks, confirms or says goodbye, asks nothing and waits for nothing."""


HANDOFF = ToolOutput(Handoff, name="hand_off")
NO_REPLY = ToolOutput(NoReply, name="no_reply")

type DeclaredAgent = pydantic_ai.Agent[Deps, str | Handoff | NoReply] | pydantic_ai.Agent[Deps, str | Handoff]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assistant:
    """An agent without a model, which is a setting, and the knowledge that its tools search.

    `secret_phrases` are never sent to a customer, however they are spaced or capitalised: a code word, a sentence of
    the instructions. `Misconfigured` is raised for one of less than six letters or digits: it is in too many words.
    """

    agent: DeclaredAgent
    knowledge: Knowledge
    secret_phrases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        AnswerRules(secret_phrases=self.secret_phrases)  # it looks at each
