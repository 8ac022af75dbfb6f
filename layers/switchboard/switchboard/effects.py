"""Effects: what a turn's tools change outside, such as a booking. Each is written down before its tool runs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from switchboard.tokens import cut_text

MAX_TOLD_TOKENS = 300  # of a tool's call and its result, in the history

UNKNOWN = (
    "Nobody knows whether this happened: it was begun, and no result came back. Do not try it again and do not say "
    "that it happened or did not. Tell the customer that a colleague looks at it and writes to them."
)
LEFT_TO_HUMAN = "This was not done: a colleague takes this conversation over. Tell the customer so."


def told_call(tool: str, arguments: str, what: str) -> str:
    """Return what a model reads of a tool's call in a later turn; `what` says what came of it."""
    return cut_text(f"The assistant called {tool} with {arguments}. {what}", MAX_TOLD_TOKENS)


class EffectState(StrEnum):
    """What is known of an effect."""

    BEGUN = "begun"  # whether it happened is not known yet
    HAPPENED = "happened"
    NOT_HAPPENED = "not_happened"  # the tool said so: it may be tried again
    UNKNOWN = "unknown"  # whether it happened, nobody can tell: a human has to look


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One call of a tool that changes something.

    `call` counts the calls of this tool in its turn, from 0. `arguments` and `result` are JSON. `token` is the lease
    token of the worker that began it. Whether it happened can be told from `settled_by` on: until then, the other side
    may still do what it was asked.
    """

    tool: str
    call: int
    arguments: str
    token: str
    settled_by: datetime
    state: EffectState = EffectState.BEGUN
    result: str = ""

    @property
    def key(self) -> str:
        """What tells it from the turn's other effects."""
        return f"{self.tool}#{self.call}"

    def told(self) -> str:
        """Return what a model reads of it, in a later turn."""
        match self.state:
            case EffectState.HAPPENED:
                what = f"It returned {self.result}"
            case EffectState.NOT_HAPPENED:
                what = "It did nothing."
            case EffectState.BEGUN | EffectState.UNKNOWN:
                what = "Nobody knows whether it happened."
        return told_call(self.tool, self.arguments, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEffects:
    """The effects of one turn. `so_far` is the agent's own account of its run up to the last one, which it reads."""

    so_far: str = ""
    effects: tuple[Effect, ...] = ()

    def find(self, key: str) -> Effect | None:
        """Return the effect with this key, if there is one."""
        return next((effect for effect in self.effects if effect.key == key), None)

    def with_effect(self, effect: Effect, *, so_far: str | None = None) -> "TurnEffects":
        """Return these effects with that one, in place of the one that has its key."""
        others = {each.key: each for each in self.effects} | {effect.key: effect}
        return TurnEffects(so_far=self.so_far if so_far is None else so_far, effects=tuple(others.values()))
