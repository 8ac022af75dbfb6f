"""Settle: close the turn, or give it back for later. Only now is anything acknowledged."""

from dataclasses import replace
from typing import assert_never

from switchboard.conversation import (
    NEEDS_A_HUMAN,
    RULE_OF_KIND,
    Coverage,
    OwnerReason,
    RefusalRule,
    ReplyKind,
    TurnOutcome,
    is_by_rule,
)
from switchboard.events import Owner
from switchboard.loops import RecentReply, kept, repeatable
from switchboard.notices import notice_of_refusal, notice_of_reply
from switchboard.ports import Settlement
from switchboard.reactions import asks
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.cost import cost_of
from switchboard.turn.messages import dead_letters
from switchboard.turn.record import turn_record
from switchboard.turn.result import DROPPED, Deferred, Dropped, Ended, Refused, TurnResult
from switchboard.turn.timing import backoff_seconds, seconds_until

_KEEPS_ITS_OWNER = frozenset({TurnOutcome.ANSWERED, TurnOutcome.VOID})
_FAILED = frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED})


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
    turn.observe(Step.SETTLE, result.outcome)
    return replace(result, redrives_skipped=_redrives_skipped(turn))


def defer(turn: TurnContext, deferred: Deferred) -> TurnResult:
    """Give the turn back, with what is known of its reply: a later delivery goes on with it."""
    now = turn.now()
    seconds = seconds_until(deferred.retry_at, now)
    if deferred.tried_since is not None:
        seconds = max(seconds, backoff_seconds(now - deferred.tried_since, turn.conversation.lease_token))
    turn.ports.conversations.give_back(turn.conversation, pending_reply=deferred.reply)
    return TurnResult(outcome=deferred.reason, retry_after_seconds=seconds, cause=deferred.cause)


def _settle_dropped(turn: TurnContext) -> TurnResult:
    turn.ports.conversations.close_empty(turn.conversation)
    return TurnResult(outcome=DROPPED, acknowledged=_handled(turn, turn.conversation.coverage))


def _settle_refused(turn: TurnContext, refused: Refused) -> TurnResult:
    """Record and close the turn in one transaction: nothing was sent that a record must outlive."""
    coverage = turn.coverage_with(refused.covers)
    if refused.rule in NEEDS_A_HUMAN:  # nobody owns it: somebody must be told
        turn.ports.dead_letters.copy(dead_letters(turn, refused.covers), turn=turn.conversation.turn)
    notice = notice_of_refusal(
        turn.conversation, rule=refused.rule, is_new_loop=refused.new_loop_pause is not None, at=turn.now()
    )
    turn.ports.conversations.refuse(
        turn.conversation,
        turn_record(turn, refused),
        coverage=coverage,
        left_to_human=refused.covers if refused.rule is RefusalRule.HUMAN else frozenset(),
        failed=refused.covers if refused.rule in NEEDS_A_HUMAN else frozenset(),
        loop_pause=refused.new_loop_pause,
        notice=notice,
    )
    return TurnResult(
        outcome=TurnOutcome.REFUSED,
        acknowledged=_handled(turn, coverage),
        cause=refused.rule,
        messages=len(refused.covers),
        notice=notice,
    )


def _settle_ended(turn: TurnContext, ending: Ended) -> TurnResult:
    coverage = turn.coverage_with(ending.reply.covers, sent=[sent.index for sent in ending.sent.values()])
    human_because, failed = _new_reason(turn, ending), _failed(turn, ending)
    is_with_human = bool(human_because) or turn.conversation.owner is Owner.HUMAN
    waits_again = ending.unanswered if turn.conversation.owner is Owner.ASSISTANT else frozenset()
    coverage = replace(coverage, requeued=coverage.requeued | waits_again)
    now = turn.now()
    notice = notice_of_reply(
        turn.conversation, kind=ending.reply.kind, outcome=ending.outcome, rule=ending.rule, at=now
    )
    turn.ports.conversations.settle(
        turn.conversation,
        Settlement(
            coverage=coverage,
            human_because=human_because,
            left_to_human=ending.unanswered | failed if is_with_human and not turn.conversation.closed else frozenset(),
            failed=failed,
            answered_since=_answered_since(turn, ending),
            recent_replies=_recent_replies(turn, ending),
            disclosure_unread=_is_disclosure_unread(ending),
            at=now,
            notice=notice,
        ),
    )
    return TurnResult(
        outcome=ending.outcome,
        acknowledged=_handled(turn, coverage),
        cause=ending.rule or ending.cause,
        duplicate_replies=ending.duplicates,
        messages=len(ending.reply.covers),
        notice=notice,
        owner_changed=human_because is not None or turn.conversation.has_failed,
        cost=cost_of(turn, ending),
    )


def _is_disclosure_unread(ending: Ended) -> bool:
    """Tell whether the reply began with the disclosure and was certainly never sent: the next text says it again."""
    is_by_its_rule = ending.rule == RULE_OF_KIND.get(ending.reply.kind)  # then nobody says that it is unsure
    may_be_read = ending.outcome is TurnOutcome.UNSURE or (is_by_its_rule and ending.reply.send_attempts[0] > 0)
    return ending.reply.discloses and 0 not in ending.sent and not may_be_read


def _recent_replies(turn: TurnContext, ending: Ended) -> tuple[RecentReply, ...]:
    """Return the replies that the rules `loop` and `reaction` look at, with this one if the customer may read it."""
    replies = turn.conversation.recent_replies
    if not ending.sent and ending.outcome is not TurnOutcome.UNSURE:
        return replies
    reply = RecentReply(
        frozen_at=ending.reply.frozen_at,
        settled_at=turn.now(),
        index=max((sent.index for sent in ending.sent.values()), default=-1),
        asks=ending.reply.content is not None or asks("\n".join(ending.reply.text_parts)),
        texts=repeatable(turn.written_texts(), replies=replies),
    )
    return kept(replies, reply)


def _new_reason(turn: TurnContext, ending: Ended) -> OwnerReason | None:
    """Return why a human owns the conversation from now on, or None where its owner stays as it is.

    Only where the ownership epoch is still the reply's: a takeover, a hand back or a close since then stands.
    """
    is_ours = ending.reply.ownership_epoch == turn.conversation.ownership_epoch
    if not is_ours or ending.outcome in _KEEPS_ITS_OWNER or is_by_rule(ending.reply.kind, ending.rule):
        return None
    return OwnerReason.HANDOFF if ending.reply.kind is ReplyKind.HANDOFF else OwnerReason.FAILURE


def _failed(turn: TurnContext, ending: Ended) -> frozenset[int]:
    """Return the indices of the messages that a redrive answers.

    There are none where a human has spoken since the turn began, unless they have handed the conversation back since.
    """
    conversation = turn.conversation
    human_spoke = conversation.human_spoke_at >= max(conversation.turn_started_at, conversation.handed_back_at)
    return ending.reply.covers if ending.outcome in _FAILED and not human_spoke else frozenset()


def _answered_since(turn: TurnContext, ending: Ended) -> frozenset[int]:
    """Return the indices before an answer that were left to a human: the assistant was shown them as unanswered."""
    if ending.outcome is not TurnOutcome.ANSWERED:
        return frozenset()
    return frozenset(index for index in turn.conversation.left_to_human if index < max(ending.reply.covers))


def _handled(turn: TurnContext, coverage: Coverage) -> frozenset[str]:
    """Return the MessageSids of the delivered messages that are handled; the others come back for the next turn."""
    go_back = {message.message_sid for message in turn.delivered if turn.goes_back(message)}
    handled = {message.message_sid for message in turn.delivered if coverage.covers(message.index)}
    return frozenset(handled - go_back)


def _redrives_skipped(turn: TurnContext) -> int:
    """Return how many dead letters asked for an answer to a message that had ended before this turn."""
    return sum(message.again and turn.conversation.coverage.covers(message.index) for message in turn.delivered)
