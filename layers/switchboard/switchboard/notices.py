"""What people are told. A notice holds SIDs and reasons, never words or addresses: docs/events.md has the schemas.

The write that decides also stores the notice. It is published right after, or by the next sweep.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from switchboard.conversation import NEEDS_A_HUMAN, Conversation, RefusalRule, ReplyKind, TurnOutcome, is_by_rule
from switchboard.deliveries import Undelivered, reason_of
from switchboard.events import Owner


class NoticeType(StrEnum):
    """What happened, as the detail type of the event says it."""

    HUMAN_NEEDED = "HumanNeeded"
    TURN_FAILED = "TurnFailed"
    HANDED_BACK = "HandedBack"
    CONVERSATION_CLOSED = "ConversationClosed"
    DELIVERY_FAILED = "DeliveryFailed"


class NoticeReason(StrEnum):
    """Why, as the event's `reason` says it."""

    HANDOFF = "handoff"  # the assistant handed the conversation over, also where its sentence could not be sent
    TOO_OLD = "too_old"  # a message came too late for an answer
    LOOP = "loop"  # machines answer each other; the assistant is silent from now on
    FELL_BACK = "fell_back"
    EXPIRED = "expired"
    UNSURE = "unsure"
    REFUSED = "refused"  # Twilio will never take the reply
    BY_HUMAN = "by_human"  # a human, or their program, handed it back
    BY_TIME = "by_time"  # HandBackAfterMinutes
    CLOSED = "closed"  # at Twilio, by whomever or by a timer, or by an operator
    WINDOW_CLOSED = Undelivered.WINDOW_CLOSED
    UNREACHABLE = Undelivered.UNREACHABLE
    BLOCKED = Undelivered.BLOCKED
    NOT_DELIVERED = Undelivered.NOT_DELIVERED


TOLD_TOGETHER = frozenset({NoticeType.TURN_FAILED, NoticeType.DELIVERY_FAILED})  # each type: an outage is one notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that people are told. `id` is the same for a repeat of the write that made it due.

    `turn` is the turn's id, or empty. `at` is when it was decided. `count` is how many conversations it
    stands for.
    """

    id: str
    type: NoticeType
    reason: NoticeReason
    conversation_sid: str
    at: datetime
    turn: str = ""
    count: int = 1


def facts_of(notice: Notice) -> dict[str, str | int]:
    """Return what a log line says of a notice that was published."""
    return {
        "conversation_sid": notice.conversation_sid,
        "notice": notice.id,
        "type": notice.type.value,
        "reason": notice.reason.value,
        "count": notice.count,
    }


_FAILURES = {
    TurnOutcome.FELL_BACK: NoticeReason.FELL_BACK,
    TurnOutcome.EXPIRED: NoticeReason.EXPIRED,
    TurnOutcome.UNSURE: NoticeReason.UNSURE,
    TurnOutcome.REFUSED: NoticeReason.REFUSED,
}


def notice_of_reply(
    conversation: Conversation, *, kind: ReplyKind, outcome: TurnOutcome, rule: str, at: datetime
) -> Notice | None:
    """Return what people are told of a frozen reply that ended, whoever owns the conversation by then."""
    if is_by_rule(kind, rule) or outcome in {TurnOutcome.ANSWERED, TurnOutcome.VOID}:
        return None
    if kind is ReplyKind.HANDOFF:
        return _of_turn(conversation, NoticeType.HUMAN_NEEDED, NoticeReason.HANDOFF, at)
    return _of_turn(conversation, NoticeType.TURN_FAILED, _FAILURES[outcome], at)


def notice_of_refusal(
    conversation: Conversation, *, rule: RefusalRule, is_new_loop: bool, at: datetime
) -> Notice | None:
    """Return what people are told where a rule refused messages: that they need a human, or that a loop has begun."""
    if rule in NEEDS_A_HUMAN:
        return _of_turn(conversation, NoticeType.HUMAN_NEEDED, NoticeReason(rule), at)
    if is_new_loop:
        return _of_turn(conversation, NoticeType.HUMAN_NEEDED, NoticeReason.LOOP, at)
    return None


def notice_of_hand_back(conversation: Conversation, *, reason: NoticeReason, at: datetime) -> Notice | None:
    """Return what people are told of a hand back, or None where no human owned the conversation."""
    if conversation.owner is not Owner.HUMAN:
        return None
    return _of_change(conversation.sid, NoticeType.HANDED_BACK, reason, at)


def notice_of_close(sid: str, *, at: datetime) -> Notice:
    """Return what people are told of a close."""
    return _of_change(sid, NoticeType.CONVERSATION_CLOSED, NoticeReason.CLOSED, at)


def notice_of_failed_delivery(sid: str, *, error_code: int | None, at: datetime) -> Notice:
    """Return what people are told of a message that did not reach its customer."""
    return _of_change(sid, NoticeType.DELIVERY_FAILED, NoticeReason(reason_of(error_code)), at)


def _of_turn(conversation: Conversation, kind: NoticeType, reason: NoticeReason, at: datetime) -> Notice:
    turn = conversation.turn
    return Notice(id=turn, type=kind, reason=reason, conversation_sid=conversation.sid, at=at, turn=turn)


def _of_change(sid: str, kind: NoticeType, reason: NoticeReason, at: datetime) -> Notice:
    milliseconds = round(at.timestamp() * 1000)
    return Notice(id=f"{sid}-{kind}-{milliseconds}", type=kind, reason=reason, conversation_sid=sid, at=at)
