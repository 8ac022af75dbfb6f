"""What a lifecycle event does to a conversation: who owns it, whether it is closed, and what a human hands back.

And whether its customer wants messages.
"""

from enum import StrEnum
from typing import assert_never

from switchboard.author import AuthorRole
from switchboard.consent import ConsentChange, change_by, opts_out
from switchboard.conversation import notes_of
from switchboard.deliveries import OPTED_OUT
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    DeliveryFailed,
    LifecycleEvent,
    MessageAdded,
    Owner,
    OwnerSet,
)
from switchboard.notices import notice_of_failed_delivery
from switchboard.ports import LifecycleStore, MessageList, Requeue, Takeover


class Effect(StrEnum):
    """What an event did."""

    TAKEN_OVER = "taken_over"
    OPENED_BY_UNKNOWN_IDENTITY = "opened_by_unknown_identity"
    HANDED_BACK = "handed_back"
    CLOSED = "closed"
    OPTED_OUT = "opted_out"
    DELIVERY_FAILED = "delivery_failed"
    NOTED = "noted"
    OUTDATED = "outdated"
    NONE = "none"


TOLD = frozenset({Effect.HANDED_BACK, Effect.CLOSED, Effect.DELIVERY_FAILED})  # people are
CHANGES_OWNER = frozenset({Effect.TAKEN_OVER, Effect.OPENED_BY_UNKNOWN_IDENTITY, Effect.HANDED_BACK})

# A human who writes before any customer is most often a web visitor whose identities nobody declared.
_EFFECT_OF_A_HUMANS_MESSAGE = {
    Takeover.APPLIED: Effect.TAKEN_OVER,
    Takeover.BEFORE_ANY_CUSTOMER: Effect.OPENED_BY_UNKNOWN_IDENTITY,
    Takeover.OUTDATED: Effect.OUTDATED,
}


def apply(
    event: LifecycleEvent,
    *,
    conversations: LifecycleStore,
    messages: MessageList,
    requeue: Requeue,
    customer_secret: bytes,
) -> Effect:
    """Change the conversation as the event says. An event that is older than the last applied one changes nothing.

    `customer_secret` is what the keys of customers are made with.
    """
    sid = event.conversation_sid
    match event:
        case MessageAdded(author_role=AuthorRole.HUMAN):
            conversations.keep_notes(sid, notes_of([event]))  # first: whoever knows of the word finds it in the history
            return _EFFECT_OF_A_HUMANS_MESSAGE[conversations.take_over(sid, index=event.index, at=event.at)]
        case MessageAdded(author_role=AuthorRole.SYSTEM):
            conversations.keep_notes(sid, notes_of([event]))
            conversations.mark_handled(sid, index=event.index, at=event.at)
            return Effect.NOTED
        case OwnerSet(owner=Owner.HUMAN):
            takeover = conversations.take_over(sid, index=None, at=event.at)
            return Effect.OUTDATED if takeover is Takeover.OUTDATED else Effect.TAKEN_OVER
        case OwnerSet():
            return hand_back(event, conversations=conversations, messages=messages, requeue=requeue)
        case ConversationStateUpdated(state=ConversationState.CLOSED):
            conversations.close(sid, at=event.at)
            return Effect.CLOSED
        case DeliveryFailed(error_code=code) if code == OPTED_OUT:
            conversations.mark_undelivered(event, notice=None)
            change = ConsentChange(opted_out=True, at=event.at, index=None, by_twilio=True)
            return Effect.OPTED_OUT if conversations.change_consent(sid, change) else Effect.OUTDATED
        case DeliveryFailed(error_code=code):
            notice = notice_of_failed_delivery(sid, error_code=code, at=event.at)
            conversations.mark_undelivered(event, notice=notice)
            return Effect.DELIVERY_FAILED
        case MessageAdded() if opts_out(event):
            change = change_by(event, opted_out=True, customer_secret=customer_secret)
            return Effect.OPTED_OUT if conversations.change_consent(sid, change) else Effect.OUTDATED
        case MessageAdded() | ConversationStateUpdated():
            return Effect.NONE
        case _:
            assert_never(event)


def hand_back(event: OwnerSet, *, conversations: LifecycleStore, messages: MessageList, requeue: Requeue) -> Effect:
    """Make the assistant the owner, and queue the messages that the human left unanswered.

    A human who has written since, as the list shows, has taken the conversation over again.
    """
    requeued = conversations.hand_back(event.conversation_sid, at=event.at)
    if requeued is None:
        return Effect.OUTDATED
    if requeued:
        listed = messages.list_messages(event.conversation_sid, from_index=min(requeued))
        conversations.keep_notes(event.conversation_sid, notes_of(listed))  # the last word may have had no webhook
        for message in listed:
            if message.author_role is AuthorRole.HUMAN and message.at >= event.at:
                conversations.take_over(event.conversation_sid, index=message.index, at=message.at)
        waiting = [message for message in listed if message.index in requeued or opts_out(message)]
        requeue.send_again(waiting, since=event.at)
    return Effect.HANDED_BACK
