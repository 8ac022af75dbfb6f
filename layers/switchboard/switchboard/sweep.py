"""What Twilio has and we have not: found again and queued, as if the webhook had come.

A conversation is looked at 1, 2, 4, … minutes after its last activity, at most 15 apart, for a day; the cost grows with
the conversations that are active, not with all there are. Work a run is bounded: what is left stays due.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from switchboard.conversation import Conversation
from switchboard.errors import Transient
from switchboard.events import MessageAdded, Speaker

FIRST_CHECK_AFTER = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
CHECKED_FOR = timedelta(days=1)


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

    def postpone(self, check: Check, *, until: datetime | None) -> None:
        """Set the next check (None: there is none), unless there was activity meanwhile."""
        ...


class Twilio(Protocol):
    """Twilio, as far as a sweep reads it."""

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order."""
        ...

    def new_conversations(self, *, since: datetime, limit: int) -> Sequence[str]:
        """Return the SIDs of the conversations created since then."""
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
    """Look at what is due and at what is new at Twilio, with at most `most_requests` requests; the rest stays due."""
    now = clock()
    requests, found, failed = 1, 0, 0
    strangers = [
        sid
        for sid in twilio.new_conversations(since=now - max_event_age, limit=most_requests)
        if not checks.is_known(sid)
    ]
    for sid in strangers[: most_requests // 2]:
        requests += 1
        found += _queue_again(twilio, messages, lifecycle, Conversation(sid=sid), now=now, oldest=now - max_event_age)
    for check in checks.due(now=now, limit=most_requests - requests):
        requests += 1
        try:
            found += _queue_again(
                twilio, messages, lifecycle, check.conversation, now=check.due, oldest=now - CHECKED_FOR
            )
        except Transient:
            failed += 1
            continue
        checks.postpone(check, until=_next(check, now))
    return Sweep(requests=requests, found=found, failed=failed)


def _queue_again(
    twilio: Twilio,
    messages: Requeue,
    lifecycle: Requeue,
    conversation: Conversation,
    *,
    now: datetime,
    oldest: datetime,
) -> int:
    """Queue what the conversation holds and nobody has dealt with; return how many messages that are."""
    coverage = conversation.coverage
    waiting = {*coverage.holes, *coverage.reopened, coverage.floor + 1}
    missed = [
        message
        for message in twilio.list_messages(conversation.sid, from_index=min(waiting))
        if not coverage.covers(message.index) and message.at >= oldest
    ]
    words = [message for message in missed if message.speaker is Speaker.CUSTOMER]
    colleagues = [message for message in missed if message.speaker is Speaker.COLLEAGUE]
    messages.send_again(words, since=now)
    lifecycle.send_again(colleagues, since=now)
    return len(words) + len(colleagues)


def _next(check: Check, now: datetime) -> datetime | None:
    pause = min(LONGEST_PAUSE, FIRST_CHECK_AFTER * 2**check.number)
    return now + pause if now - check.activity < CHECKED_FOR else None
