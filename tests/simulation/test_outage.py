"""The webhook URL is unreachable for a while: the sweeper alone tells what customers wrote."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from switchboard.events import MessageAdded
from tests.simulation.invariants import answered_by
from tests.simulation.world import World


@dataclass
class Outage(World):
    """`checked` counts how often the sweeper looked at each conversation since webhooks arrive again."""

    checked: Counter[str] = field(default_factory=Counter)

    def serve(self, *, customers: int) -> None:
        """Answer a first message of some customers, as on any day."""
        self.messages = self.conversations = customers
        while len(self.twilio.messages) < customers:
            self.messages += 1
            self._a_customer_writes()
        while self.webhooks:
            self._a_webhook_arrives()
        self._everybody_works()

    def lose_all_webhooks(self, *, minutes: int) -> None:
        """Let everybody write every minute, and nobody hear of it."""
        for _ in range(minutes):
            for _ in range(2 * self.conversations):
                self.messages += 1
                self._a_customer_writes()
            self.webhooks.clear()
            self.clock.move(60)

    def check_once(self) -> None:
        """Let a minute pass, the sweeper look at what is due, and the workers answer what it queues."""
        self.clock.move(60)
        self._a_sweep()
        self._everybody_works()

    def waiting(self) -> dict[str, set[int]]:
        """Return the messages that nobody answered, by conversation."""
        return {
            sid: open_messages
            for sid, messages in self.twilio.messages.items()
            if (
                open_messages := {m.index for m in messages if not m.marker}
                - {index for m in messages if m.marker for index in answered_by(m)}
            )
        }

    def _everybody_works(self) -> None:
        while self.queue.ready():
            self._a_worker_starts()
            while self.workers:
                self._a_worker_goes_on()

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self.checked[conversation_sid] += 1
        return super().list_messages(conversation_sid, from_index=from_index)


@pytest.mark.parametrize("minutes", [1, 20, 50])
@pytest.mark.parametrize("served_before", [0, 2])
def test_after_an_outage_every_customer_is_answered_by_the_second_check(minutes: int, served_before: int) -> None:
    outage = Outage(seed=3, faults=0)
    outage.serve(customers=served_before)
    outage.conversations = 5
    outage.lose_all_webhooks(minutes=minutes)
    assert len(outage.waiting()) >= 3
    outage.checked.clear()

    for _ in range(60):
        outage.check_once()
        late = {sid for sid in outage.waiting() if outage.checked[sid] >= 2}
        assert not late

    assert outage.waiting() == {}
