"""Find what webhooks lost: messages that Twilio has and we have not are queued, as if their webhook had come.

A conversation is checked a minute after it becomes active, and every minute while it stays active: more activity does
not put a check off. After its last activity, the checks come 1, 2, 4, … minutes apart, at most 15, for a day. So the
cost grows with the active conversations, not with all there are. A run has a limit of requests and a deadline; what is
left stays due. Whatever goes wrong in one conversation ends its own check alone.

Where a time is set for it, a check also hands back a conversation whose human has said nothing for so long.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from operator import call
from threading import Lock
from typing import Protocol

from switchboard.author import AuthorRole
from switchboard.consent import opts_out
from switchboard.conversation import Conversation, notes_of
from switchboard.errors import Transient
from switchboard.events import MessageAdded
from switchboard.ports import (
    MIN_CHECK_INTERVAL,
    Clock,
    DueCheck,
    DueConversation,
    HandBacks,
    MessagePages,
    NewConversations,
    Requeue,
    SweepIndex,
    Takeovers,
)

CHECK_INTERVALS = (MIN_CHECK_INTERVAL, *(timedelta(minutes=minutes) for minutes in (2, 4, 8, 15)))
MAX_CHECK_INTERVAL = CHECK_INTERVALS[-1]
SWEEP_WINDOW = timedelta(days=1)  # of checks after the last activity
MIN_TIME_FOR_CHECK = timedelta(seconds=12)  # a request to Twilio takes up to ten; then the item is written
PAGE_SIZE = 100  # the most that Twilio lists in one request

type Check = Callable[[], "_Checked"]


class RunAll(Protocol):
    """How checks are run: the builtin `map` one after another, an executor's `map` side by side."""

    def __call__(self, call: "Callable[[Check], _Checked]", checks: Iterable[Check], /) -> "Iterable[_Checked]":
        """Call a function with each of the checks, and return what it returns, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBackRule:
    """A conversation is handed back when its human has said nothing for `after`."""

    conversations: HandBacks
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFailure:
    """An error that ended the check of a conversation, or a list of conversations: then `conversation_sid` is empty."""

    error: Exception
    conversation_sid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """What a run did.

    `found` are messages. `left` are conversations that stay due, or at least so many. `handed_back` are the SIDs of the
    conversations that the assistant owns again.
    """

    requests: int
    checked: int
    found: int
    left: int
    oldest_due: timedelta
    handed_back: tuple[str, ...]
    failures: tuple[SweepFailure, ...]

    @property
    def is_complete(self) -> bool:
        """True if the run could list the new conversations and those that are due."""
        return all(failure.conversation_sid for failure in self.failures)


def sweep(
    *,
    checks: SweepIndex,
    conversations: NewConversations,
    messages: MessagePages,
    messages_queue: Requeue,
    lifecycle_queue: Requeue,
    takeovers: Takeovers,
    clock: Clock,
    max_event_age: timedelta,
    max_requests: int,
    deadline: datetime,
    hand_back_rule: HandBackRule | None = None,
    run_all: RunAll = map,
) -> SweepResult:
    """Check what is due and what is new at Twilio, with at most `max_requests` requests; the rest stays due.

    What a customer wrote goes to `messages_queue`, what a human or a program wrote to `lifecycle_queue`; a human's word
    is a takeover at once. No check begins within twelve seconds of the deadline. At most a quarter of the requests
    list new conversations, and half of the rest read them, the oldest first.
    """
    sweeper = _Sweeper(
        checks=checks,
        messages=messages,
        messages_queue=messages_queue,
        lifecycle_queue=lifecycle_queue,
        takeovers=takeovers,
        clock=clock,
        now=clock(),
        deadline=deadline,
        max_event_age=max_event_age,
        hand_back_rule=hand_back_rule,
        max_pages=max(1, max_requests // 4),
        requests=_Requests(max_requests),
    )
    failures: list[SweepFailure] = []
    untracked: Sequence[str] = ()
    due: Sequence[DueCheck] = ()
    try:
        untracked = sweeper.list_untracked(conversations)
    except Exception as error:  # noqa: BLE001 -- what is due is checked all the same
        failures.append(SweepFailure(error=error))
    new = untracked[: sweeper.requests.left // 2]
    try:
        due = checks.due(now=sweeper.now, limit=max_requests)
    except Exception as error:  # noqa: BLE001 -- what is new is read all the same
        failures.append(SweepFailure(error=error))
    in_turn = _in_turn(due, limit=sweeper.requests.left - len(new))
    everything: list[Check] = [partial(sweeper.check_new, sid) for sid in new]
    everything += [partial(sweeper.check_due, checks) for checks in in_turn]
    waiting = len(untracked) - len(new) + len({check.conversation_sid for check in due}) - len(in_turn)
    done = list(run_all(call, everything))
    return SweepResult(
        requests=max_requests - sweeper.requests.left,
        checked=sum(not each.is_left for each in done),
        found=sum(each.found for each in done),
        left=sum(each.is_left for each in done) + waiting,
        oldest_due=max((sweeper.now - check.due for check in due), default=timedelta(0)),
        handed_back=tuple(each.handed_back for each in done if each.handed_back),
        failures=(*failures, *(failure for each in done for failure in each.failures)),
    )


def _in_turn(due: Sequence[DueCheck], *, limit: int) -> list[list[DueCheck]]:
    """Return the checks that a run makes, in its order, by conversation: two may be due, and one look serves both.

    A tenth of them are the longest due, so that nobody waits for ever. The others are those of the conversations that
    were active last: a customer whose message was lost a minute ago still waits with the phone in hand, and the fewer
    checks a conversation has had, the younger its last activity is.
    """
    longest_due = sorted(due, key=lambda check: check.due)[: -(-limit // 10)]
    youngest = sorted(due, key=lambda check: (check.number, check.due))
    by_conversation: dict[str, list[DueCheck]] = {check.conversation_sid: [] for check in (*longest_due, *youngest)}
    for check in youngest:
        by_conversation[check.conversation_sid].append(check)
    return list(by_conversation.values())[:limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """What came of one check. `is_left`: there were no requests or no time left, and it stays due.

    `handed_back` is the SID of a conversation that the check has handed back.
    """

    found: int = 0
    handed_back: str = ""
    is_left: bool = False
    failures: tuple[SweepFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """The messages that a check has listed, in order; `is_complete`: all of those that it asked for."""

    messages: Sequence[MessageAdded]
    is_complete: bool


@dataclass(slots=True)
class _Requests:
    """What is left of the run's requests to Twilio. The checks take theirs from several threads."""

    left: int
    _lock: Lock = field(default_factory=Lock)

    def take(self, count: int = 1) -> bool:
        """Take so many, or none where fewer are left."""
        with self._lock:
            is_enough = self.left >= count
            self.left -= count if is_enough else 0
            return is_enough

    def give_back(self, count: int) -> None:
        """Give back requests that were not sent."""
        with self._lock:
            self.left += count


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweeper:
    """One run; its methods `check_…` raise nothing, whatever a conversation holds."""

    checks: SweepIndex
    messages: MessagePages
    messages_queue: Requeue
    lifecycle_queue: Requeue
    takeovers: Takeovers
    clock: Clock
    now: datetime
    deadline: datetime
    max_event_age: timedelta
    hand_back_rule: HandBackRule | None
    max_pages: int  # of one conversation, and of new conversations
    requests: _Requests

    def list_untracked(self, conversations: NewConversations) -> Sequence[str]:
        """Return the new conversations that nobody tracks, the oldest first."""
        self.requests.take(self.max_pages)  # where the list fails, nobody knows how many it has used
        new = conversations.new_conversations(since=self.now - self.max_event_age, limit=self.max_pages * PAGE_SIZE)
        self.requests.give_back(self.max_pages - min(self.max_pages, 1 + len(new) // PAGE_SIZE))
        return self.checks.untracked(list(reversed(new)))

    def check_new(self, sid: str) -> _Checked:
        """Track a conversation that nobody tracks, and queue what waits in it; its next check sees to what fails."""
        if not self._may_begin():
            return _Checked(is_left=True)
        try:
            self.checks.track(sid, now=self.now)
            conversation = Conversation(sid=sid, first_seen_at=self.now)
            listed = self._list(conversation)
            if listed is None:
                return _Checked(is_left=True)
            return _Checked(found=self._queue(self._missed(listed, conversation), since=self.now))
        except Exception as error:  # noqa: BLE001 -- nothing that one conversation does ends the sweep of the others
            return _Checked(failures=(SweepFailure(error=error, conversation_sid=sid),))

    def check_due(self, checks: Sequence[DueCheck]) -> _Checked:
        """Queue what waits in a conversation that is due, hand it back if it is time, and set its next check."""
        check = checks[0]
        if not self._may_begin():
            return _Checked(is_left=True)
        found, due, handed_back = 0, None, ""
        try:
            due = self.checks.read(check, now=self.now)
            if due is None:
                return _Checked()
            listed = self._list(due.conversation)
            if listed is None:
                return _Checked(is_left=True)
            missed, since = self._missed(listed, due.conversation), check.due
            if (waiting := self._hand_back(due.conversation, listed, missed)) is not None:
                handed_back, since, missed = check.conversation_sid, self.now, waiting
            found = self._queue(missed, since=since)
            self.checks.postpone(due, until=self._next_check(due), now=self.now)
        except Exception as error:  # noqa: BLE001 -- nothing that one conversation does ends the sweep of the others
            failed = SweepFailure(error=error, conversation_sid=check.conversation_sid)
            failures = (failed, *self._put_off(checks, due, error))
            return _Checked(found=found, handed_back=handed_back, failures=failures)
        return _Checked(found=found, handed_back=handed_back)

    def _put_off(
        self, checks: Sequence[DueCheck], due: DueConversation | None, error: Exception
    ) -> tuple[SweepFailure, ...]:
        """Make the checks of a conversation that failed due later, so that they do not stay first in line.

        What time may mend comes again in a minute and does not count. Anything else counts like a check that was made.
        """
        passes = isinstance(error, Transient)
        until = self.now + (MIN_CHECK_INTERVAL if passes else MAX_CHECK_INTERVAL)
        ways: list[Callable[[], None]] = [partial(self._put_off_each, checks, until)]
        if due and not (passes and (self.now - due.activity < SWEEP_WINDOW or self._hand_back_at(due.conversation))):
            count = partial(self.checks.postpone, due, until=_next_check(due, self.now), now=self.now)
            ways.insert(0, count)
        failures: list[SweepFailure] = []
        for way in ways:
            try:
                way()
                break
            except Exception as again:  # noqa: BLE001 -- where no way is left it stays due, and its age has an alarm
                failures.append(SweepFailure(error=again, conversation_sid=checks[0].conversation_sid))
        return tuple(failures)

    def _put_off_each(self, checks: Sequence[DueCheck], until: datetime) -> None:
        for check in checks:
            self.checks.put_off(check, until=until)

    def _may_begin(self) -> bool:
        return self.requests.left > 0 and self.clock() + MIN_TIME_FOR_CHECK <= self.deadline

    def _list(self, conversation: Conversation) -> _Listed | None:
        """Return the messages that may wait, or None where the run has no requests left to list them.

        The list ends early after a quarter of the requests, and where the messages are so old that they are given up.
        What a human leaves unanswered is never given up.
        """
        oldest = self.now - SWEEP_WINDOW
        from_index, is_time = _first_waiting(conversation), self._is_time(conversation)
        if is_time:
            from_index = min({from_index, *conversation.left_to_human})
        reaches_back = is_time or bool(conversation.coverage.requeued)
        pages = self.messages.message_pages(conversation.sid, from_index=from_index)
        listed: list[MessageAdded] = []
        for _ in range(self.max_pages):
            if not self.requests.take():
                return None
            page = next(pages)
            listed = [*page.messages, *listed]
            if page.is_last:
                return _Listed(messages=listed, is_complete=True)
            if not reaches_back and any(message.at < oldest for message in page.messages):
                break
        return _Listed(messages=listed, is_complete=False)

    def _missed(self, listed: _Listed, conversation: Conversation) -> list[MessageAdded]:
        """Return the messages that nobody has handled; those older than a day are given up.

        What was handed back or redriven is as old as that.
        """
        oldest = self.now - SWEEP_WINDOW
        requeued = conversation.requeued_since(oldest)
        answered = conversation.last_reply_before_the_table(listed.messages)
        return [
            message
            for message in listed.messages
            if not conversation.coverage.covers(message.index)
            and message.index > answered
            and (message.at >= oldest or message.index in requeued)
            and not conversation.is_history(message, max_event_age=self.max_event_age)
        ]

    def _hand_back(
        self, conversation: Conversation, listed: _Listed, missed: Sequence[MessageAdded]
    ) -> list[MessageAdded] | None:
        """Make the assistant the owner if it is time, and return what waits for it; None where the owner stays.

        A human's word that the list shows and the item does not know is applied first.
        """
        rule = self.hand_back_rule
        if rule is None or not self._is_time(conversation) or not listed.is_complete:
            return None
        waits = {message.index for message in missed}
        humans = [message for message in listed.messages if message.author_role is AuthorRole.HUMAN]
        if any(message.index in waits or message.at > self.now - rule.after for message in humans):
            return None
        requeued = rule.conversations.hand_back_unless_spoken(conversation, now=self.now)
        if requeued is None:
            return None
        return [message for message in listed.messages if message.index in waits | requeued]

    def _hand_back_at(self, conversation: Conversation) -> datetime | None:
        """Return when the conversation is handed back if its human says nothing more, or None if it is not."""
        quiet_since = conversation.quiet_since
        return quiet_since + self.hand_back_rule.after if self.hand_back_rule and quiet_since else None

    def _is_time(self, conversation: Conversation) -> bool:
        at = self._hand_back_at(conversation)
        return at is not None and at <= self.now

    def _next_check(self, checked: DueConversation) -> datetime | None:
        """Return when the next check is due: at the latest when the conversation is to be handed back."""
        usual, at = _next_check(checked, self.now), self._hand_back_at(checked.conversation)
        if at is None:
            return usual
        if at <= self.now:  # it could not be handed back in this check
            return usual or self.now + MAX_CHECK_INTERVAL
        return min(usual or at, at)

    def _queue(self, missed: Sequence[MessageAdded], *, since: datetime) -> int:
        """Queue messages as if their webhooks had come, and return how many. `since` makes a repeat harmless."""
        by_customer = [message for message in missed if message.author_role is AuthorRole.CUSTOMER]
        by_others = [message for message in missed if message.author_role in {AuthorRole.HUMAN, AuthorRole.SYSTEM}]
        for word in by_others:
            if word.author_role is AuthorRole.HUMAN:  # a takeover, before a turn can begin with what is queued
                self.takeovers.keep_notes(word.conversation_sid, notes_of([word]))
                self.takeovers.take_over(word.conversation_sid, index=word.index, at=word.at)
        self.lifecycle_queue.send_again([*by_others, *filter(opts_out, by_customer)], since=since)
        self.messages_queue.send_again(by_customer, since=since)
        return len(by_customer) + len(by_others)


def _first_waiting(conversation: Conversation) -> int:
    """Return the lowest index that may wait for an answer."""
    coverage = conversation.coverage
    return min({*coverage.gaps, *coverage.requeued, coverage.low_watermark + 1})


def _next_check(checked: DueConversation, now: datetime) -> datetime | None:
    if now - checked.activity >= SWEEP_WINDOW:
        return None
    return now + (CHECK_INTERVALS[checked.checks] if 0 <= checked.checks < len(CHECK_INTERVALS) else MAX_CHECK_INTERVAL)
