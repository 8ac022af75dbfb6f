"""Which conversations the sweeper must look at, in memory: the index by_next_check as the proofs need it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from switchboard.conversation import Conversation
from switchboard.ports import DueCheck
from tests.fakes.conversations import ConversationsInMemory

MAX_CHECKS = 5  # of a conversation without activity; the real index goes on for a day


@dataclass(slots=True)
class Checks:
    """The next check of each conversation: how many came before it, and when it is due."""

    clock: Callable[[], datetime]
    store: ConversationsInMemory
    next_check: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def is_active(self, conversation_sid: str) -> None:
        """Make a check due in a minute, as every write of the item does."""
        self.next_check[conversation_sid] = (0, self.clock() + timedelta(minutes=1))

    def due(self, *, now: datetime, limit: int) -> list[DueCheck]:
        due = [(at, sid, number) for sid, (number, at) in self.next_check.items() if at <= now]
        return [
            DueCheck(conversation=self.store.items.get(sid, Conversation(sid=sid)), number=number, activity=at, due=at)
            for at, sid, number in sorted(due)[:limit]
        ]

    def is_known(self, sid: str) -> bool:
        return sid in self.store.items

    def track(self, sid: str, *, now: datetime) -> None:
        self.store.track(sid, now=now)
        self.is_active(sid)

    def postpone(self, check: DueCheck, *, until: datetime | None) -> None:
        number = check.number + 1
        if until is None or number >= MAX_CHECKS:
            self.next_check.pop(check.conversation.sid, None)
        else:
            self.next_check[check.conversation.sid] = (number, until)
