"""Gather: find every message that this turn answers. What no SQS record brought is read from Twilio."""

from collections.abc import Mapping
from dataclasses import replace

from switchboard.author import AuthorRole
from switchboard.conversation import GAP_TTL
from switchboard.errors import Transient
from switchboard.events import MessageAdded
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.messages import (
    NotListed,
    highest_shown,
    is_without_body,
    list_messages,
    not_listed,
    sorted_by_index,
    turn_messages,
)

FULL_BATCH = 10  # records: the template's BatchSize, the most that SQS delivers at once


def gather(turn: TurnContext) -> TurnContext:
    """Return the turn with the messages it answers.

    Twilio is asked where an index below the newest message is unexplained, where a message of the open turn or one that
    was requeued came with no record, and where the batch was full: more records wait behind it. A customer's
    message found there joins the turn. Once the turn is overdue, it goes on with what it has: where Twilio does not
    answer, if that is anything; where Twilio's list does not show a message, without it.
    """
    indices = turn.waiting_indices()
    known = {message.index: message for message in turn.delivered if message.index in indices}
    readable = {index: message for index, message in known.items() if not is_without_body(message)}
    gathered = replace(turn, messages=sorted_by_index(readable or known))
    if not indices or turn.is_out_of_attempts():
        return gathered  # after the last attempt, the bodies no longer matter
    from_index = _unread_from(turn, indices, readable)
    if from_index is None:
        return gathered
    try:
        return _with_listed(turn, readable, from_index=from_index)
    except NotListed:
        if not turn.is_overdue() or not known:  # where nothing is known, nobody could be told of it
            raise
        return gathered


def _unread_from(turn: TurnContext, indices: frozenset[int], readable: Mapping[int, MessageAdded]) -> int | None:
    """Return the index from which Twilio's list is needed, or None where it is not."""
    requeued = turn.conversation.requeued_since(turn.now() - GAP_TTL)
    unread = (indices | requeued) - readable.keys()
    unexplained = turn.conversation.coverage.first_unexplained_below(max(indices | requeued), besides=indices)
    newest = max(indices) if len(turn.delivered) >= FULL_BATCH else None
    return min([*unread, *(index for index in (unexplained, newest) if index is not None)], default=None)


def _with_listed(turn: TurnContext, delivered: Mapping[int, MessageAdded], *, from_index: int) -> TurnContext:
    indices, known = turn.waiting_indices(), dict(delivered)
    listed = list_messages(turn, from_index=from_index, step=Step.GATHER)
    answered = turn.conversation.last_reply_before_the_table(listed)
    needs_no_answer: set[int] = set()
    for message in listed:
        if message.index in indices or (message.index > answered and _waits(turn, message)):
            known.setdefault(message.index, message)
        else:
            needs_no_answer.add(message.index)
    if indices - known.keys() and not turn.is_overdue():
        raise Transient(f"{turn.conversation.sid}: Twilio does not list a message of the open turn yet")
    conversation = turn.conversation
    if found := known.keys() - indices:
        conversation = turn.ports.conversations.join(conversation, turn_messages(known[index] for index in found))
        turn.observe(Step.GATHER)
    return replace(
        turn,
        conversation=conversation,
        messages=sorted_by_index(known),
        needs_no_answer=turn.needs_no_answer | needs_no_answer,
        not_found=not_listed(listed, from_index=from_index),
        highest_shown=highest_shown(listed),
    )


def _waits(turn: TurnContext, message: MessageAdded) -> bool:
    """Tell whether a listed message is a customer's that waits for an answer."""
    return (
        message.author_role is AuthorRole.CUSTOMER
        and not turn.conversation.coverage.covers(message.index)
        and not turn.is_history(message)
    )
