"""Publish what people must be told: right after the write that decided it, and once more in a sweep if that failed.

A notice is removed only after it was published, so it is published at least once. Failures of a type are told together:
the first one at once, and those that follow it within ten minutes as one notice with a count, when they are over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from switchboard.errors import Transient
from switchboard.notices import TOLD_TOGETHER, Notice, NoticeType
from switchboard.ports import Clock

LEFT_TO_ITS_WORKER = timedelta(seconds=10)  # who wrote a notice publishes it; after that, a sweep does
MAX_NOTICES_PER_SWEEP = 200
MAX_NOTICES_AT_ONCE = 10  # of a PutEvents
FAILURES_TOGETHER = timedelta(minutes=10)
MAX_FAILURES_PER_NOTICE = 500  # each is an item to remove


class NoticeBus(Protocol):
    """The event bus that people and their programs listen to."""

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        """Publish up to ten notices, and return those that the bus took; raise `Transient` where it takes none."""
        ...


class NoticeStore(Protocol):
    """The notices that are due: stored by the writes that decided them, and not yet published."""

    def due_notices(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        """Return the notices that became due before then, without failures, the oldest first (a consistent read)."""
        ...

    def due_failures(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        """Return the failures that became due before then, the oldest first (a consistent read)."""
        ...

    def lead_failures(self, notice: Notice, *, now: datetime, since: datetime) -> str:
        """Let this notice stand for the failures of its type from now on, unless another has done so since then.

        Return the id of the notice that does. A repeat changes nothing.
        """
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
        """Publish notices that were just stored, and return what was published.

        A failure that follows another waits for a sweep. One that leads is told together with those that waited before
        it: else they would wait for as long as others lead.
        """
        stored = tuple(notices)
        published = self._publish([notice for notice in stored if notice.type not in TOLD_TOGETHER])
        for failure in stored:
            if failure.type in TOLD_TOGETHER and self._leads(failure) == failure.id:
                due = self.notices.due_failures(before=failure.at, limit=MAX_FAILURES_PER_NOTICE)
                waiting = _of_type(failure.type, due)
                published += self._publish_as_one(failure, waiting)
        return published

    def _leads(self, notice: Notice) -> str:
        now = self.clock()
        return self.notices.lead_failures(notice, now=now, since=now - FAILURES_TOGETHER)

    def _publish(self, notices: Iterable[Notice]) -> tuple[Notice, ...]:
        published: list[Notice] = []
        refused = 0
        for some in batched(notices, MAX_NOTICES_AT_ONCE):
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
        now = self.clock()
        due = self.notices.due_notices(before=now, limit=MAX_NOTICES_PER_SWEEP) if sids else ()
        failures = self.notices.due_failures(before=now, limit=MAX_FAILURES_PER_NOTICE) if sids else ()
        return self.publish(notice for notice in (*due, *failures) if notice.conversation_sid in sids)

    def publish_due(self) -> tuple[Notice, ...]:
        """Publish what nobody else did, the oldest first, and return it."""
        before = self.clock() - LEFT_TO_ITS_WORKER
        due = self.notices.due_notices(before=before, limit=MAX_NOTICES_PER_SWEEP)
        published = self._publish(due)
        failures = self.notices.due_failures(before=before, limit=MAX_FAILURES_PER_NOTICE)
        for kind in sorted({failure.type for failure in failures}):
            published += self._publish_together(_of_type(kind, failures))
        return published

    def _publish_together(self, failures: Sequence[Notice]) -> tuple[Notice, ...]:
        """Publish failures as one notice, if the last one is ten minutes old, or its worker died over it."""
        leader = self._leads(failures[0])
        for failure in failures:
            if failure.id == leader:
                return self._publish_as_one(failure, failures)
        return ()

    def _publish_as_one(self, leader: Notice, failures: Sequence[Notice]) -> tuple[Notice, ...]:
        published = self._publish([replace(leader, count=max(1, len(failures)))])
        self.notices.remove_notices(failures)
        return published


def _of_type(kind: NoticeType, notices: Iterable[Notice]) -> list[Notice]:
    return [notice for notice in notices if notice.type is kind]
