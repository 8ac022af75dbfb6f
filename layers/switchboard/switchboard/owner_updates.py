"""Show at Twilio who owns a conversation, so that any program can list who waits: in the conversation's attributes.

The write that changes the owner also stores the change. It is shown right after, or by a sweep. Attributes at Twilio
have no conditional write: a worker that has read an older owner may write it later. So a sweep looks once more when
every such worker has ended, and only then is the change forgotten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from switchboard.conversation import OwnerChange
from switchboard.errors import Permanent, SwitchboardError, Transient
from switchboard.events import Owner
from switchboard.ports import Clock, OwnerIndex
from switchboard.publisher import LEFT_TO_ITS_WORKER

MAX_OWNER_CHANGES = 200  # that are read at once; those that wait for their second look are among them
STALE_WRITES_END = timedelta(minutes=2)  # longer than any function may run
MIN_TIME_FOR_OWNER = timedelta(seconds=22)  # two requests to Twilio take up to twenty
MAX_TRIES = 3  # each follows a change that came while the one before was shown


class OwnerChangeStore(Protocol):
    """The changes of owner that are to be shown: stored by the writes that made them."""

    def due_owner_changes(self, *, before: datetime, limit: int) -> Sequence[OwnerChange]:
        """Return the changes that were made before then, the oldest first (a consistent read)."""
        ...

    def mark_shown(self, changes: Sequence[OwnerChange], *, at: datetime) -> None:
        """Keep when changes were first shown."""
        ...

    def remove_owner_changes(self, changes: Sequence[OwnerChange]) -> None:
        """Remove changes; one that is gone already is no error."""
        ...


class OwnerAttribute(Protocol):
    """The conversations' attributes at Twilio."""

    def show_change(self, change: OwnerChange) -> None:
        """Write the owner beside what others keep there, unless it is there, or somebody has decided anew since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerUpdates:
    """Shows changes of owner, each by itself, and raises the last error. A sweep tries again what time may mend."""

    changes: OwnerChangeStore
    owners: OwnerIndex
    attribute: OwnerAttribute
    clock: Clock

    def show_of(self, conversation_sids: Iterable[str], until: datetime) -> None:
        """Show what has changed in these conversations, as far as there is time."""
        sids = frozenset(conversation_sids)
        due = self.changes.due_owner_changes(before=self.clock(), limit=MAX_OWNER_CHANGES) if sids else ()
        self._show([change for change in due if change.conversation_sid in sids and not change.shown_at], until=until)

    def show_due(self, until: datetime) -> None:
        """Show what nobody else did, and what was shown some minutes ago once more, as far as there is time."""
        now = self.clock()
        due = self.changes.due_owner_changes(before=now - LEFT_TO_ITS_WORKER, limit=MAX_OWNER_CHANGES)
        self._show([each for each in due if not each.shown_at or each.shown_at <= now - STALE_WRITES_END], until=until)

    def _show(self, due: Sequence[OwnerChange], *, until: datetime) -> None:
        newest = {change.conversation_sid: change for change in due}
        failed: SwitchboardError | None = None
        for sid, change in newest.items():
            if self.clock() > until - MIN_TIME_FOR_OWNER:
                break
            changes = [each for each in due if each.conversation_sid == sid]
            try:
                self._show_owner_now(change)
            except Permanent as error:  # the conversation is closed or gone, or its attributes are not an object
                failed = error
                self.changes.remove_owner_changes(changes)
            except Transient as error:
                failed = error
            else:
                self.changes.remove_owner_changes([each for each in changes if each.shown_at])
                self.changes.mark_shown([each for each in changes if not each.shown_at], at=self.clock())
        if failed:
            raise failed

    def _show_owner_now(self, change: OwnerChange) -> None:
        """Show the owner that the item has, until it has not changed meanwhile: the newest owner wins."""
        shown = None
        for _ in range(MAX_TRIES):
            now = self._owner_now(change)
            if now is None or now == shown:
                return
            self.attribute.show_change(now)
            shown = now

    def _owner_now(self, change: OwnerChange) -> OwnerChange | None:
        """Return what the item says of the owner; None where a later change has its own entry."""
        owned = self.owners.read_owned(change.conversation_sid)
        if owned:
            return OwnerChange(
                conversation_sid=change.conversation_sid,
                owner=Owner.HUMAN,
                reason=owned.reason.value,
                since=owned.since,
                at=change.at,
            )
        return change if change.owner is Owner.ASSISTANT else None
