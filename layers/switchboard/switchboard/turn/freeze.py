"""Freeze: store the reply before it is sent. No later attempt of this turn says anything else."""

from switchboard.channels.split import split_body
from switchboard.conversation import PendingReply, ReplyKind
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.result import Sending, Thought
from switchboard.turn.timing import COMMIT_WINDOW


def freeze(turn: TurnContext, thought: Thought) -> Sending:
    """Return the stored reply, with one POST allowed for each of its parts.

    The same write gives the conversation back to the assistant, where a human had it only because of a failure.
    """
    parts = split_body(thought.text) if thought.text else ()
    reply = PendingReply(
        turn=turn.conversation.turn,
        kind=thought.kind,
        covers=_covered(turn, thought),
        parts=parts,
        send_attempts=(1,) * len(parts),
        ownership_epoch=turn.conversation.ownership_epoch,
        frozen_at=turn.now(),
        verify_not_before=turn.lease_until + COMMIT_WINDOW,
    )
    turn.ports.conversations.freeze(turn.conversation, reply)
    turn.ports.observe(Step.FREEZE)
    return Sending(reply=reply, cause=thought.cause)


def _covered(turn: TurnContext, thought: Thought) -> frozenset[int]:
    """Return the indices of the messages that the reply ends: an answer ends only what the agent was shown."""
    if thought.kind is ReplyKind.FALLBACK:
        return turn.waiting_indices()
    return turn.shown_indices()
