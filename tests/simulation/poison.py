"""A poisonous message kills the process of whoever thinks about it; and who is charged for a process that dies."""

import random
from collections import Counter
from dataclasses import dataclass, field

from switchboard.conversation import Conversation
from switchboard.events import MessageAdded
from tests.simulation.invariants import Crashes
from tests.simulation.outages import Outage


@dataclass(slots=True)
class Poison:
    """One poisonous message. It is the one that a customer writes when `messages_left` are left to write after it.

    `is_only_fault`: nothing else goes wrong in its schedule, so that what goes wrong there is the poison's doing.
    """

    messages_left: int
    is_only_fault: bool
    message: MessageAdded | None = None
    is_mended: bool = False  # it kills nobody any more

    def is_in(self, conversation_sid: str, bodies: tuple[str, ...]) -> bool:
        """Tell whether it is among these messages, which say their own index."""
        message = self.message
        is_there = message and message.conversation_sid == conversation_sid and message.body in bodies
        return bool(is_there and not self.is_mended)


def plan_poison(seed: int, *, messages: int, outage: Outage | None) -> Poison | None:
    """Return the poison of a schedule. One in three has one, but none where an outage is the only fault."""
    chance = random.Random(f"poison {seed}")  # noqa: S311 -- a schedule, not a secret
    if chance.random() >= 1 / 3 or (outage and outage.is_only_fault):
        return None
    is_only_fault = chance.random() < 1 / 2 and outage is None
    return Poison(messages_left=chance.randrange(messages), is_only_fault=is_only_fault)


@dataclass(slots=True)
class Charges:
    """Whom the deaths of processes cost an attempt.

    `dead_leases` are the lease tokens of workers that died; `kills` counts the processes that poison killed, by its
    conversation; `beside_a_suspect` are the conversations that were claimed in a process which poison killed although
    it had killed the one before; `disturbed` are those with a fault of their own.
    """

    dead_leases: set[str] = field(default_factory=set)
    kills: Counter[str] = field(default_factory=Counter)
    beside_a_suspect: set[str] = field(default_factory=set)
    out_of_attempts: set[str] = field(default_factory=set)
    disturbed: set[str] = field(default_factory=set)

    def is_suspect(self, item: Conversation) -> bool:
        """Tell whether the worker that claimed a conversation last died, and nobody has taken it from that worker."""
        return item.lease_token in self.dead_leases and item.lease_fencing_token == item.fencing_token

    def of(self, conversation_sid: str, poison: Poison | None, *, outage: Outage | None, has_plenty: bool) -> Crashes:
        """Return what crashes did to a conversation. An outage disturbs all; a small budget refuses anybody."""
        message = poison and poison.message
        return Crashes(
            poison_sid=message.message_sid if message and message.conversation_sid == conversation_sid else "",
            kills=self.kills[conversation_sid],
            charged_for_a_suspect=conversation_sid in self.beside_a_suspect,
            out_of_attempts=conversation_sid in self.out_of_attempts,
            was_disturbed=conversation_sid in self.disturbed or bool(outage and outage.began),
            only_poison=bool(poison and poison.is_only_fault and has_plenty),
        )
