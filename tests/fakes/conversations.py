"""ConversationsTable in memory: the same conditional writes; `tests/functional/test_table.py` holds both to them."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from switchboard.conversation import LONG_AGO, Conversation, Coverage, Draft, Ending, Joined, Kind, Owner, TurnRecord
from switchboard.limits import Spent
from switchboard.ports import Busy, Exchange, Fenced

SAID = {Ending.ANSWERED, Ending.HANDED_OFF, Ending.FELL_BACK}


@dataclass(slots=True)
class ConversationsInMemory:
    items: dict[str, Conversation] = field(default_factory=dict)
    records: dict[str, dict[tuple[int, str], TurnRecord]] = field(default_factory=dict)
    turns: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)

    def claim(
        self, sid: str, *, messages: frozenset[Joined], turn: str, token: str, now: datetime, lease_until: datetime
    ) -> Conversation | Busy:
        item = self.items.get(sid, Conversation(sid=sid))
        if item.is_leased(now) and item.lease_token != token:
            return Busy(until=item.lease_until)
        self.items[sid] = replace(
            item,
            began=_begun(item, now),
            fence=item.fence + 1,
            lease_fence=item.fence + 1,
            lease_until=lease_until,
            lease_token=token,
            attempts=item.attempts + 1,
            turn=item.turn or turn,
            turn_messages=item.turn_messages | messages,
        )
        return self.items[sid]

    def join(self, conversation: Conversation, messages: frozenset[Joined]) -> Conversation:
        item = self._fenced(conversation)
        self.items[item.sid] = replace(item, turn_messages=item.turn_messages | messages)
        return self.items[item.sid]

    def refuse(
        self,
        conversation: Conversation,
        record: TurnRecord,
        *,
        coverage: Coverage,
        left: frozenset[int],
        owner: Owner,
        now: datetime,
    ) -> None:
        item = self._close_turn(conversation, coverage=coverage, owner=owner, now=now)
        self.items[item.sid] = replace(item, left=item.left | left)
        self._turns(item.sid)[record.first_index, record.turn] = record

    def freeze(self, conversation: Conversation, draft: Draft) -> None:
        item = self._fenced(conversation)
        self.items[item.sid] = replace(item, draft=draft)

    def license_resend(self, conversation: Conversation, draft: Draft) -> None:
        self.freeze(conversation, draft)

    def read_fence(self, sid: str) -> int:
        return self.items[sid].fence

    def record(self, sid: str, record: TurnRecord) -> None:
        key = (record.first_index, record.turn)
        if key in self._turns(sid):
            return
        self._turns(sid)[key] = record
        day = f"{record.at:%Y-%m-%d}"
        if record.kind is Kind.LIMIT:
            self.told.add(f"{record.customer} {day}")
        else:
            self.turns.update([f"{record.customer} {day}", day])

    def spent(self, customer: str, *, now: datetime) -> Spent:
        day = f"{now:%Y-%m-%d}"
        return Spent(
            by_customer=self.turns[f"{customer} {day}"],
            by_all=self.turns[day],
            told=f"{customer} {day}" in self.told,
        )

    def settle(self, conversation: Conversation, *, coverage: Coverage, owner: Owner, now: datetime) -> None:
        self._close_turn(conversation, coverage=coverage, owner=owner, now=now)

    def give_back(self, conversation: Conversation, *, draft: Draft | None = None) -> None:
        item = self.items[conversation.sid]
        if item.lease_token == conversation.lease_token:
            self.items[item.sid] = replace(
                item, lease_token="", lease_until=LONG_AGO, lease_fence=0, draft=draft or item.draft
            )

    def close_empty(self, conversation: Conversation) -> None:
        item = self.items[conversation.sid]
        if item.lease_token == conversation.lease_token:
            self.items[item.sid] = replace(item.without_turn(), draft=item.draft)

    def history(self, sid: str) -> tuple[Exchange, ...]:
        turns = self._turns(sid)
        return tuple(
            Exchange(said=turns[key].said, replied="\n\n".join(turns[key].parts))
            for key in sorted(turns)
            if turns[key].ending in SAID
        )

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> bool:
        item = self.items.get(sid, Conversation(sid=sid))
        seen = item.coverage.seen if index is None else item.coverage.seen | {index}
        left = frozenset(number for number in item.left if index is None or number > index)
        item = replace(item, coverage=replace(item.coverage, seen=seen), left=left)
        self.items[sid] = self._owned(item, Owner.HUMAN, at) if item.owner_at < at else item
        return item.owner_at <= at

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        item = self.items.get(sid, Conversation(sid=sid))
        if item.owner_at < at:
            reopened = item.coverage.reopened | item.left
            item = replace(item, coverage=replace(item.coverage, reopened=reopened), left=frozenset())
            was_human = item.owner is Owner.HUMAN
            owned = self._owned(item, Owner.AGENT, at) if was_human else replace(item, owner_at=at)
            self.items[sid] = replace(owned, began=_begun(item, at))
        return item.coverage.reopened if item.owner_at <= at else None

    def close(self, sid: str, *, at: datetime) -> None:
        item = self.items.get(sid, Conversation(sid=sid))
        if not item.closed:
            self.items[sid] = replace(item, began=_begun(item, at), closed=True, fence=item.fence + 1, era=item.era + 1)

    def meet(self, sid: str, *, now: datetime) -> None:
        self.items.setdefault(sid, Conversation(sid=sid, began=now))

    def opt_out(self, sid: str, *, at: datetime) -> None:
        item = self.items.get(sid, Conversation(sid=sid))
        self.items[sid] = replace(item, opted_out_at=max(item.opted_out_at, at))

    def _owned(self, item: Conversation, owner: Owner, at: datetime) -> Conversation:
        return replace(item, began=_begun(item, at), owner=owner, owner_at=at, fence=item.fence + 1, era=item.era + 1)

    def _fenced(self, conversation: Conversation) -> Conversation:
        item = self.items[conversation.sid]
        if item.fence != conversation.fence:
            raise Fenced(f"{conversation.sid}: the fence was raised")
        return item

    def _close_turn(
        self, conversation: Conversation, *, coverage: Coverage, owner: Owner, now: datetime
    ) -> Conversation:
        item = self._fenced(conversation)
        kept = replace(
            coverage,
            seen=item.coverage.seen | coverage.seen
            if coverage.seen
            else item.coverage.seen - conversation.coverage.seen,
            reopened=item.coverage.reopened - (conversation.coverage.reopened - coverage.reopened),
        )
        owner_at = item.owner_at if owner is item.owner else now
        self.items[item.sid] = replace(item.without_turn(), coverage=kept, owner=owner, owner_at=owner_at)
        return self.items[item.sid]

    def _turns(self, sid: str) -> dict[tuple[int, str], TurnRecord]:
        return self.records.setdefault(sid, {})


def _begun(item: Conversation, at: datetime) -> datetime:
    return at if item.began == LONG_AGO else item.began
