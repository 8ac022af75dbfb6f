"""Freeze: store the reply before it is sent. No later attempt of this turn says anything else."""

from switchboard.channels.split import split_body
from switchboard.conversation import PendingReply
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.result import Sending, Thought
from switchboard.turn.timing import COMMIT_WINDOW


def freeze(turn: TurnContext, thought: Thought) -> Sending:
    """Return the stored reply, with one POST allowed for each of its parts."""
    parts = split_body(thought.text)
    reply = PendingReply(
        turn=turn.conversation.turn,
        kind=thought.kind,
        covers=turn.waiting_indices(),
        parts=parts,
        send_attempts=(1,) * len(parts),
        ownership_epoch=turn.conversation.ownership_epoch,
        verify_not_before=turn.lease_until + COMMIT_WINDOW,
    )
    turn.ports.conversations.freeze(turn.conversation, reply)
    turn.ports.observe(Step.FREEZE)
    return Sending(reply=reply, cause=thought.cause)
