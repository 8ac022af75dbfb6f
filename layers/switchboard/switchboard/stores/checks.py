"""Which conversations the sweeper must look at, in memory; test_sweep_index.py holds it equal to the table."""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from switchboard.conversation import Conversation
from switchboard.ports import MIN_CHECK_INTERVAL, DueCheck, DueConversation
from switchboard.stores.memory import ConversationsInMemory

MAX_NUMBER = 4  # that the index tells apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What an item says of its checks. `number` is that of `next_check`; activity does not change it."""

    activity: datetime
    checks: int = 0
    active_check: datetime | None = None
    next_check: datetime | None = None
    number: int = 0

    def due(self, now: datetime) -> list[tuple[int, datetime]]:
        """Return number and time of the checks that are due."""
        both = ((0, self.active_check), (self.number, self.next_check))
        return [(number, at) for number, at in both if at and at <= now]


@dataclass(slots=True)
class ChecksInMemory:
    """The checks of every conversation, beside the conversations that they are of."""

    clock: Callable[[], datetime]
    store: ConversationsInMemory
    tracked: MutableMapping[str, Tracked] = field(default_factory=dict)

    def is_active(self, conversation_sid: str) -> None:
        """Make a check due in a minute if none is, as every claim, takeover, hand back and close does."""
        before = self.tracked.get(conversation_sid, Tracked(activity=self.clock()))
        soon = before.active_check or self.clock() + MIN_CHECK_INTERVAL
        self.tracked[conversation_sid] = replace(before, activity=self.clock(), checks=0, active_check=soon)

    def due(self, *, now: datetime, limit: int) -> list[DueCheck]:
        found = [
            DueCheck(conversation_sid=sid, number=number, due=at)
            for sid, tracked in self.tracked.items()
            for number, at in tracked.due(now)
        ]
        found.sort(key=lambda check: check.due)
        return [check for number in range(MAX_NUMBER + 1) for check in [c for c in found if c.number == number][:limit]]

    def read(self, check: DueCheck, *, now: datetime) -> DueConversation | None:
        sid = check.conversation_sid
        tracked = self.tracked[sid]
        if not tracked.due(now):
            return None
        return DueConversation(
            conversation=self.store.items.get(sid, Conversation(sid=sid)),
            checks=tracked.checks,
            activity=tracked.activity,
            active_check=tracked.active_check,
        )

    def untracked(self, sids: Sequence[str]) -> list[str]:
        return [sid for sid in sids if sid not in self.tracked]

    def track(self, sid: str, *, now: datetime) -> None:
        if sid not in self.tracked:
            self.store.track(sid, now=now)
            self.tracked[sid] = Tracked(activity=now, active_check=now + MIN_CHECK_INTERVAL)

    def postpone(self, checked: DueConversation, *, until: datetime | None, now: datetime) -> None:
        sid = checked.conversation.sid
        tracked = self.tracked[sid]
        if (tracked.activity, tracked.checks) == (checked.activity, checked.checks):
            made = tracked.checks + (until is not None)
            number = min(made, MAX_NUMBER)
            self.tracked[sid] = replace(tracked, checks=made, active_check=None, next_check=until, number=number)
        elif checked.active_check and tracked.active_check == checked.active_check:
            self.tracked[sid] = replace(tracked, active_check=now + MIN_CHECK_INTERVAL)

    def put_off(self, check: DueCheck, *, until: datetime) -> None:
        tracked = self.tracked[check.conversation_sid]
        if check.number == 0 and tracked.active_check == check.due:
            self.tracked[check.conversation_sid] = replace(tracked, active_check=until)
        elif check.number and tracked.next_check == check.due:
            self.tracked[check.conversation_sid] = replace(tracked, next_check=until)
