"""The words in which a team declares its assistant: a pydantic-ai agent, what it knows, and the way to a person."""

from dataclasses import dataclass
from typing import Annotated

import pydantic_ai
from pydantic import Field
from pydantic_ai import ToolOutput

from switchboard.agents.knowledge import Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a tool is given. `id` is the same on every retry of a turn: key what a tool does outside by it."""

    id: str
    knowledge: Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Give the conversation to a colleague, a person: the assistant says `reply` and is silent from then on."""

    reply: Annotated[str, Field(description="What the customer reads: that a colleague takes over.")]


HAND_OVER = ToolOutput(HandOver, name="hand_over")

type DeclaredAgent = pydantic_ai.Agent[Turn, str | HandOver]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assistant:
    """An agent without a model (the model is a setting), and the knowledge its tools are given."""

    agent: DeclaredAgent
    knowledge: Knowledge
