"""Gate: the rules by which messages get no answer. A new rule is one more line in `_rule`."""

from switchboard.conversation import RefusalRule
from switchboard.events import Owner
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.result import Dropped, Refused


def gate(turn: TurnContext) -> Dropped | Refused | None:
    """Return why the turn's messages get no answer, or None where they get one.

    What was handled before is dropped ahead of every rule: a webhook that comes twice, days later, is not too old.
    """
    if not turn.waiting_indices():
        return Dropped()
    rule = _rule(turn)
    turn.ports.observe(Step.GATE)
    return Refused(rule=rule) if rule else None


def _rule(turn: TurnContext) -> RefusalRule | None:
    newest = max((message.at for message in turn.messages), default=turn.now())
    if turn.conversation.closed:
        return RefusalRule.CLOSED
    if turn.conversation.owner is Owner.HUMAN:
        return RefusalRule.HUMAN
    if newest <= turn.conversation.opted_out_at:
        return RefusalRule.OPTED_OUT
    if turn.now() - newest > turn.settings.max_event_age:
        return RefusalRule.TOO_OLD
    return None
