"""What a lifecycle event does to a conversation: its owner, its end, and the messages a human hands back."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, assert_never

from switchboard.events import (
    ConversationStateUpdated,
    DeliveryFailed,
    LifecycleEvent,
    MessageAdded,
    OwnerSet,
    Speaker,
)

OPTED_OUT = 21610  # Twilio: the recipient has replied STOP


class Effect(StrEnum):
    """What an event did."""

    TAKEN_OVER = "taken_over"
    HANDED_BACK = "handed_back"
    CLOSED = "closed"
    OPTED_OUT = "opted_out"
    DELIVERY_FAILED = "delivery_failed"
    OUTDATED = "outdated"
    NONE = "none"


class Conversations(Protocol):
    """The conversations' items; every method is safe to repeat and in any order."""

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> bool:
        """Make a human the owner, if `at` is newer than what set the owner last; tell whether nothing newer did."""
        ...

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        """Make the agent the owner, if `at` is newer; return the indices that then wait again, else None."""
        ...

    def close(self, sid: str, *, at: datetime) -> None:
        """Close the conversation, for good."""
        ...

    def opt_out(self, sid: str, *, at: datetime) -> None:
        """Remember that the customer's carrier refuses our messages since `at`."""
        ...


class Messages(Protocol):
    """Where the words of a conversation can be read again."""

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order."""
        ...


class Requeue(Protocol):
    """The messages queue."""

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        """Queue messages that were delivered before; a repeat for the same `since` adds nothing."""
        ...


def apply(event: LifecycleEvent, *, conversations: Conversations, messages: Messages, requeue: Requeue) -> Effect:
    """Do to the conversation what the event says; late, doubled and reversed events change nothing that is newer."""
    sid = event.conversation_sid
    match event:
        case MessageAdded(speaker=Speaker.COLLEAGUE):
            return _taken_over(is_newest=conversations.take_over(sid, index=event.index, at=event.at))
        case OwnerSet(owner="human"):
            return _taken_over(is_newest=conversations.take_over(sid, index=None, at=event.at))
        case OwnerSet():
            return _hand_back(event, conversations, messages, requeue)
        case ConversationStateUpdated(state="closed"):
            conversations.close(sid, at=event.at)
            return Effect.CLOSED
        case DeliveryFailed(error_code=code) if code == OPTED_OUT:
            conversations.opt_out(sid, at=event.at)
            return Effect.OPTED_OUT
        case DeliveryFailed():
            return Effect.DELIVERY_FAILED
        case MessageAdded() | ConversationStateUpdated():
            return Effect.NONE
        case _:
            assert_never(event)


def _taken_over(*, is_newest: bool) -> Effect:
    return Effect.TAKEN_OVER if is_newest else Effect.OUTDATED


def _hand_back(event: OwnerSet, conversations: Conversations, messages: Messages, requeue: Requeue) -> Effect:
    reopened = conversations.hand_back(event.conversation_sid, at=event.at)
    if reopened is None:
        return Effect.OUTDATED
    if reopened:
        listed = messages.list_messages(event.conversation_sid, from_index=min(reopened))
        requeue.send_again([message for message in listed if message.index in reopened], since=event.at)
    return Effect.HANDED_BACK
