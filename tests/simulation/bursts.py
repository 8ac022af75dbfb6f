"""Bursts: a customer sends many texts at once, to the assistant or to a human who hands them back later."""

import random
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from switchboard.author import AuthorRole
from switchboard.conversation import Conversation, ReplyKind
from switchboard.events import MessageAdded
from switchboard.turn.gather import FULL_BATCH
from tests.simulation.models import MAX_EVENT_AGE


@dataclass(slots=True)
class Burst:
    """One burst of a schedule: so many texts at once, when the customers have `messages_left` to write.

    `is_for_human`: a human has taken the conversation just before, and hands it back when nothing is left to do.
    """

    size: int
    messages_left: int
    is_for_human: bool
    conversation_sid: str = ""  # once it has come


def plan_burst(seed: int, *, messages: int) -> Burst | None:
    """Return the burst of a schedule. One in ten has one, with a random generator of its own, as outages have."""
    chance = random.Random(f"burst {seed}")  # noqa: S311 -- a schedule, not a secret
    if chance.random() >= 1 / 10:
        return None
    return Burst(
        size=chance.randint(1, 60), messages_left=chance.randrange(messages), is_for_human=chance.random() < 1 / 2
    )


def left_out(
    item: Conversation, *, records: int, listed: Sequence[MessageAdded] | None, at_twilio: Sequence[MessageAdded]
) -> AbstractSet[int]:
    """Return the indices that wait beside a frozen answer: what was requeued and, where the batch was full, all.

    `listed` is what the worker's list has shown last, None where it asked for none.
    """
    reply = item.pending_reply
    if reply is None or reply.kind not in {ReplyKind.ANSWER, ReplyKind.HANDOFF}:
        return frozenset()
    requeued = {message.index for message in at_twilio} & item.coverage.requeued
    if records < FULL_BATCH:
        return requeued - reply.covers
    assert listed is not None, "a full batch, and nobody asked what waits behind it"
    customers = [message for message in listed if message.author_role is AuthorRole.CUSTOMER]
    waiting = {
        message.index
        for message in customers
        if not item.coverage.covers(message.index) and not item.is_history(message, max_event_age=MAX_EVENT_AGE)
    }
    return (requeued | waiting) - reply.covers
