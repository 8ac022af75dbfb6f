"""The conversations in memory: what ConversationsTable keeps, changed by the same conditional writes.

The proofs run on it; so does a web process (`stores/sqlite.py` keeps the same in a file). The tests of the stores in
tests/functional run on it and on DynamoDB. `switchboard.ports` says what each method does.
"""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from switchboard.budgets import Spent
from switchboard.channels.channel import Channel
from switchboard.consent import Consent, ConsentChange
from switchboard.conversation import (
    FAILURE_IS_OVER,
    MAX_HISTORY_ITEMS,
    UNIX_EPOCH,
    Conversation,
    Coverage,
    History,
    Note,
    OwnerChange,
    OwnerReason,
    PendingReply,
    RefusalRule,
    ReplyKind,
    Summary,
    TurnMessage,
    TurnRecord,
    owner_change,
)
from switchboard.deliveries import with_failed
from switchboard.effects import Effect, EffectState, TurnEffects
from switchboard.events import DeliveryFailed, Owner
from switchboard.loops import LoopPause
from switchboard.notices import TOLD_TOGETHER, Notice, NoticeReason, notice_of_close, notice_of_hand_back
from switchboard.ports import NOTHING_NEW, Busy, Fenced, OwnedByHuman, Remembered, Settlement, Takeover


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLeader:
    """The notice that stands for the failures since then."""

    notice: str
    since: datetime


@dataclass(slots=True)
class ConversationsInMemory:
    """Each field is what one kind of item is kept in; another mapping may keep it elsewhere.

    `records`, `notes`, the summary and, by turn, `effects` are kept by conversation; `noted` are the conversations of a
    customer, with the time of each; `consents` is the ledger, by customer and channel. `turns` counts
    the answers of a customer's day, and of a day. `on_activity` is called with the SID of a conversation that a claim,
    a takeover, a hand back, a close or a change of consent has changed. Nothing here is safe among threads.
    """

    items: MutableMapping[str, Conversation] = field(default_factory=dict)
    records: MutableMapping[str, MutableMapping[tuple[int, str], TurnRecord]] = field(default_factory=dict)
    notes: MutableMapping[str, MutableMapping[int, Note]] = field(default_factory=dict)
    effects: MutableMapping[str, MutableMapping[str, TurnEffects]] = field(default_factory=dict)
    summaries: MutableMapping[str, Summary] = field(default_factory=dict)
    noted: MutableMapping[str, MutableMapping[str, datetime]] = field(default_factory=dict)
    consents: MutableMapping[str, Consent] = field(default_factory=dict)
    turns: MutableMapping[str, int] = field(default_factory=dict)
    limit_notices: MutableMapping[str, datetime] = field(default_factory=dict)
    human_since: MutableMapping[str, datetime] = field(default_factory=dict)
    notices: MutableMapping[str, Notice] = field(default_factory=dict)
    leaders: MutableMapping[str, FailureLeader] = field(default_factory=dict)
    owner_changes: MutableMapping[tuple[datetime, str], OwnerChange] = field(default_factory=dict)
    on_activity: Callable[[str], None] = lambda _sid: None

    def read_unclaimed(self, sid: str) -> Conversation:
        return self.items.get(sid, Conversation(sid=sid))

    def let_go_first(self, suspect: Conversation) -> None:
        item = self.items[suspect.sid]
        if item.fencing_token == suspect.fencing_token:
            self.items[item.sid] = replace(item, goes_first=True)

    def claim(
        self,
        sid: str,
        *,
        messages: frozenset[TurnMessage],
        redriven: frozenset[int],
        turn: str,
        token: str,
        told_at: datetime,
        now: datetime,
        lease_until: datetime,
    ) -> Conversation | Busy:
        item = self.items.get(sid, Conversation(sid=sid))
        if item.lease_token == token:
            return item if item.is_leased(now) else Busy(until=now)
        if item.is_leased(now):
            return Busy(until=item.lease_until)
        if redriven & item.failed:
            item = replace(_requeued(item, redriven & item.failed), redriven_at=now)
        self.items[sid] = replace(
            item,
            first_seen_at=_first_seen(item, min(told_at, now)),
            fencing_token=item.fencing_token + 1,
            lease_fencing_token=item.fencing_token + 1,
            lease_until=lease_until,
            lease_token=token,
            goes_first=False,
            attempts=item.attempts + 1,
            turn=item.turn or turn,
            turn_started_at=item.turn_started_at if item.turn else now,
            turn_messages=item.turn_messages | messages,
        )
        self.on_activity(sid)
        return self.items[sid]

    def join(self, conversation: Conversation, messages: frozenset[TurnMessage]) -> Conversation:
        item = self._fenced(conversation)
        self.items[item.sid] = replace(item, turn_messages=item.turn_messages | messages)
        return self.items[item.sid]

    def refuse(
        self,
        conversation: Conversation,
        record: TurnRecord,
        *,
        coverage: Coverage,
        left_to_human: frozenset[int] = frozenset(),
        failed: frozenset[int] = frozenset(),
        loop_pause: LoopPause | None = None,
        notice: Notice | None = None,
    ) -> None:
        item = self._close_turn(conversation, coverage)
        self.items[item.sid] = replace(
            item,
            left_to_human=item.left_to_human | left_to_human,
            failed=item.failed | failed,
            loop_pause=loop_pause or item.loop_pause,
        )
        key = (record.index, record.turn)
        if record.rule == RefusalRule.NO_REPLY and key not in self._records(item.sid):
            self._charge(record)
        self._records(item.sid)[key] = record
        self._set_due(notice)

    def read_effects(self, sid: str, turn: str) -> TurnEffects:
        return self._effects(sid).get(turn, TurnEffects())

    def begin_effect(self, conversation: Conversation, effect: Effect, *, so_far: str, after: Effect | None) -> None:
        item = self._fenced(conversation)
        kept = self.read_effects(item.sid, item.turn)
        if kept.find(effect.key) not in {after, effect}:
            raise Fenced(f"{item.sid}: another worker knows more of an effect")
        self.items[item.sid] = replace(item, has_effects=True)
        self._effects(item.sid)[item.turn] = kept.with_effect(effect, so_far=so_far)

    def end_effect(self, conversation: Conversation, effect: Effect) -> Effect:
        kept = self.read_effects(conversation.sid, conversation.turn)
        known = kept.find(effect.key)
        if known is None or known.token != effect.token or known.state is not EffectState.BEGUN:
            return known or effect
        self._effects(conversation.sid)[conversation.turn] = kept.with_effect(effect)
        return effect

    def settle_effects(self, conversation: Conversation, *, by: datetime) -> None:
        """Let what the open turn began be looked at from then on, at the latest: its worker is gone."""
        kept = self.read_effects(conversation.sid, conversation.turn)
        effects = (replace(effect, settled_by=min(effect.settled_by, by)) for effect in kept.effects)
        self._effects(conversation.sid)[conversation.turn] = replace(kept, effects=tuple(effects))

    def freeze(
        self, conversation: Conversation, pending_reply: PendingReply, *, remembered: Remembered = NOTHING_NEW
    ) -> None:
        item = self._fenced(conversation)
        if remembered.summary:
            self.summaries[item.sid] = replace(remembered.summary, read_from=0)
            item = replace(item, history_from=remembered.summary.read_from)
        if remembered.customer:
            item = replace(item, is_noted=True)
            self._noted(remembered.customer)[item.sid] = pending_reply.frozen_at
        if conversation.has_failed:
            item = replace(item, owner=Owner.ASSISTANT, owner_reason=None, owner_since=UNIX_EPOCH)
            self.human_since.pop(item.sid, None)
            self._show(item.sid, Owner.ASSISTANT, FAILURE_IS_OVER, at=pending_reply.frozen_at)
        disclosed_at = pending_reply.frozen_at if pending_reply.discloses else item.disclosed_at
        self.items[item.sid] = replace(
            item,
            pending_reply=pending_reply,
            attempts=1,
            disclosed_at=disclosed_at,
            channel=pending_reply.channel or item.channel,
            customer=conversation.customer or item.customer,
        )

    def record_resend(self, conversation: Conversation, pending_reply: PendingReply) -> None:
        item = self._fenced(conversation)
        self.items[item.sid] = replace(item, pending_reply=pending_reply)

    def read_fencing_token(self, sid: str) -> int:
        return self.items[sid].fencing_token

    def record(self, sid: str, record: TurnRecord) -> None:
        key = (record.index, record.turn)
        if (known := self._records(sid).get(key)) is not None:
            sent = record.sent or known.sent
            self._records(sid)[key] = replace(
                known, outcome=record.outcome, rule=record.rule, cost=record.cost, sent=sent
            )
            return
        self._records(sid)[key] = record
        self._charge(record)

    def _charge(self, record: TurnRecord) -> None:
        day = f"{record.at:%Y-%m-%d}"
        if record.kind in {ReplyKind.OPT_OUT, ReplyKind.OPT_IN}:
            return
        if record.kind is ReplyKind.LIMIT:
            self.limit_notices[f"{record.customer} {day}"] = record.at
            return
        for counter in (f"{record.customer} {day}", day):
            self.turns[counter] = self.turns.get(counter, 0) + 1

    def spent(self, customer: str, *, now: datetime) -> Spent:
        day = f"{now:%Y-%m-%d}"
        return Spent(
            by_customer=self.turns.get(f"{customer} {day}", 0),
            by_all=self.turns.get(day, 0),
            limit_notice_sent=f"{customer} {day}" in self.limit_notices,
        )

    def settle(self, conversation: Conversation, settlement: Settlement) -> None:
        item = self._close_turn(conversation, settlement.coverage)
        if settlement.human_because:
            self.human_since.setdefault(item.sid, settlement.at)
            self._show(item.sid, Owner.HUMAN, settlement.human_because, at=settlement.at)
            item = replace(item, owner=Owner.HUMAN, owner_reason=settlement.human_because, owner_since=settlement.at)
        self.items[item.sid] = replace(
            item,
            left_to_human=(item.left_to_human | settlement.left_to_human) - settlement.answered_since,
            failed=item.failed | settlement.failed,
            recent_replies=settlement.recent_replies or item.recent_replies,
            disclosed_at=UNIX_EPOCH if settlement.disclosure_unread else item.disclosed_at,
        )
        self._set_due(settlement.notice)

    def give_back(self, conversation: Conversation, *, pending_reply: PendingReply | None = None) -> None:
        item = self.items[conversation.sid]
        if item.lease_token == conversation.lease_token:
            self.items[item.sid] = replace(
                item,
                lease_token="",
                lease_until=UNIX_EPOCH,
                lease_fencing_token=0,
                attempts=item.attempts - 1,
                pending_reply=pending_reply or item.pending_reply,
            )

    def close_empty(self, conversation: Conversation) -> None:
        item = self.items[conversation.sid]
        if item.lease_token == conversation.lease_token:
            self.items[item.sid] = replace(_without_turn(item), pending_reply=item.pending_reply)

    def history(self, sid: str, *, since: int = 0) -> History:
        records, notes = self._records(sid), self._notes(sid)
        all_keys: list[tuple[int, str]] = sorted([*records, *((index, "") for index in notes)])
        keys = [key for key in all_keys if key[0] >= since or since == 0][-MAX_HISTORY_ITEMS - 1 :]
        newest = keys[-MAX_HISTORY_ITEMS:]
        found = [replace(records[key], customer="") if key[1] else notes[key[0]] for key in newest]
        return History(
            items=tuple(sorted(found, key=lambda item: (item.index, item.at))),
            is_complete=since == 0 and len(keys) <= MAX_HISTORY_ITEMS,
            summary=self.summaries.get(sid),
        )

    def conversations_of(self, customer: str, *, limit: int) -> list[str]:
        noted = self._noted(customer)
        return sorted(noted, key=lambda sid: (noted[sid], sid), reverse=True)[:limit]

    def forget_customer(self, customer: str) -> None:
        noted = self._noted(customer)
        for sid in list(noted):
            self.summaries.pop(sid, None)
            del noted[sid]

    def keep_notes(self, sid: str, notes: Sequence[Note]) -> None:
        self._notes(sid).update({note.index: note for note in notes})

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        item = self.items.get(sid, Conversation(sid=sid))
        handled = item.coverage.handled if index is None else item.coverage.handled | {index}
        answered = frozenset(number for number in item.left_to_human | item.failed if number < (index or 0))
        item = replace(
            item,
            coverage=replace(item.coverage, handled=handled),
            left_to_human=item.left_to_human - answered,
            failed=item.failed - answered,
        )
        if item.owner_event_at < at or (item.owner_event_at == at and item.owner is Owner.ASSISTANT):
            item = replace(
                self._taken(item, at),
                owner=Owner.HUMAN,
                owner_reason=OwnerReason.ATTRIBUTE if index is None else OwnerReason.MESSAGE,
                owner_since=item.owner_since if item.owner is Owner.HUMAN else at,
                owner_event_at=at,
                human_spoke_at=item.human_spoke_at if index is None else at,
                human_spoke_index=item.human_spoke_index if index is None else index,
            )
            self.human_since.setdefault(sid, at)
            self._show(sid, Owner.HUMAN, OwnerReason.ATTRIBUTE if index is None else OwnerReason.MESSAGE, at=at)
        self.items[sid] = item
        self.on_activity(sid)
        if item.owner_event_at > at:
            return Takeover.OUTDATED
        return Takeover.APPLIED if item.has_a_customer() else Takeover.BEFORE_ANY_CUSTOMER

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        item = self.items.get(sid, Conversation(sid=sid))
        if item.owner_event_at < at and item.owner_since < at:
            self._set_handed_back(item, NoticeReason.BY_HUMAN, at)
            self.items[sid] = replace(self._handed_back(item, at), owner_event_at=at)
            self.on_activity(sid)
            return self.items[sid].coverage.requeued
        if item.owner_event_at > at or (item.owner is Owner.HUMAN and item.owner_since >= at):
            return None
        return item.coverage.requeued

    def hand_back_unless_spoken(self, conversation: Conversation, *, now: datetime) -> frozenset[int] | None:
        item = self.items[conversation.sid]
        if item.fencing_token != conversation.fencing_token:
            return None
        self._set_handed_back(item, NoticeReason.BY_TIME, now)
        told_again = item.owner_event_at + timedelta(milliseconds=1)
        self.items[item.sid] = replace(self._handed_back(item, now), owner_event_at=told_again)
        self.on_activity(item.sid)
        return self.items[item.sid].coverage.requeued

    def mark_handled(self, sid: str, *, index: int, at: datetime) -> None:  # noqa: ARG002 -- nothing is deleted here
        item = self.read_unclaimed(sid)
        coverage = replace(item.coverage, handled=item.coverage.handled | {index})
        self.items[sid] = replace(item, coverage=coverage)

    def close(self, sid: str, *, at: datetime) -> None:
        item = self.items.get(sid, Conversation(sid=sid))
        if not item.closed:
            self.human_since.pop(sid, None)
            self.items[sid] = replace(self._taken(item, at), closed=True)
            self._set_due(notice_of_close(sid, at=at))
            self.on_activity(sid)

    def due_notices(self, *, before: datetime, limit: int) -> list[Notice]:
        return self._due(before, limit, is_failure=False)

    def due_failures(self, *, before: datetime, limit: int) -> list[Notice]:
        return self._due(before, limit, is_failure=True)

    def _due(self, before: datetime, limit: int, *, is_failure: bool) -> list[Notice]:
        of_kind = [each for each in self.notices.values() if (each.type in TOLD_TOGETHER) is is_failure]
        due = (notice for notice in of_kind if notice.at <= before)
        return sorted(due, key=lambda notice: (notice.at, notice.id))[:limit]

    def lead_failures(self, notice: Notice, *, now: datetime, since: datetime) -> str:
        leader = self.leaders.get(notice.type)
        if leader is None or leader.since <= since:
            leader = self.leaders[notice.type] = FailureLeader(notice=notice.id, since=now)
        return leader.notice

    def remove_notices(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self.notices.pop(notice.id, None)

    def due_owner_changes(self, *, before: datetime, limit: int) -> list[OwnerChange]:
        return [self.owner_changes[key] for key in sorted(self.owner_changes) if key[0] <= before][:limit]

    def mark_shown(self, changes: Sequence[OwnerChange], *, at: datetime) -> None:
        for change in changes:
            key = change.at, change.conversation_sid
            kept = self.owner_changes.get(key)
            if kept and (kept.owner, kept.reason) == (change.owner, change.reason):
                self.owner_changes[key] = replace(change, shown_at=at)

    def remove_owner_changes(self, changes: Sequence[OwnerChange]) -> None:
        for change in changes:
            self.owner_changes.pop((change.at, change.conversation_sid), None)

    def _show(self, sid: str, owner: Owner, reason: str, *, at: datetime) -> None:
        self.owner_changes[at, sid] = owner_change(sid, owner, reason, at=at)

    def _set_handed_back(self, item: Conversation, reason: NoticeReason, at: datetime) -> None:
        if notice := notice_of_hand_back(item, reason=reason, at=at):
            self._set_due(notice)
            self._show(item.sid, Owner.ASSISTANT, reason, at=at)

    def _set_due(self, notice: Notice | None) -> None:
        if notice:
            self.notices[notice.id] = notice

    def owned_by_humans(self) -> list[str]:
        return sorted(self.human_since, key=self.human_since.__getitem__)

    def read_owned(self, sid: str) -> OwnedByHuman | None:
        item = self.items.get(sid, Conversation(sid=sid))
        if item.owner is not Owner.HUMAN or item.closed:
            return None
        return OwnedByHuman(
            conversation_sid=sid,
            reason=item.owner_reason or OwnerReason.MESSAGE,
            since=self.human_since[sid],
            messages_left=len(item.left_to_human),
        )

    def track(self, sid: str, *, now: datetime) -> None:
        item = self.read_unclaimed(sid)  # a program's note may have made it
        self.items[sid] = replace(item, first_seen_at=_first_seen(item, now))

    def change_consent(self, sid: str, change: ConsentChange) -> bool:
        item = self.items.get(sid, Conversation(sid=sid))
        consent = item.consent.after(change)
        is_changed = consent.differs_from(item.consent)
        if is_changed:
            item = replace(
                item,
                fencing_token=item.fencing_token + 1,
                attempts=0,
                first_seen_at=_first_seen(item, change.at),
            )
        if consent.is_result_of(change):
            self._keep_consent(item, change)
        if consent != item.consent:
            self.items[sid] = replace(item, consent=consent)
        if is_changed:
            self.on_activity(sid)
        return is_changed

    def has_opted_out(self, sid: str) -> bool:
        return self.read_unclaimed(sid).consent.opted_out

    def _keep_consent(self, item: Conversation, change: ConsentChange) -> None:
        customer, channel = change.customer or item.customer, change.channel or item.channel
        key = f"{customer} {channel}"
        if customer and channel and self.consents.get(key, Consent()).at <= change.at:
            self.consents[key] = Consent(opted_out=change.opted_out, at=change.at, by_twilio=change.by_twilio)

    def read_consent(self, customer: str, channel: Channel) -> Consent:
        return self.consents.get(f"{customer} {channel}", Consent())

    def mark_undelivered(self, failed: DeliveryFailed, *, notice: Notice | None) -> None:
        item = self.read_unclaimed(failed.conversation_sid)
        undelivered = with_failed(item.undelivered, failed.message_sid, error_code=failed.error_code)
        self.items[item.sid] = replace(item, undelivered=undelivered)
        self._set_due(notice)

    def _taken(self, item: Conversation, at: datetime) -> Conversation:
        """Return the item as a takeover, a hand back or a close leaves it, taken from its worker."""
        return replace(
            item,
            first_seen_at=_first_seen(item, at),
            fencing_token=item.fencing_token + 1,
            ownership_epoch=item.ownership_epoch + 1,
            attempts=0,
        )

    def _handed_back(self, item: Conversation, at: datetime) -> Conversation:
        self.human_since.pop(item.sid, None)
        taken = _requeued(self._taken(item, at), item.left_to_human) if item.owner is Owner.HUMAN else item
        return replace(
            taken,
            first_seen_at=_first_seen(item, at),
            owner=Owner.ASSISTANT,
            owner_reason=None,
            owner_since=UNIX_EPOCH,
            handed_back_at=at,
        )

    def _fenced(self, conversation: Conversation) -> Conversation:
        item = self.items[conversation.sid]
        if item.fencing_token != conversation.fencing_token:
            raise Fenced(f"{conversation.sid}: the fencing token was raised")
        return item

    def _close_turn(self, conversation: Conversation, coverage: Coverage) -> Conversation:
        item = self._fenced(conversation)
        handled = (
            item.coverage.handled | coverage.handled
            if coverage.handled
            else item.coverage.handled - conversation.coverage.handled
        )
        self.items[item.sid] = replace(_without_turn(item), coverage=replace(coverage, handled=handled))
        return self.items[item.sid]

    def _records(self, sid: str) -> MutableMapping[tuple[int, str], TurnRecord]:
        return self.records.setdefault(sid, {})

    def _notes(self, sid: str) -> MutableMapping[int, Note]:
        return self.notes.setdefault(sid, {})

    def _noted(self, customer: str) -> MutableMapping[str, datetime]:
        return self.noted.setdefault(customer, {})

    def _effects(self, sid: str) -> MutableMapping[str, TurnEffects]:
        return self.effects.setdefault(sid, {})


def _requeued(item: Conversation, indices: frozenset[int]) -> Conversation:
    return replace(
        item,
        coverage=replace(item.coverage, requeued=item.coverage.requeued | indices),
        left_to_human=item.left_to_human - indices,
        failed=item.failed - indices,
    )


def _without_turn(item: Conversation) -> Conversation:
    return replace(
        item,
        turn="",
        turn_started_at=UNIX_EPOCH,
        turn_messages=frozenset(),
        attempts=0,
        has_effects=False,
        pending_reply=None,
        lease_token="",
        lease_until=UNIX_EPOCH,
    )


def _first_seen(item: Conversation, at: datetime) -> datetime:
    return at if item.first_seen_at == UNIX_EPOCH else item.first_seen_at
