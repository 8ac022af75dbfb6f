"""Hand backs by time: in some schedules the sweeper hands back what humans have left."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from switchboard.conversation import UNIX_EPOCH, Conversation
from switchboard.events import Owner, OwnerSet
from tests.simulation.people import is_human

if TYPE_CHECKING:
    from tests.simulation.world import World

MINUTES = (10, 30, 180, 1800)


def plan_hand_back(seed: int) -> timedelta | None:
    """Return after how long a schedule hands back, or None: one in four does. It has a random generator of its own."""
    chance = random.Random(f"hand back {seed}")  # noqa: S311 -- a schedule, not a secret
    return timedelta(minutes=chance.choice(MINUTES)) if chance.random() < 1 / 4 else None


@dataclass(frozen=True, slots=True)
class HandBacksByTime:
    """The store, as the sweeper hands back with it."""

    world: "World"
    after: timedelta

    def hand_back_unless_spoken(self, conversation: Conversation, *, now: datetime) -> frozenset[int] | None:
        sid = conversation.sid
        newest_word = self._newest_word(sid)
        requeued: list[frozenset[int] | None] = []
        self.world.apply_change(
            sid, lambda: requeued.append(self.world.store.hand_back_unless_spoken(conversation, now=now))
        )
        if requeued[0] is not None:
            self.world.note_hand_back(sid, at=now)
            told_again = self.world.item(sid).owner_event_at
            self.world.owner_events.setdefault(sid, []).append(
                OwnerSet(conversation_sid=sid, owner=Owner.ASSISTANT, at=told_again)
            )
            if newest_word > now - self.after:
                self.world.handed_back_too_early.add(sid)
        return requeued[0]

    def _newest_word(self, sid: str) -> datetime:
        """Return when a human last wrote in a conversation, as a list shows it, or took it."""
        listed = self.world.twilio.list_messages(sid, from_index=0)
        words = [message.at for message in listed if is_human(message)]
        taken = [event.at for event in self.world.owner_events.get(sid, ()) if event.owner is Owner.HUMAN]
        return max([*words, *taken], default=UNIX_EPOCH)
