"""What waits in a web process for its turn: events, each until it was handled, in the order of their arrival.

It stands where the deployment has a queue: an event that was put here and is not removed is handled, also after the
process was killed, if the mapping it is kept in is a file.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from switchboard.events import LifecycleEvent, MessageAdded


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that waits. `number` counts the arrivals, `tries` how often it was handled in vain."""

    id: str
    number: int
    event: LifecycleEvent
    due: datetime
    tries: int = 0

    @property
    def conversation_sid(self) -> str:
        """The conversation that it is about."""
        return self.event.conversation_sid


@dataclass(slots=True)
class Inbox:
    """The events that wait, by their ids."""

    waiting: MutableMapping[str, Waiting] = field(default_factory=dict)

    def put(self, event: LifecycleEvent, *, id: str, due: datetime) -> None:  # noqa: A002 -- it is the event's
        """Have an event wait until it is due. Where one with this id waits already, nothing changes."""
        if id not in self.waiting:
            number = 1 + max((each.number for each in self.waiting.values()), default=0)
            self.waiting[id] = Waiting(id=id, number=number, event=event, due=due)

    def of(self, conversation_sid: str) -> Sequence[Waiting]:
        """Return what waits in a conversation, in order."""
        found = (each for each in self.waiting.values() if each.conversation_sid == conversation_sid)
        return sorted(found, key=lambda each: each.number)

    def due_at(self) -> dict[str, datetime]:
        """Return when each conversation is due in which something waits: when the first of it is.

        What comes later waits behind it, also where it was put off.
        """
        first: dict[str, Waiting] = {}
        for each in self.waiting.values():
            sid = each.conversation_sid
            if sid not in first or each.number < first[sid].number:
                first[sid] = each
        return {sid: each.due for sid, each in first.items()}

    def remove(self, done: Iterable[Waiting]) -> None:
        """Remove events that were handled."""
        for each in done:
            self.waiting.pop(each.id, None)

    def put_off(self, tried: Iterable[Waiting], *, until: datetime) -> None:
        """Have events wait longer that were handled in vain."""
        for each in tried:
            if each.id in self.waiting:
                self.waiting[each.id] = replace(each, due=until, tries=each.tries + 1)


@dataclass(slots=True)
class DeadLetters:
    """The messages that nobody could answer."""

    letters: MutableMapping[str, MessageAdded] = field(default_factory=dict)

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        """Keep the messages; a repeat for the same turn adds nothing."""
        self.letters.update({f"{message.message_sid}-{turn}": message for message in messages})

    def all(self) -> dict[str, MessageAdded]:
        """Return all of them, by keys of ours."""
        return dict(self.letters)

    def remove(self, key: str) -> None:
        """Keep a message no longer."""
        self.letters.pop(key, None)
