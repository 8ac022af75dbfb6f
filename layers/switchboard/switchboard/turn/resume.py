"""Resume: a reply was frozen, and its worker did not settle it. Wait, look, then settle, send again, or stop.

Of a customer who has opted out since, what is missing is not sent.

A reply that certainly did not leave is sent again until `MaxEventAge` after it was frozen, and then expires. One that
may have left is looked for, again and again, and sent again where no list shows it; after the same time it is unsure.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from switchboard.author import AuthorRole
from switchboard.conversation import PendingReply, RefusalRule, ReplyKind, TurnOutcome
from switchboard.events import MessageAdded, Owner, Sent
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.messages import NotListed, highest_shown, list_messages, not_listed, sorted_by_index
from switchboard.turn.result import Deferred, Ended, RetryReason, Sending, ended, outcome_when_sent
from switchboard.turn.timing import COMMIT_WINDOW


def resume(turn: TurnContext, reply: PendingReply) -> tuple[TurnContext, Sending | Ended | Deferred]:
    """Look which parts Twilio has. Return the turn with what the list showed, and what follows for the reply."""
    if turn.is_out_of_attempts():  # decided before anything is listed: the look itself may be what kills the workers
        return _with_messages(turn, reply, ()), ended(Sending(reply=reply), _outcome_when_over(reply, {}))
    if turn.now() < reply.verify_not_before:
        return turn, Deferred(reason=RetryReason.LOOKING, retry_at=reply.verify_not_before)
    try:
        listed = list_messages(turn, from_index=_first_index(turn, reply), step=Step.RESUME)
    except NotListed as error:
        if _is_over(turn, reply):
            return _with_messages(turn, reply, ()), ended(Sending(reply=reply), _outcome_when_over(reply, {}))
        later = Deferred(reason=RetryReason.LOOKING, retry_at=turn.now(), tried_since=reply.frozen_at, cause=str(error))
        return turn, later
    turn = _with_messages(turn, reply, listed)
    return turn, _decide(turn, reply, listed)


def verify_sent(reply: PendingReply, listed: Iterable[MessageAdded]) -> list[tuple[int, Sent]]:
    """Return the parts of a reply that a list shows, found by their markers; a part that is there twice, twice."""
    return [
        (message.marker.part, Sent(message_sid=message.message_sid, index=message.index))
        for message in listed
        if message.author_role is AuthorRole.ASSISTANT and message.marker and message.marker.turn == reply.turn
    ]


def _with_messages(turn: TurnContext, reply: PendingReply, listed: Sequence[MessageAdded]) -> TurnContext:
    """Return the turn with the messages that the reply covers, and the indices of others that need no answer."""
    covered = {message.index: message for message in (*turn.delivered, *listed) if message.index in reply.covers}
    others = (message.index for message in listed if message.author_role is not AuthorRole.CUSTOMER)
    return replace(
        turn,
        messages=sorted_by_index(covered),
        needs_no_answer=turn.needs_no_answer.union(others),
        not_found=not_listed(listed, from_index=_first_index(turn, reply)),
        highest_shown=highest_shown(listed),
    )


def _first_index(turn: TurnContext, reply: PendingReply) -> int:
    """Return the index from which a list shows the parts of a reply: they come after a message that it covers.

    But not after one that was told with a number which no message has.
    """
    coverage = turn.conversation.coverage
    return min(coverage.low_watermark + 1 if coverage.is_far(index) else index for index in reply.covers)


def _decide(turn: TurnContext, reply: PendingReply, listed: Sequence[MessageAdded]) -> Sending | Ended:
    found = verify_sent(reply, listed)
    sent = dict(found)
    sending = Sending(reply=reply, sent=sent)
    duplicates = len(found) - len(sent)
    missing = frozenset(range(len(reply.parts))) - sent.keys()
    if not missing:
        return ended(sending, outcome_when_sent(reply.kind), duplicates=duplicates)
    if reply.ownership_epoch != turn.conversation.ownership_epoch and not _may_be_sent(turn, reply, listed):
        unanswered = _after_the_last_human_word(turn, reply, listed)
        return ended(sending, TurnOutcome.VOID, duplicates=duplicates, unanswered=unanswered)
    if turn.conversation.consent.opted_out is not (reply.kind is ReplyKind.OPT_OUT):
        return ended(sending, TurnOutcome.REFUSED, rule=RefusalRule.OPTED_OUT, duplicates=duplicates)
    if _is_over(turn, reply):
        return ended(sending, _outcome_when_over(reply, sent), duplicates=duplicates)
    again = replace(
        reply,
        send_attempts=tuple(attempts + (part in missing) for part, attempts in enumerate(reply.send_attempts)),
        ownership_epoch=turn.conversation.ownership_epoch,
        verify_not_before=turn.lease_until + COMMIT_WINDOW,
        looks=reply.looks + 1,
    )
    turn.ports.conversations.record_resend(turn.conversation, again)
    turn.observe(Step.RESUME, "send again")
    return replace(sending, reply=again)


def _may_be_sent(turn: TurnContext, reply: PendingReply, listed: Iterable[MessageAdded]) -> bool:
    """Tell whether the reply stands although the conversation was taken since: it was given back without a word."""
    human_wrote = _last_human_index(turn, listed) > min(reply.covers)
    return turn.conversation.owner is Owner.ASSISTANT and not turn.conversation.closed and not human_wrote


def _after_the_last_human_word(
    turn: TurnContext, reply: PendingReply, listed: Iterable[MessageAdded]
) -> frozenset[int]:
    """Return the indices of covered messages that came after the last human word."""
    last = _last_human_index(turn, listed)
    return frozenset(index for index in reply.covers if index > last)


def _last_human_index(turn: TurnContext, listed: Iterable[MessageAdded]) -> int:
    """Return the index of the last human word, or -1. A list may not show it yet, and the item may not know it."""
    words = (message.index for message in listed if message.author_role is AuthorRole.HUMAN)
    return max([turn.conversation.human_spoke_index, *words])


def _is_over(turn: TurnContext, reply: PendingReply) -> bool:
    """Tell whether the time is over in which a frozen reply is tried."""
    return turn.now() - reply.frozen_at >= turn.settings.max_event_age


def _outcome_when_over(reply: PendingReply, sent: Collection[int]) -> TurnOutcome:
    """Return `expired` where every POST is known not to have left, else `unsure`."""
    return TurnOutcome.UNSURE if sent or any(reply.send_attempts) else TurnOutcome.EXPIRED
