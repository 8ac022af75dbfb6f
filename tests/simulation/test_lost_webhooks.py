"""Three in a hundred webhooks are lost, and nothing else goes wrong: nobody waits long, and no order changes."""

from bisect import bisect_right
from datetime import datetime, timedelta

from switchboard.events import MessageAdded
from tests.builders import PLENTY, sid
from tests.simulation.invariants import answered_by, require
from tests.simulation.invariants import no_message_is_answered_after_a_later_one as in_order
from tests.simulation.world import World

CUSTOMERS = 12
MINUTES = 20
LONGEST_QUIET = timedelta(minutes=15)  # between two checks
A_TURN = timedelta(seconds=60)  # the coming record, the claim, a few calls, the answer


class LostWebhooks(World):
    """A world in which each second counts: customers write, a turn takes some seconds, the sweeper runs each minute."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed, faults=0, handoff_rate=0)
        self.outage = self.poison = self.hand_back_after = self.quiet_at = None
        self.budget = PLENTY
        self.lost: list[MessageAdded] = []

    def play(self) -> None:
        """Let customers write for some minutes, a few texts at a time; then run until everything is answered."""
        due = sorted(
            (began + 6 * number, sid("CH", customer))
            for customer in range(1, CUSTOMERS + 1)
            for began in (self.chance.uniform(0, MINUTES * 60) for _ in range(5))
            for number in range(self.chance.randint(1, 4))
        )
        for second in range((MINUTES + 20) * 60):
            while due and due[0][0] <= second:
                self._write_and_maybe_lose_it(due.pop(0)[1])
            self.clock.move(1)
            while self.webhooks:
                self._a_webhook_arrives()
            if self.queue.ready():
                self._a_process_starts()
            for _ in range(len(self.workers)):
                if self.workers:
                    self._a_worker_goes_on()
            if second % 60 == 0:
                self._a_sweep()

    def _write_and_maybe_lose_it(self, conversation_sid: str) -> None:
        message = self._write(conversation_sid)
        if self.chance.random() < 0.03:
            self.webhooks.remove(message)
            self.lost.append(message)

    def answered_at(self, message: MessageAdded) -> datetime:
        """Return when a message was answered."""
        replies = self.twilio.replies(message.conversation_sid)
        return next(reply.at for reply in replies if message.index in answered_by(reply))

    def second_check_after(self, message: MessageAdded) -> datetime:
        """Return when the conversation was looked at for the second time after a message."""
        conversation_sid = message.conversation_sid
        looks = sorted([*self.checks.made.get(conversation_sid, ()), *self._tracked_at(conversation_sid)])
        return next(iter(looks[bisect_right(looks, message.at) + 1 :]), self.clock())

    def _tracked_at(self, conversation_sid: str) -> list[datetime]:
        tracked_at = self.checks.tracked_at.get(conversation_sid)
        return [tracked_at] if tracked_at else []


def test_what_a_lost_webhook_hides_is_answered_with_the_next_message_or_after_the_second_check() -> None:
    lost = 0
    for seed in range(8):
        world = LostWebhooks(seed)
        world.play()
        for conversation_sid in world.twilio.messages:
            require(in_order, world._evidence(conversation_sid))  # noqa: SLF001 -- the world's own proof
        for message in world.lost:
            waited = world.answered_at(message) - message.at
            until_check = world.second_check_after(message) - message.at
            assert waited <= min(until_check, LONGEST_QUIET) + A_TURN, f"seed {seed}: it waited {waited}"
        lost += len(world.lost)

    assert lost >= 20
