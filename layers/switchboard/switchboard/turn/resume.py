"""Resume: a reply was frozen, and its worker did not settle it. Wait, look, then settle, send again, or stop.

No part is posted a third time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from switchboard.author import AuthorRole
from switchboard.conversation import PendingReply, TurnOutcome
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded, Sent
from switchboard.ports import Fenced
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.messages import list_messages, sorted_by_index
from switchboard.turn.result import Deferred, Ended, RetryReason, Sending, ended, outcome_when_sent
from switchboard.turn.timing import COMMIT_WINDOW

MAX_SEND_ATTEMPTS = 2  # of one part


def resume(turn: TurnContext, reply: PendingReply) -> tuple[TurnContext, Sending | Ended | Deferred]:
    """Look which parts Twilio has. Return the turn with what the list showed, and what follows for the reply."""
    if turn.now() < reply.verify_not_before:
        waits = Deferred(reason=RetryReason.LOOKING, retry_at=reply.verify_not_before, backs_off=False)
        return turn, waits
    try:
        listed = list_messages(turn, from_index=min(reply.covers), step=Step.RESUME)
    except Fenced:
        raise
    except (Transient, Permanent):
        if not _is_out_of_claims(turn):
            raise
        turn = replace(turn, messages=_covered(reply, turn.delivered))
        return turn, ended(Sending(reply=reply), TurnOutcome.UNSURE)
    turn = replace(
        turn,
        messages=_covered(reply, (*turn.delivered, *listed)),
        needs_no_answer=turn.needs_no_answer.union(
            message.index for message in listed if message.author_role is not AuthorRole.CUSTOMER
        ),
    )
    return turn, _decide(turn, reply, verify_sent(reply, listed))


def verify_sent(reply: PendingReply, listed: Iterable[MessageAdded]) -> list[tuple[int, Sent]]:
    """Return the parts of a reply that a list shows, found by their markers; a part that is there twice, twice."""
    return [
        (message.marker.part, Sent(message_sid=message.message_sid, index=message.index))
        for message in listed
        if message.author_role is AuthorRole.ASSISTANT and message.marker and message.marker.turn == reply.turn
    ]


def _covered(reply: PendingReply, messages: Iterable[MessageAdded]) -> tuple[MessageAdded, ...]:
    return sorted_by_index({message.index: message for message in messages if message.index in reply.covers})


def _decide(turn: TurnContext, reply: PendingReply, found: Sequence[tuple[int, Sent]]) -> Sending | Ended:
    sent = dict(found)
    sending = Sending(reply=reply, sent=sent)
    duplicates = len(found) - len(sent)
    missing = [part for part in range(len(reply.parts)) if part not in sent]
    if not missing:
        return ended(sending, outcome_when_sent(reply.kind), duplicates=duplicates)
    if reply.ownership_epoch != turn.conversation.ownership_epoch:
        return ended(sending, TurnOutcome.VOID, duplicates=duplicates)
    if _is_out_of_claims(turn) or any(reply.send_attempts[part] >= MAX_SEND_ATTEMPTS for part in missing):
        return ended(sending, TurnOutcome.UNSURE, duplicates=duplicates)
    again = replace(
        reply,
        send_attempts=tuple(attempts + (part in missing) for part, attempts in enumerate(reply.send_attempts)),
        verify_not_before=turn.lease_until + COMMIT_WINDOW,
    )
    turn.ports.conversations.record_resend(turn.conversation, again)
    turn.ports.observe(Step.RESUME)
    return replace(sending, reply=again)


def _is_out_of_claims(turn: TurnContext) -> bool:
    """Tell whether even a frozen reply has had its share of claims."""
    return turn.conversation.attempts > 2 * turn.settings.max_attempts
