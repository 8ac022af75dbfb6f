"""Gate: the rules by which messages get no answer. A new rule is one more line in `_rule`."""

from datetime import datetime

from switchboard.conversation import RefusalRule
from switchboard.events import MessageAdded, Owner
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
    conversation = turn.conversation
    if conversation.closed:
        return RefusalRule.CLOSED
    if conversation.owner is Owner.HUMAN and not conversation.has_failed:  # a failure ends with the next message
        return RefusalRule.HUMAN
    if max((message.at for message in turn.messages), default=turn.now()) <= conversation.opted_out_at:
        return RefusalRule.OPTED_OUT
    # By when the turn began, so that a message does not grow too old while its answer is tried again.
    if conversation.turn_started_at - _newest(turn) > turn.settings.max_event_age:
        return RefusalRule.TOO_OLD
    return None


def _newest(turn: TurnContext) -> datetime:
    """Return when the newest message began to wait for the assistant: when it came, or was requeued or redriven."""
    return max((_waits_since(turn, message) for message in turn.messages), default=turn.now())


def _waits_since(turn: TurnContext, message: MessageAdded) -> datetime:
    if message.again:
        return turn.now()
    is_requeued = message.index in turn.conversation.coverage.requeued
    return max(message.at, turn.conversation.requeued_at) if is_requeued else message.at
