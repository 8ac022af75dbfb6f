"""The conversations in memory and their checks, which remember what the invariants ask about their writes."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from switchboard.conversation import Conversation, OwnerReason, PendingReply, RefusalRule, TurnOutcome, TurnRecord
from switchboard.effects import Effect
from switchboard.events import Owner
from switchboard.notices import NoticeType
from switchboard.ports import Busy, DueConversation, Settlement
from switchboard.stores.checks import ChecksInMemory
from switchboard.stores.memory import ConversationsInMemory
from tests.simulation.bus import Due
from tests.simulation.models import MAX_EVENT_AGE

GAVE_UP = {TurnOutcome.EXPIRED, TurnOutcome.UNSURE}


@dataclass
class WatchedConversations(ConversationsInMemory):
    """`claims` counts the claims since freeze, or since the turn began, that were not given back, by conversation.

    `unsent` are the turns that were recorded when every POST of their reply was known not to have left; `cut_short`
    those whose reply was given up before its time, although no worker had died over it. `failed_over_a_human` are the
    SIDs of conversations that a failure took from a human who had them by more than a failure. `begun_by_zombies` are
    the turns in which an effect began although the fencing token had been raised. `closed_gaps` counts the
    gaps that were closed because they were a day old. `due` is what people must be told, by what the writes changed.
    """

    claims: Counter[str] = field(default_factory=Counter)
    unsent: set[str] = field(default_factory=set)
    cut_short: set[str] = field(default_factory=set)
    failed_over_a_human: set[str] = field(default_factory=set)
    begun_by_zombies: set[str] = field(default_factory=set)
    closed_gaps: int = 0
    due: set[Due] = field(default_factory=set)

    def claim(self, sid: str, **named: Any) -> Conversation | Busy:  # noqa: ANN401 -- as they are
        before = self.items.get(sid)
        claimed = super().claim(sid, **named)
        self.claims[sid] += self.items.get(sid) != before
        return claimed

    def give_back(self, conversation: Conversation, *, pending_reply: PendingReply | None = None) -> None:
        before = self.items[conversation.sid]
        super().give_back(conversation, pending_reply=pending_reply)
        self.claims[conversation.sid] -= self.items[conversation.sid] != before

    def begin_effect(self, conversation: Conversation, effect: Effect, *, so_far: str, after: Effect | None) -> None:
        super().begin_effect(conversation, effect, so_far=so_far, after=after)
        if self.items[conversation.sid].fencing_token != conversation.fencing_token:
            self.begun_by_zombies.add(conversation.turn)

    def freeze(self, conversation: Conversation, pending_reply: PendingReply, **named: Any) -> None:  # noqa: ANN401 -- as they are
        super().freeze(conversation, pending_reply, **named)
        self.claims[conversation.sid] = 1

    def record(self, sid: str, record: TurnRecord) -> None:
        if reply := self.items[sid].pending_reply:
            is_early = record.at - reply.frozen_at < MAX_EVENT_AGE and self.claims[sid] <= 1
            if is_early and record.outcome in GAVE_UP:
                self.cut_short.add(record.turn)
            if not any(reply.send_attempts):
                self.unsent.add(record.turn)
        super().record(sid, record)

    def settle(self, conversation: Conversation, settlement: Settlement) -> None:
        before = self.items[conversation.sid]
        super().settle(conversation, settlement)
        gone = before.coverage.gaps.keys() - settlement.coverage.gaps.keys()
        self.closed_gaps += len(gone - {message.index for message in before.turn_messages})
        is_failure = self.items[conversation.sid].owner_reason is OwnerReason.FAILURE
        if is_failure and before.owner is Owner.HUMAN and before.owner_reason is not OwnerReason.FAILURE:
            self.failed_over_a_human.add(conversation.sid)
        if settlement.human_because:
            is_handoff = settlement.human_because is OwnerReason.HANDOFF
            what = NoticeType.HUMAN_NEEDED if is_handoff else NoticeType.TURN_FAILED
            self.due.add((what, conversation.turn, 0))

    def refuse(self, conversation: Conversation, record: TurnRecord, **named: Any) -> None:  # noqa: ANN401 -- as they are
        super().refuse(conversation, record, **named)
        if record.rule == RefusalRule.TOO_OLD or named.get("loop_pause"):
            self.due.add((NoticeType.HUMAN_NEEDED, conversation.turn, 0))

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        before = self.items.get(sid)
        requeued = super().hand_back(sid, at=at)
        self._note_hand_back(before, self.items.get(sid))
        return requeued

    def hand_back_unless_spoken(self, conversation: Conversation, *, now: datetime) -> frozenset[int] | None:
        before = self.items[conversation.sid]
        requeued = super().hand_back_unless_spoken(conversation, now=now)
        self._note_hand_back(before, self.items[conversation.sid])
        return requeued

    def _note_hand_back(self, before: Conversation | None, after: Conversation | None) -> None:
        if before and after and before.owner is Owner.HUMAN and after.owner is Owner.ASSISTANT:
            self.due.add((NoticeType.HANDED_BACK, after.sid, after.ownership_epoch))

    def close(self, sid: str, *, at: datetime) -> None:
        super().close(sid, at=at)
        self.due.add((NoticeType.CONVERSATION_CLOSED, sid, 0))


@dataclass
class WatchedChecks(ChecksInMemory):
    """`made` are the times of the checks, by conversation; `tracked_at` tells when a sweep met a new one."""

    made: dict[str, list[datetime]] = field(default_factory=dict)
    tracked_at: dict[str, datetime] = field(default_factory=dict)

    def next_due(self) -> datetime | None:
        """Return when the next check is due, of whichever conversation."""
        both = (at for tracked in self.tracked.values() for at in (tracked.active_check, tracked.next_check) if at)
        return min(both, default=None)

    def track(self, sid: str, *, now: datetime) -> None:
        if sid not in self.tracked:
            self.tracked_at[sid] = now
        super().track(sid, now=now)

    def postpone(self, checked: DueConversation, *, until: datetime | None, now: datetime) -> None:
        self.made.setdefault(checked.conversation.sid, []).append(now)
        super().postpone(checked, until=until, now=now)
