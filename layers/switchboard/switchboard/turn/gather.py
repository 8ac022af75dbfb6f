"""Gather: find every message that this turn answers. What no SQS record brought is read from Twilio."""

from dataclasses import replace

from switchboard.author import AuthorRole
from switchboard.conversation import MAX_GAPS
from switchboard.errors import Transient
from switchboard.events import MessageAdded
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.messages import list_messages, sorted_by_index, turn_messages


def gather(turn: TurnContext) -> TurnContext:
    """Return the turn with the messages it answers.

    Twilio is asked where an index below the newest message is unknown, or where a message of the open turn came with
    no record. A customer's message found there joins the turn.
    """
    indices = turn.waiting_indices()
    known = {message.index: message for message in turn.delivered if message.index in indices}
    if not indices or turn.conversation.attempts > turn.settings.max_attempts:
        return replace(turn, messages=sorted_by_index(known))  # after the last attempt, the bodies no longer matter
    top = max(indices)
    gap = turn.conversation.coverage.first_unknown_below(top, besides=indices)
    unread = indices - known.keys()
    if gap is None and not unread:
        return replace(turn, messages=sorted_by_index(known))
    lowest = min(unread if gap is None else {gap, *unread})
    return _with_listed(turn, known, from_index=max(lowest, top - MAX_GAPS), top=top)


def _with_listed(turn: TurnContext, known: dict[int, MessageAdded], *, from_index: int, top: int) -> TurnContext:
    indices = turn.waiting_indices()
    listed = list_messages(turn, from_index=from_index, step=Step.GATHER)
    answered = turn.conversation.last_reply_before_the_table(listed)
    needs_no_answer: set[int] = set()
    for message in listed:
        is_of_the_turn = message.index in indices - known.keys()
        if is_of_the_turn or (message.index > answered and _fills_a_gap(turn, message, top)):
            known[message.index] = message
        elif message.index < top and message.index not in known:
            needs_no_answer.add(message.index)
    if indices - known.keys():
        raise Transient(f"{turn.conversation.sid}: Twilio does not list a message of the open turn yet")
    conversation = turn.conversation
    if found := known.keys() - indices:
        conversation = turn.ports.conversations.join(conversation, turn_messages(known[index] for index in found))
        turn.ports.observe(Step.GATHER)
    return replace(
        turn,
        conversation=conversation,
        messages=sorted_by_index(known),
        needs_no_answer=turn.needs_no_answer | needs_no_answer,
    )


def _fills_a_gap(turn: TurnContext, message: MessageAdded, top: int) -> bool:
    """Tell whether a listed message is a customer's that waits for an answer."""
    return (
        message.author_role is AuthorRole.CUSTOMER
        and message.index < top
        and not turn.conversation.coverage.covers(message.index)
        and not turn.is_history(message)
    )
