"""What a team declares its assistant with: a pydantic-ai agent, what it knows, and its ways to end otherwise."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pydantic_ai
from pydantic import Field
from pydantic_ai import ToolOutput

from switchboard.agent import Effects
from switchboard.agents.answer_rules import AnswerRules
from switchboard.agents.knowledge import Knowledge
from switchboard.errors import Misconfigured
from switchboard.media import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What `@runs_once` needs of the run that a tool is called in. Nothing in it is for tools."""

    effects: Effects | None = None
    asked: tuple[str, ...] = ()
    responses_before: int = 0  # of the model, in the history


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What a tool is given, as `ctx.deps`.

    `turn` is the same each time the turn is tried again. `conversation` and `customer` are keys: the same for each turn
    of a conversation, and for each conversation of a customer; neither tells an address. `now` is in the assistant's
    time zone. `media` are the files that the customer sent in this turn. `address` is the phone
    number or the identity, where the assistant is declared with `tools_see_address=True`; else it is empty.
    """

    turn: str
    knowledge: Knowledge
    conversation: str = ""
    customer: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    media: tuple[Media, ...] = ()
    address: str = ""
    run: Run = Run()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Give the conversation to a human: the customer reads `reply`, and the assistant is silent from then on."""

    reply: Annotated[str, Field(description="What the customer reads: that a colleague takes over.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReply:
    """Say nothing: the customer only thanks, confirms or says goodbye, asks nothing and waits for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Send no more messages: the customer asks for that, in whatever words, and not for a pause or a change."""


HANDOFF = ToolOutput(Handoff, name="hand_off")
NO_REPLY = ToolOutput(NoReply, name="no_reply")
OPT_OUT = ToolOutput(OptOut, name="opt_out")

type DeclaredAgent = (
    pydantic_ai.Agent[Deps, str | Handoff | NoReply | OptOut]
    | pydantic_ai.Agent[Deps, str | Handoff | NoReply]
    | pydantic_ai.Agent[Deps, str | Handoff]
)


type Transcribe = Callable[[bytes, str], str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assistant:
    """An agent without a model, which is a setting, and the knowledge that its tools search.

    `secret_phrases` are never sent to a customer, however they are spaced or capitalised: a code word, a sentence of
    the instructions. `Misconfigured` is raised for one of less than six letters or digits: it is in too many words.
    `time_zone` is the shop's, such as `Europe/Berlin`. Tools do not see the customer's address, unless
    `tools_see_address`; the model never does. `transcribe` is given a voice message and its content type, such as
    `audio/ogg`, and returns what it says: the model reads that. It may take as long as a tool, and raises as one.
    """

    agent: DeclaredAgent
    knowledge: Knowledge
    secret_phrases: tuple[str, ...] = ()
    time_zone: str = "UTC"
    tools_see_address: bool = False
    transcribe: Transcribe | None = None

    def __post_init__(self) -> None:
        AnswerRules(secret_phrases=self.secret_phrases)  # it looks at each
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Misconfigured(f"time_zone is {self.time_zone!r}: give a name such as Europe/Berlin or UTC") from None
