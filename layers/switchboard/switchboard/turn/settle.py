"""Settle: close the turn, or give it back for later. Only now is anything acknowledged."""

from typing import assert_never

from switchboard.conversation import Coverage, RefusalRule, TurnOutcome
from switchboard.events import Owner
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.record import turn_record
from switchboard.turn.result import DROPPED, Deferred, Dropped, Ended, Refused, TurnResult
from switchboard.turn.timing import backoff_seconds, seconds_until

_LEFT_TO_A_HUMAN = frozenset({RefusalRule.HUMAN, RefusalRule.TOO_OLD})
_KEEPS_ITS_OWNER = frozenset({TurnOutcome.ANSWERED, TurnOutcome.VOID})


def settle(turn: TurnContext, ending: Dropped | Refused | Ended) -> TurnResult:
    """Close the turn in the item. Return its result: the messages that are now handled are acknowledged."""
    match ending:
        case Dropped():
            result = _settle_dropped(turn)
        case Refused():
            result = _settle_refused(turn, ending)
        case Ended():
            result = _settle_ended(turn, ending)
        case _:
            assert_never(ending)
    turn.ports.observe(Step.SETTLE)
    return result


def defer(turn: TurnContext, deferred: Deferred) -> TurnResult:
    """Give the turn back, with what is known of its reply: a later delivery goes on with it."""
    seconds = seconds_until(deferred.retry_at, turn.now())
    if deferred.backs_off:
        seconds = max(seconds, backoff_seconds(turn.conversation.attempts, turn.conversation.lease_token))
    turn.ports.conversations.give_back(turn.conversation, pending_reply=deferred.reply)
    return TurnResult(outcome=deferred.reason, retry_after_seconds=seconds, cause=deferred.cause)


def _settle_dropped(turn: TurnContext) -> TurnResult:
    turn.ports.conversations.close_empty(turn.conversation)
    return TurnResult(outcome=DROPPED, acknowledged=_handled(turn, turn.conversation.coverage))


def _settle_refused(turn: TurnContext, refused: Refused) -> TurnResult:
    """Record and close the turn in one transaction: nothing was sent that a record must outlive."""
    indices = turn.waiting_indices()
    coverage = turn.coverage_with(indices)
    is_left_to_human = refused.rule in _LEFT_TO_A_HUMAN
    turn.ports.conversations.refuse(
        turn.conversation,
        turn_record(turn, refused),
        coverage=coverage,
        left_to_human=indices if is_left_to_human else frozenset(),
        owner=Owner.HUMAN if is_left_to_human else turn.conversation.owner,
        now=turn.now(),
    )
    return TurnResult(
        outcome=TurnOutcome.REFUSED,
        acknowledged=_handled(turn, coverage),
        cause=refused.rule,
        messages=len(indices),
    )


def _settle_ended(turn: TurnContext, ending: Ended) -> TurnResult:
    coverage = turn.coverage_with(ending.reply.covers.union(sent.index for sent in ending.sent.values()))
    keeps_owner = ending.outcome in _KEEPS_ITS_OWNER or ending.rule == RefusalRule.OVER_BUDGET
    turn.ports.conversations.settle(
        turn.conversation,
        coverage=coverage,
        owner=turn.conversation.owner if keeps_owner else Owner.HUMAN,
        now=turn.now(),
    )
    return TurnResult(
        outcome=ending.outcome,
        acknowledged=_handled(turn, coverage),
        cause=ending.rule or ending.cause,
        duplicate_replies=ending.duplicates,
        messages=len(ending.reply.covers),
    )


def _handled(turn: TurnContext, coverage: Coverage) -> frozenset[str]:
    """Return the MessageSids of the delivered messages that are handled; the others come back for the next turn."""
    return frozenset(message.message_sid for message in turn.delivered if coverage.covers(message.index))
