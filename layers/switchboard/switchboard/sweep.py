"""What Twilio has and we have not: found again and queued, as if the webhook had come.

A conversation is looked at 1, 2, 4, … minutes after its last activity, at most 15 apart, for a day; the cost grows with
the conversations that are active, not with all there are. Work a run is bounded: what is left stays due.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Protocol

from switchboard.conversation import Conversation
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded, Speaker

FIRST_CHECK_AFTER = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
CHECKED_FOR = timedelta(days=1)
LISTED_A_REQUEST = 100  # the most that Twilio lists at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A conversation that is due: `number` counts the checks since its last activity."""

    conversation: Conversation
    number: int
    activity: datetime
    due: datetime


class Checks(Protocol):
    """The conversations' items, as far as checks go."""

    def due(self, *, now: datetime, limit: int) -> Iterable[Check]:
        """Return the conversations whose check is due, the longest due first."""
        ...

    def is_known(self, sid: str) -> bool:
        """Tell whether the conversation has an item."""
        ...

    def meet(self, sid: str, *, now: datetime) -> None:
        """Give a conversation an item with its first check, if it has none."""
        ...

    def postpone(self, check: Check, *, until: datetime | None) -> None:
        """Set the next check (None: there is none), unless there was activity meanwhile."""
        ...


class Twilio(Protocol):
    """Twilio, as far as a sweep reads it."""

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order."""
        ...

    def new_conversations(self, *, since: datetime, limit: int) -> Sequence[str]:
        """Return the SIDs of the conversations created since then, the newest first."""
        ...


class Requeue(Protocol):
    """A queue of ours."""

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        """Queue messages that may have been queued before; a repeat for the same `since` adds nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a run did. `requests` went to Twilio."""

    requests: int = 0
    found: int = 0
    failed: int = 0


def sweep(
    *,
    checks: Checks,
    twilio: Twilio,
    messages: Requeue,
    lifecycle: Requeue,
    clock: Callable[[], datetime],
    max_event_age: timedelta,
    most_requests: int,
) -> Sweep:
    """Look at what is due and at what is new at Twilio, with at most `most_requests` requests; the rest stays due.

    At most a quarter of the requests list what is new, and half of the rest look at it, the oldest first.
    """
    now = clock()
    pages = max(1, most_requests // 4)
    new = twilio.new_conversations(since=now - max_event_age, limit=pages * LISTED_A_REQUEST)
    requests, found, failed = 1 + len(new) // LISTED_A_REQUEST, 0, 0
    unknown = (Conversation(sid=sid, began=now) for sid in reversed(new) if not checks.is_known(sid))
    strangers = list(islice(unknown, (most_requests - requests) // 2))
    looks = chain(
        (_Look(conversation=each, queued_since=now) for each in strangers),
        (
            _Look(conversation=check.conversation, queued_since=check.due, check=check)
            for check in checks.due(now=now, limit=most_requests - requests - len(strangers))
        ),
    )
    for look in looks:
        if requests >= most_requests:
            break
        requests += 1
        try:
            listed = twilio.list_messages(look.conversation.sid, from_index=_first_waiting(look.conversation))
            requests += len(listed) // LISTED_A_REQUEST
            missed = _missed(listed, look.conversation, oldest=now - CHECKED_FOR, max_event_age=max_event_age)
            found += _queue_again(missed, messages, lifecycle, since=look.queued_since)
        except Transient:  # it stays due
            failed += 1
            continue
        except Permanent:  # a conversation that is gone at Twilio holds up nobody
            failed += 1
        if look.check is None:
            checks.meet(look.conversation.sid, now=now)  # from now on it is looked at as all others are
        else:
            checks.postpone(look.check, until=_next(look.check, now))
    return Sweep(requests=requests, found=found, failed=failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One conversation to look at."""

    conversation: Conversation
    queued_since: datetime
    check: Check | None = None


def _first_waiting(conversation: Conversation) -> int:
    """Return the lowest index that may wait for an answer."""
    coverage = conversation.coverage
    return min({*coverage.holes, *coverage.reopened, coverage.floor + 1})


def _missed(
    listed: Sequence[MessageAdded], conversation: Conversation, *, oldest: datetime, max_event_age: timedelta
) -> list[MessageAdded]:
    """Return what nobody has dealt with; what is older than `oldest` is given up."""
    answered = conversation.answered_before_we_knew(listed)
    return [
        message
        for message in listed
        if not conversation.coverage.covers(message.index)
        and message.index > answered
        and message.at >= oldest
        and not conversation.has_history_at(message.at, max_event_age=max_event_age)
    ]


def _queue_again(missed: Sequence[MessageAdded], messages: Requeue, lifecycle: Requeue, *, since: datetime) -> int:
    """Queue messages as if their webhooks had come; return how many those are."""
    words = [message for message in missed if message.speaker is Speaker.CUSTOMER]
    colleagues = [message for message in missed if message.speaker is Speaker.COLLEAGUE]
    messages.send_again(words, since=since)
    lifecycle.send_again(colleagues, since=since)
    return len(words) + len(colleagues)


def _next(check: Check, now: datetime) -> datetime | None:
    pause = min(LONGEST_PAUSE, FIRST_CHECK_AFTER * 2**check.number)
    return now + pause if now - check.activity < CHECKED_FOR else None
