"""Find what webhooks lost: messages that Twilio has and we have not are queued, as if their webhook had come.

A conversation is checked 1, 2, 4, … minutes after its last activity, at most 15 minutes apart, for a day. So the cost
grows with the active conversations, not with all there are. A run has a limit of requests; what is left stays due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from switchboard.author import AuthorRole
from switchboard.conversation import Conversation
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded
from switchboard.ports import Clock, DueCheck, MessageList, NewConversations, Requeue, SweepIndex

MIN_CHECK_INTERVAL = timedelta(minutes=1)
MAX_CHECK_INTERVAL = timedelta(minutes=15)
SWEEP_WINDOW = timedelta(days=1)  # of checks after the last activity
PAGE_SIZE = 100  # the most that Twilio lists in one request


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """What a run did: requests to Twilio, messages found, conversations that could not be read."""

    requests: int = 0
    found: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One conversation to read. `queued_since` makes a repeated find harmless."""

    conversation: Conversation
    queued_since: datetime
    check: DueCheck | None = None


def sweep(
    *,
    checks: SweepIndex,
    conversations: NewConversations,
    messages: MessageList,
    messages_queue: Requeue,
    lifecycle_queue: Requeue,
    clock: Clock,
    max_event_age: timedelta,
    max_requests: int,
) -> SweepResult:
    """Read what is due and what is new at Twilio, with at most `max_requests` requests; the rest stays due.

    What a customer wrote goes to `messages_queue`, what a human wrote to `lifecycle_queue`.

    At most a quarter of the requests list new conversations, and half of the rest read them, the oldest first.
    """
    now = clock()
    pages = max(1, max_requests // 4)
    new = conversations.new_conversations(since=now - max_event_age, limit=pages * PAGE_SIZE)
    requests, found, failed = 1 + len(new) // PAGE_SIZE, 0, 0
    without_item = (Conversation(sid=sid, first_seen_at=now) for sid in reversed(new) if not checks.is_known(sid))
    untracked = list(islice(without_item, (max_requests - requests) // 2))
    looks = chain(
        (_Look(conversation=each, queued_since=now) for each in untracked),
        (
            _Look(conversation=check.conversation, queued_since=check.due, check=check)
            for check in checks.due(now=now, limit=max_requests - requests - len(untracked))
        ),
    )
    for look in looks:
        if requests >= max_requests:
            break
        requests += 1
        try:
            listed = messages.list_messages(look.conversation.sid, from_index=_first_waiting(look.conversation))
            requests += len(listed) // PAGE_SIZE
            missed = _missed(listed, look.conversation, oldest=now - SWEEP_WINDOW, max_event_age=max_event_age)
            found += _queue(missed, messages_queue, lifecycle_queue, since=look.queued_since)
        except Transient:  # it stays due
            failed += 1
            continue
        except Permanent:  # a conversation that is gone at Twilio must not hold up the others
            failed += 1
        if look.check is None:
            checks.track(look.conversation.sid, now=now)
        else:
            checks.postpone(look.check, until=_next_check(look.check, now))
    return SweepResult(requests=requests, found=found, failed=failed)


def _first_waiting(conversation: Conversation) -> int:
    """Return the lowest index that may wait for an answer."""
    coverage = conversation.coverage
    return min({*coverage.gaps, *coverage.requeued, coverage.low_watermark + 1})


def _missed(
    listed: Sequence[MessageAdded], conversation: Conversation, *, oldest: datetime, max_event_age: timedelta
) -> list[MessageAdded]:
    """Return the messages that nobody has handled; those older than `oldest` are given up."""
    answered = conversation.last_reply_before_the_table(listed)
    return [
        message
        for message in listed
        if not conversation.coverage.covers(message.index)
        and message.index > answered
        and message.at >= oldest
        and not conversation.is_history(message, max_event_age=max_event_age)
    ]


def _queue(
    missed: Sequence[MessageAdded], messages_queue: Requeue, lifecycle_queue: Requeue, *, since: datetime
) -> int:
    """Queue messages as if their webhooks had come, and return how many."""
    by_customer = [message for message in missed if message.author_role is AuthorRole.CUSTOMER]
    by_human = [message for message in missed if message.author_role is AuthorRole.HUMAN]
    messages_queue.send_again(by_customer, since=since)
    lifecycle_queue.send_again(by_human, since=since)
    return len(by_customer) + len(by_human)


def _next_check(check: DueCheck, now: datetime) -> datetime | None:
    interval = min(MAX_CHECK_INTERVAL, MIN_CHECK_INTERVAL * 2**check.number)
    return now + interval if now - check.activity < SWEEP_WINDOW else None
