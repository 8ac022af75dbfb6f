"""The messages of a turn: listed at Twilio, put in order, copied to the dead-letter queue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from switchboard.author import AuthorRole
from switchboard.conversation import MAX_INDEX_JUMP, TurnMessage, notes_of
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded
from switchboard.ports import Fenced
from switchboard.turn.consent import apply_consent
from switchboard.turn.context import Step, TurnContext


class NotListed(Transient):
    """Twilio answered no list. Nothing is known of what it would have shown."""


def turn_messages(messages: Iterable[MessageAdded]) -> frozenset[TurnMessage]:
    """Return the messages as the open turn stores them."""
    return frozenset(TurnMessage(index=message.index, message_sid=message.message_sid) for message in messages)


def sorted_by_index(messages: Mapping[int, MessageAdded]) -> tuple[MessageAdded, ...]:
    """Return messages, keyed by index, in order."""
    return tuple(messages[index] for index in sorted(messages))


def is_without_body(message: MessageAdded) -> bool:
    """Tell whether a message is a dead letter whose body nobody knew: only Twilio has it."""
    return message.again and not message.text


def list_messages(turn: TurnContext, *, from_index: int, step: Step) -> tuple[MessageAdded, ...]:
    """List the conversation at Twilio. A human's message that no event told us of is a takeover: `Fenced`.

    So is a customer's who opts out or in again.

    What humans and other programs said, and no event told us, is kept for the history first: whatever follows is lost
    more easily than it. `NotListed` is raised for the list alone: where a write fails, the turn waits for it.
    """
    try:
        listed = turn.ports.messenger.list_messages(turn.conversation.sid, from_index=from_index)
    except (Transient, Permanent) as error:
        raise NotListed(str(error)) from None
    turn.observe(step)
    unknown = [
        message
        for message in listed
        if not turn.conversation.coverage.covers(message.index) and not turn.is_history(message)
    ]
    if notes := notes_of(unknown):
        turn.ports.takeovers.keep_notes(turn.conversation.sid, notes)
    takeovers = [
        message
        for message in unknown
        # At equal times the human wins, as where an event tells of their message.
        if message.author_role is AuthorRole.HUMAN and message.at >= turn.conversation.owner_event_at
    ]
    for message in takeovers:
        turn.ports.takeovers.take_over(message.conversation_sid, index=message.index, at=message.at)
    apply_consent(turn, listed)
    if takeovers:
        raise Fenced(f"{turn.conversation.sid}: a human has written")
    return listed


def highest_shown(listed: Sequence[MessageAdded]) -> int:
    """Return the highest index that a list shows, -1 where it shows none."""
    return max((message.index for message in listed), default=-1)


def not_listed(listed: Sequence[MessageAdded], *, from_index: int) -> frozenset[int]:
    """Return the indices from `from_index` up to the last listed message that a list does not show.

    Where Twilio skipped very many numbers, only those of the last `MAX_INDEX_JUMP`: the others are no gaps.
    """
    last = highest_shown(listed)
    return frozenset(range(max(from_index, last - MAX_INDEX_JUMP), last)) - {message.index for message in listed}


def dead_letters(turn: TurnContext, covers: frozenset[int]) -> list[MessageAdded]:
    """Return the messages that a reply covers, marked; one whose body nobody brought is there with its SID alone."""
    known = {message.index: message for message in turn.messages}
    return [
        replace(known.get(message.index) or _without_body(turn, message), again=True)
        for message in sorted(turn.conversation.turn_messages)
        if message.index in covers
    ]


def _without_body(turn: TurnContext, message: TurnMessage) -> MessageAdded:
    return MessageAdded(
        conversation_sid=turn.conversation.sid,
        message_sid=message.message_sid,
        index=message.index,
        author_role=AuthorRole.CUSTOMER,
        author=turn.delivered[0].author,
        body="",
        at=turn.now(),
    )
