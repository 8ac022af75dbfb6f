"""Effects of a turn: what its tools change outside happens once, under the fencing token, and is written down.

    begin (fenced) ─▶ run ─▶ end

Where a worker died between, or the tool failed without saying that nothing happened, the next attempt looks: the tool's
`check` says whether it happened. Without one nobody knows, and the turn is handed over to a human.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from switchboard.effects import LEFT_TO_HUMAN, UNKNOWN, Effect, EffectState, TurnEffects
from switchboard.errors import NotSent, Transient
from switchboard.ports import Fenced
from switchboard.turn.context import TurnContext
from switchboard.turn.timing import COMMIT_WINDOW, MIN_LEASE_FOR_FREEZE, MIN_LEASE_FOR_SEND


@dataclass(slots=True, kw_only=True)
class EffectsOfTurn:
    """The `Effects` of one attempt at a turn. Tools that a model calls side by side take their effects in turn."""

    turn: TurnContext
    kept: TurnEffects
    _lock: Lock = field(default_factory=Lock)

    @property
    def so_far(self) -> str:
        """The agent's account of its run, up to the last effect."""
        return self.kept.so_far

    def is_unknown(self) -> bool:
        """Tell whether nobody knows of some effect whether it happened."""
        return any(effect.state is EffectState.UNKNOWN for effect in self.kept.effects)

    def run_once(
        self,
        tool: str,
        call: int,
        *,
        arguments: str,
        so_far: str,
        run: Callable[[], str],
        check: Callable[[], str | None] | None = None,
    ) -> str:
        """Return the result of an effect, which is run if it certainly never was."""
        effect = Effect(
            tool=tool,
            call=call,
            arguments=arguments,
            token=self.turn.conversation.lease_token,
            settled_by=self.turn.lease_until + COMMIT_WINDOW,
        )
        with self._lock:
            known = self.kept.find(effect.key)
            if known and known.state is EffectState.BEGUN:
                known = self._looked_at(known, check)
            if known and known.state in {EffectState.HAPPENED, EffectState.UNKNOWN}:
                return known.result
            if self.is_unknown():
                return json.dumps(LEFT_TO_HUMAN)
            self._begin(effect, so_far=so_far, after=known)
            return self._run(effect, run, may_be_checked=check is not None)

    def _begin(self, effect: Effect, *, so_far: str, after: Effect | None) -> None:
        self._require_time()
        self.turn.ports.conversations.begin_effect(self.turn.conversation, effect, so_far=so_far, after=after)
        self.kept = self.kept.with_effect(effect, so_far=so_far)

    def _run(self, effect: Effect, run: Callable[[], str], *, may_be_checked: bool) -> str:
        try:
            self._require_time()  # writing it down may have taken long
            result = run()
        except NotSent:
            self._end(replace(effect, state=EffectState.NOT_HAPPENED))
            raise
        except Exception as error:
            if may_be_checked:
                self._end(replace(effect, settled_by=self.turn.now() + COMMIT_WINDOW))
                what = f"{effect.tool} failed ({type(error).__name__}), and whether it did anything is checked later"
                raise Transient(f"{self.turn.conversation.sid}: {what}") from error
            return self._end(replace(effect, state=EffectState.UNKNOWN, result=json.dumps(UNKNOWN))).result
        return self._end(replace(effect, state=EffectState.HAPPENED, result=result)).result

    def _looked_at(self, begun: Effect, check: Callable[[], str | None] | None) -> Effect | None:
        """Return what is known of an effect that an earlier attempt began; one that did not happen may be run."""
        if check is None:
            return self._end(replace(begun, state=EffectState.UNKNOWN, result=json.dumps(UNKNOWN)))
        if self.turn.now() < begun.settled_by:
            raise Transient(f"{self.turn.conversation.sid}: it is too early to tell whether {begun.tool} did anything")
        result = check()
        return begun if result is None else self._end(replace(begun, state=EffectState.HAPPENED, result=result))

    def _end(self, effect: Effect) -> Effect:
        kept = self.turn.ports.conversations.end_effect(self.turn.conversation, effect)
        if kept.token != effect.token:
            raise Fenced(f"{self.turn.conversation.sid}: another worker has begun {effect.tool} since")
        self.kept = self.kept.with_effect(kept)
        return kept

    def _require_time(self) -> None:
        if self.turn.lease_until - self.turn.now() < MIN_LEASE_FOR_SEND + MIN_LEASE_FOR_FREEZE:
            raise NotSent(f"{self.turn.conversation.sid}: no time is left to change anything")


def effects_of(turn: TurnContext) -> TurnEffects:
    """Return what the turn's tools have changed; it is read only where there is something."""
    conversation = turn.conversation
    if not conversation.has_effects:
        return TurnEffects()
    return turn.ports.conversations.read_effects(conversation.sid, conversation.turn)
