"""Publish what people must be told: right after the write that decided it, and once more in a sweep if that failed.

A notice is removed only after it was published, so it is published at least once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from switchboard.errors import Transient
from switchboard.notices import Notice
from switchboard.ports import Clock

LEFT_TO_ITS_WORKER = timedelta(seconds=10)  # who wrote a notice publishes it; after that, a sweep does
MAX_NOTICES_PER_SWEEP = 200
MAX_NOTICES_AT_ONCE = 10  # of a PutEvents


class NoticeBus(Protocol):
    """The event bus that people and their programs listen to."""

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        """Publish up to ten notices, and return those that the bus took; raise `Transient` where it takes none."""
        ...


class NoticeStore(Protocol):
    """The notices that are due: stored by the writes that decided them, and not yet published."""

    def due_notices(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        """Return the notices that became due before then, the oldest first (a consistent read)."""
        ...

    def remove_notices(self, notices: Sequence[Notice]) -> None:
        """Remove notices that were published; one that is gone already is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes notices, and raises `Transient` where some could not be: a sweep tries these again."""

    notices: NoticeStore
    bus: NoticeBus
    clock: Clock

    def publish(self, notices: Iterable[Notice]) -> tuple[Notice, ...]:
        """Publish notices that were just stored, and return them."""
        published: list[Notice] = []
        refused = 0
        for some in batched(notices, MAX_NOTICES_AT_ONCE, strict=False):
            taken = self.bus.publish(some)
            self.notices.remove_notices(taken)
            published += taken
            refused += len(some) - len(taken)
        if refused:
            raise Transient(f"the event bus refused {refused} notices")
        return tuple(published)

    def publish_of(self, conversation_sids: Iterable[str]) -> tuple[Notice, ...]:
        """Publish what is due of these conversations, and return it."""
        sids = frozenset(conversation_sids)
        due = self.notices.due_notices(before=self.clock(), limit=MAX_NOTICES_PER_SWEEP) if sids else ()
        return self.publish(notice for notice in due if notice.conversation_sid in sids)

    def publish_due(self) -> tuple[Notice, ...]:
        """Publish what nobody else did, the oldest first, and return it."""
        due: Sequence[Notice] = self.notices.due_notices(
            before=self.clock() - LEFT_TO_ITS_WORKER, limit=MAX_NOTICES_PER_SWEEP
        )
        return self.publish(due)
