"""Twilio cannot reach the webhook URL for a while: only the sweeper finds what customers wrote."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from switchboard.ports import MessagePage
from tests.simulation.invariants import answered_by
from tests.simulation.world import World


@dataclass
class Outage(World):
    """`listed` counts how often the sweeper listed each conversation."""

    listed: Counter[str] = field(default_factory=Counter)

    def answer_first_messages(self, *, customers: int) -> None:
        """Let some customers write a first message, and answer it. None of them speaks of consent."""
        self.consent_words = {}
        self.messages = self.conversations = customers
        while len(self.twilio.messages) < customers:
            self.messages += 1
            self._a_customer_writes()
        while self.webhooks:
            self._a_webhook_arrives()
        self._run_workers()

    def lose_all_webhooks(self, *, minutes: int) -> None:
        """Let customers write every minute, and lose every webhook."""
        for _ in range(minutes):
            for _ in range(2 * self.conversations):
                self.messages += 1
                self._a_customer_writes()
            self.webhooks.clear()
            self.clock.move(60)

    def check_once(self) -> None:
        """Let a minute pass; run the sweeper once, and the workers on what it queues."""
        self.clock.move(60)
        self._a_sweep()
        self._run_workers()

    def unanswered(self) -> dict[str, set[int]]:
        """Return the indices of the unanswered messages, by conversation."""
        return {
            sid: indices
            for sid, messages in self.twilio.messages.items()
            if (
                indices := {m.index for m in messages if not m.marker}
                - {index for m in messages if m.marker for index in answered_by(m)}
            )
        }

    def _run_workers(self) -> None:
        while self.queue.ready():
            self._a_process_starts()
            while self.workers:
                self._a_worker_goes_on()

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        self.listed[conversation_sid] += 1
        return super().message_pages(conversation_sid, from_index=from_index)


@pytest.mark.parametrize("minutes", [1, 20, 50])
@pytest.mark.parametrize("known_customers", [0, 2])
def test_after_an_outage_every_customer_is_answered_by_the_second_check(minutes: int, known_customers: int) -> None:
    outage = Outage(seed=3, faults=0, handoff_rate=0)
    outage.answer_first_messages(customers=known_customers)
    outage.conversations = 5
    outage.lose_all_webhooks(minutes=minutes)
    assert len(outage.unanswered()) >= 3
    outage.listed.clear()

    for _ in range(60):
        outage.check_once()
        assert not {sid for sid in outage.unanswered() if outage.listed[sid] >= 2}

    assert outage.listed.keys() == outage.twilio.messages.keys()
    assert outage.unanswered() == {}
