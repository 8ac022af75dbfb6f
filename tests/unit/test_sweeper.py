"""What a sweep queues, what it leaves alone, and when it looks again."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from switchboard.author import AuthorRole
from switchboard.consent import ConsentChange
from switchboard.conversation import UNIX_EPOCH, Conversation, Coverage, Note, OwnerReason, PendingReply, ReplyKind
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded, Owner
from switchboard.ports import DueCheck, DueConversation, MessagePage, Takeover
from switchboard.stores.checks import MAX_NUMBER, Tracked
from switchboard.stores.memory import ConversationsInMemory
from switchboard.sweeper import PAGE_SIZE, HandBackRule, RunAll, SweepResult, sweep
from tests.builders import CONVERSATION, NOON, Clock, from_assistant, from_human, message_added, sid
from tests.fakes.twilio import TwilioInMemory
from tests.simulation.watched import WatchedChecks


@dataclass
class QueueList:
    messages: list[MessageAdded] = field(default_factory=list)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.messages += messages


@dataclass
class Harness:
    """The sweeper's ports. `new` are the new conversations at Twilio; `listed` those whose messages were listed.

    `errors` are raised by the method of that name, for the conversations that they name, or for any ("").
    """

    clock: Clock = field(default_factory=Clock)
    store: ConversationsInMemory = field(default_factory=ConversationsInMemory)
    twilio: TwilioInMemory = field(default_factory=lambda: TwilioInMemory(clock=Clock()))
    checks: WatchedChecks = field(init=False)
    new: list[str] = field(default_factory=list)
    asked_for_new: tuple[datetime, int] | None = None
    listed: list[str] = field(default_factory=list)
    list_seconds: float = 0
    wait_for_others: Callable[..., object] = lambda timeout: timeout
    errors: dict[tuple[str, str], Exception] = field(default_factory=dict)
    hand_back_after: timedelta | None = None
    before_the_hand_back: Callable[[], object] = lambda: None
    messages_queue: QueueList = field(default_factory=QueueList)
    lifecycle_queue: QueueList = field(default_factory=QueueList)

    def __post_init__(self) -> None:
        self.checks = WatchedChecks(clock=self.clock, store=self.store)

    def sweep(self, *, max_requests: int = 60, seconds: float = 55, run_all: RunAll = map) -> SweepResult:
        return sweep(
            checks=self,
            conversations=self,
            messages=self,
            messages_queue=self,
            lifecycle_queue=self.lifecycle_queue,
            takeovers=self,
            clock=self.clock,
            max_event_age=timedelta(hours=1),
            max_requests=max_requests,
            deadline=self.clock() + timedelta(seconds=seconds),
            hand_back_rule=HandBackRule(conversations=self, after=self.hand_back_after)
            if self.hand_back_after
            else None,
            run_all=run_all,
        )

    def sweep_for(self, *, minutes: int) -> None:
        """Sweep every minute."""
        for _ in range(minutes):
            self.clock.move(seconds=60)
            self.sweep()

    def check(
        self,
        conversation_sid: str = CONVERSATION,
        *,
        number: int = 0,
        due_for: timedelta = timedelta(0),
        coverage: Coverage | None = None,
        first_seen_at: datetime = UNIX_EPOCH,
        pending_reply: PendingReply | None = None,
    ) -> None:
        """Make a check due that follows `number` checks since the last activity, `due_for` so long already."""
        self.store.items[conversation_sid] = Conversation(
            sid=conversation_sid,
            first_seen_at=first_seen_at,
            coverage=coverage or Coverage(),
            pending_reply=pending_reply,
        )
        due = self.clock() - due_for
        self.checks.tracked[conversation_sid] = Tracked(
            activity=due - timedelta(minutes=2 ** min(number, 6)),
            checks=number,
            active_check=None if number else due,
            next_check=due if number else None,
            number=min(number, MAX_NUMBER),
        )

    def human_takes(self, *, index: int | None = None) -> None:
        """Make a human the owner now."""
        self.store.take_over(CONVERSATION, index=index, at=self.clock())
        self.checks.is_active(CONVERSATION)

    def leave_to_the_human(self, *messages: MessageAdded) -> None:
        """Have a turn leave these to the human who owns the conversation."""
        self.twilio.add(*messages)
        indices = frozenset(message.index for message in messages)
        item = self.store.items[CONVERSATION]
        coverage = item.coverage.with_handled(indices, now=self.clock())
        self.store.items[CONVERSATION] = replace(item, coverage=coverage, left_to_human=item.left_to_human | indices)
        self.checks.is_active(CONVERSATION)

    def owner(self) -> Owner:
        return self.store.items[CONVERSATION].owner

    def hand_back_unless_spoken(self, conversation: Conversation, *, now: datetime) -> frozenset[int] | None:
        self.before_the_hand_back()
        requeued = self.store.hand_back_unless_spoken(conversation, now=now)
        if requeued is not None:
            self.checks.is_active(conversation.sid)
        return requeued

    def keep_notes(self, sid: str, notes: Sequence[Note]) -> None:
        self.store.keep_notes(sid, notes)

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        self._fail("take_over", sid)
        return self.store.take_over(sid, index=index, at=at)

    def change_consent(self, sid: str, change: ConsentChange) -> bool:
        return self.store.change_consent(sid, change)

    def next_check(self, conversation_sid: str = CONVERSATION) -> datetime | None:
        tracked = self.checks.tracked[conversation_sid]
        return tracked.active_check or tracked.next_check

    def due(self, *, now: datetime, limit: int) -> list[DueCheck]:
        self._fail("due", "")
        return self.checks.due(now=now, limit=limit)

    def read(self, check: DueCheck, *, now: datetime) -> DueConversation | None:
        self._fail("read", check.conversation_sid)
        return self.checks.read(check, now=now)

    def untracked(self, sids: Sequence[str]) -> list[str]:
        self._fail("untracked", "")
        return self.checks.untracked(sids)

    def track(self, sid: str, *, now: datetime) -> None:
        self._fail("track", sid)
        self.checks.track(sid, now=now)

    def postpone(self, checked: DueConversation, *, until: datetime | None, now: datetime) -> None:
        self._fail("postpone", checked.conversation.sid)
        self.checks.postpone(checked, until=until, now=now)

    def put_off(self, check: DueCheck, *, until: datetime) -> None:
        self._fail("put_off", check.conversation_sid)
        self.checks.put_off(check, until=until)

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        messages = self.twilio.list_messages(conversation_sid, from_index=from_index)
        for end in range(len(messages), -1, -PAGE_SIZE):
            self.listed.append(conversation_sid)
            self.clock.move(seconds=self.list_seconds)
            self.wait_for_others(timeout=10)
            self._fail("message_pages", conversation_sid)
            yield MessagePage(messages=messages[max(end - PAGE_SIZE, 0) : end], is_last=end <= PAGE_SIZE)

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        self.asked_for_new = (since, limit)
        self._fail("new_conversations", "")
        return self.new[:limit]

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        for message in messages:
            self._fail("send_again", message.conversation_sid)
        self.messages_queue.send_again(messages, since=since)

    def _fail(self, method: str, conversation_sid: str) -> None:
        if error := self.errors.get((method, conversation_sid)):
            raise error


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_message_whose_webhook_was_lost_is_queued(harness: Harness) -> None:
    lost = message_added(index=0)
    harness.twilio.add(lost)
    harness.check()

    swept = harness.sweep()

    assert harness.messages_queue.messages == [lost]
    assert swept.found == 1


def test_every_message_that_is_queued_counts_as_found(harness: Harness) -> None:
    harness.twilio.add(message_added(index=0), from_human(index=1), message_added(index=2))
    harness.check()

    swept = harness.sweep()

    assert (len(harness.messages_queue.messages), len(harness.lifecycle_queue.messages), swept.found) == (2, 1, 3)


def test_answered_messages_and_our_own_replies_are_left_alone(harness: Harness) -> None:
    harness.twilio.add(message_added(index=0), from_assistant(index=1, turn="T1"))
    harness.check(coverage=Coverage(low_watermark=1))

    swept = harness.sweep()

    assert (harness.messages_queue.messages, harness.lifecycle_queue.messages, swept.found) == ([], [], 0)


def test_a_message_in_a_gap_below_the_low_watermark_is_queued(harness: Harness) -> None:
    lost = message_added(index=1)
    harness.twilio.add(message_added(index=0), lost, message_added(index=2))
    harness.check(coverage=Coverage(low_watermark=2, gaps={1: NOON}))

    harness.sweep()

    assert harness.messages_queue.messages == [lost]


def test_a_humans_message_whose_webhook_was_lost_is_a_takeover_and_goes_to_the_lifecycle_queue(
    harness: Harness,
) -> None:
    lost = from_human(index=0)
    harness.twilio.add(lost)
    harness.check()

    harness.sweep()

    assert (harness.messages_queue.messages, harness.lifecycle_queue.messages) == ([], [lost])
    assert harness.owner() is Owner.HUMAN


def test_an_opt_out_whose_webhook_was_lost_goes_to_both_queues(harness: Harness) -> None:
    lost = message_added(index=0, body="Please stop texting me")
    harness.twilio.add(lost)
    harness.check()

    harness.sweep()

    assert (harness.messages_queue.messages, harness.lifecycle_queue.messages) == ([lost], [lost])


def test_what_a_program_said_and_no_webhook_told_goes_to_the_lifecycle_queue_and_takes_nothing_over(
    harness: Harness,
) -> None:
    lost = replace(from_human(index=0), author_role=AuthorRole.SYSTEM, author="system")
    harness.twilio.add(lost)
    harness.check()

    swept = harness.sweep()

    assert (harness.messages_queue.messages, harness.lifecycle_queue.messages, swept.found) == ([], [lost], 1)
    assert harness.owner() is Owner.ASSISTANT


def test_where_a_takeover_cannot_be_written_nothing_is_queued(harness: Harness) -> None:
    harness.twilio.add(message_added(index=0), from_human(index=1))
    harness.check()
    harness.errors["take_over", CONVERSATION] = Transient("throttled")

    harness.sweep()

    assert harness.messages_queue.messages == []


def test_a_message_that_a_hand_back_requeued_is_queued_until_it_is_answered(harness: Harness) -> None:
    unanswered = message_added(index=0)
    harness.twilio.add(unanswered)
    harness.check(coverage=Coverage(low_watermark=0, requeued=frozenset({0})))

    harness.sweep()

    assert harness.messages_queue.messages == [unanswered]


def test_a_conversation_whose_every_webhook_was_lost_is_queued_and_tracked(harness: Harness) -> None:
    lost = message_added(conversation_sid=sid("CH", 9))
    harness.twilio.add(lost)
    harness.new = [sid("CH", 9)]

    harness.sweep()

    assert harness.messages_queue.messages == [lost]
    assert sid("CH", 9) in harness.checks.tracked


def test_after_the_loss_of_the_table_messages_before_our_last_reply_are_left_alone(harness: Harness) -> None:
    answered, unanswered = (message_added(conversation_sid=sid("CH", 9), index=index) for index in (0, 2))
    harness.twilio.add(answered, from_assistant(index=1, turn="T1", conversation_sid=sid("CH", 9)), unanswered)
    harness.new = [sid("CH", 9)]

    harness.sweep()

    assert harness.messages_queue.messages == [unanswered]


def test_a_message_before_a_first_reply_that_is_not_settled_is_queued(harness: Harness) -> None:
    unsettled = message_added(index=0)
    harness.twilio.add(unsettled, from_assistant(index=1, turn="T1"))
    pending_reply = PendingReply(
        turn="T1",
        kind=ReplyKind.ANSWER,
        covers=frozenset({0}),
        parts=("a",),
        send_attempts=(1,),
        ownership_epoch=0,
        frozen_at=NOON,
        verify_not_before=UNIX_EPOCH,
    )
    harness.check(pending_reply=pending_reply)

    harness.sweep()

    assert harness.messages_queue.messages == [unsettled]


def test_of_an_unknown_conversation_only_the_young_messages_are_queued(harness: Harness) -> None:
    harness.twilio.add(
        message_added(conversation_sid=sid("CH", 9), index=0, at=NOON - timedelta(hours=2)),
        message_added(conversation_sid=sid("CH", 9), index=1, at=NOON - timedelta(minutes=2)),
    )
    harness.new = [sid("CH", 9)]

    harness.sweep()

    assert [message.index for message in harness.messages_queue.messages] == [1]


def test_of_many_new_conversations_the_oldest_are_listed_first_and_a_due_check_still_has_its_turn(
    harness: Harness,
) -> None:
    harness.new = [sid("CH", number) for number in range(250, 100, -1)]
    harness.check(sid("CH", 1))

    swept = harness.sweep(max_requests=12)

    assert harness.listed == [*(sid("CH", number) for number in range(101, 106)), sid("CH", 1)]
    assert swept.requests == 2 + 6


@pytest.mark.parametrize(("max_requests", "limit"), [(60, 1500), (40, 1000), (3, 100)])
def test_new_conversations_are_as_young_as_an_event_may_be_and_take_a_quarter_of_the_requests(
    harness: Harness, max_requests: int, limit: int
) -> None:
    harness.sweep(max_requests=max_requests)

    assert harness.asked_for_new == (NOON - timedelta(hours=1), limit)


@pytest.mark.parametrize(("new", "requests"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_each_hundred_new_conversations_cost_a_request(harness: Harness, new: int, requests: int) -> None:
    harness.new = [sid("CH", number) for number in range(new)]
    for each in harness.new:
        harness.checks.track(each, now=NOON)

    assert harness.sweep().requests == requests


@pytest.mark.parametrize(("seconds", "is_queued"), [(0, True), (1, False)])
def test_a_message_is_given_up_when_it_is_older_than_a_day(harness: Harness, seconds: int, *, is_queued: bool) -> None:
    message = message_added(index=0, at=NOON - timedelta(days=1, seconds=seconds))
    harness.twilio.add(message)
    harness.check()

    harness.sweep()

    assert harness.messages_queue.messages == ([message] if is_queued else [])


def test_a_message_in_a_gap_from_long_before_our_first_webhook_is_left_alone(harness: Harness) -> None:
    harness.twilio.add(message_added(index=0, at=NOON - timedelta(hours=2)), message_added(index=1))
    harness.check(coverage=Coverage(low_watermark=1, gaps={0: NOON}), first_seen_at=NOON)

    harness.sweep()

    assert harness.messages_queue.messages == []


@pytest.mark.parametrize(("number", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 15), (10, 15), (10**9, 15)])
def test_the_time_between_checks_doubles_up_to_a_quarter_of_an_hour_however_many_there_were(
    harness: Harness, number: int, minutes: int
) -> None:
    harness.check(number=number)

    swept = harness.sweep()

    assert harness.next_check() == NOON + timedelta(minutes=minutes)
    assert swept.failures == ()


def test_a_conversation_is_checked_for_a_day_after_its_last_activity(harness: Harness) -> None:
    harness.checks.is_active(CONVERSATION)

    harness.sweep_for(minutes=3 * 24 * 60)

    minutes = [(at - NOON) // timedelta(minutes=1) for at in harness.checks.made[CONVERSATION]]
    assert minutes[:7] == [1, 2, 4, 8, 16, 31, 46]
    assert minutes[-1] in range(24 * 60, 24 * 60 + 16)
    assert harness.next_check() is None


def test_activity_every_half_minute_does_not_put_a_check_off(harness: Harness) -> None:
    for half_minute in range(20):
        harness.checks.is_active(CONVERSATION)
        harness.clock.move(seconds=30)
        if half_minute % 2:
            harness.sweep()

    assert len(harness.checks.made[CONVERSATION]) == 10


def test_activity_brings_the_check_of_a_quiet_conversation_nearer(harness: Harness) -> None:
    harness.check(number=10)
    harness.sweep()
    harness.clock.move(seconds=60)

    harness.checks.is_active(CONVERSATION)
    harness.sweep_for(minutes=2)

    assert harness.checks.made[CONVERSATION][1:] == [NOON + timedelta(minutes=2), NOON + timedelta(minutes=3)]


PASSES = [Transient("429")]
DOES_NOT = [Permanent("404"), ValueError("a malformed list"), OverflowError("2**41"), KeyError("index")]
METHODS = ["read", "message_pages", "send_again", "postpone"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("error", [*PASSES, *DOES_NOT], ids=repr)
def test_an_error_of_one_conversation_ends_its_own_check_alone_and_does_not_leave_it_first_in_line(
    harness: Harness, method: str, error: Exception
) -> None:
    one, other = sid("CH", 1), sid("CH", 2)
    harness.twilio.add(message_added(conversation_sid=one), message_added(conversation_sid=other))
    harness.check(one, due_for=timedelta(hours=1))
    harness.check(other)
    harness.errors[method, one] = error

    swept = harness.sweep()

    assert message_added(conversation_sid=other) in harness.messages_queue.messages
    assert harness.next_check(other) == NOON + timedelta(minutes=1)
    assert {failure.conversation_sid for failure in swept.failures} == {one}
    assert swept.failures[0].error is error
    assert swept.is_complete
    assert not [check for check in harness.due(now=NOON, limit=10) if check.conversation_sid == one]


def test_a_check_that_fails_in_every_way_stays_due_and_ends_no_sweep(harness: Harness) -> None:
    harness.check(sid("CH", 1))
    harness.check(sid("CH", 2))
    for method in ("read", "put_off", "postpone"):
        harness.errors[method, sid("CH", 1)] = ValueError("surprise")

    swept = harness.sweep()

    assert [failure.conversation_sid for failure in swept.failures] == [sid("CH", 1)] * 2
    assert harness.checks.made.keys() == {sid("CH", 2)}
    harness.sweep_for(minutes=10)
    assert harness.sweep().oldest_due == timedelta(minutes=10)


def test_a_check_that_failed_for_a_while_does_not_count_and_comes_again_in_a_minute(harness: Harness) -> None:
    harness.check(number=1)
    harness.errors["message_pages", CONVERSATION] = Transient("503")

    harness.sweep_for(minutes=30)
    harness.errors.clear()
    harness.sweep_for(minutes=1)

    assert harness.checks.made[CONVERSATION] == [NOON + timedelta(minutes=31)]
    assert harness.next_check() == NOON + timedelta(minutes=33)


def test_where_two_checks_of_a_conversation_are_due_one_look_serves_both_and_both_are_put_off(harness: Harness) -> None:
    harness.check()
    tracked = harness.checks.tracked[CONVERSATION]
    harness.checks.tracked[CONVERSATION] = replace(tracked, next_check=NOON, number=3)
    harness.errors["message_pages", CONVERSATION] = Transient("503")

    swept = harness.sweep()

    assert (swept.checked, swept.left) == (1, 0)
    assert harness.due(now=NOON, limit=10) == []


@pytest.mark.parametrize("error", [*PASSES, *DOES_NOT], ids=repr)
def test_a_conversation_that_can_never_be_listed_is_given_up_after_a_day(harness: Harness, error: Exception) -> None:
    harness.check()
    harness.errors["message_pages", CONVERSATION] = error

    harness.sweep_for(minutes=25 * 60)

    assert harness.next_check() is None


@pytest.mark.parametrize("method", ["message_pages", "send_again", "track"])
@pytest.mark.parametrize("error", [*PASSES, *DOES_NOT], ids=repr)
def test_an_error_of_one_new_conversation_ends_its_own_check_alone(
    harness: Harness, method: str, error: Exception
) -> None:
    harness.new = [sid("CH", 9), sid("CH", 8)]
    harness.twilio.add(*(message_added(conversation_sid=sid("CH", number)) for number in (8, 9)))
    harness.errors[method, sid("CH", 8)] = error

    swept = harness.sweep()

    assert message_added(conversation_sid=sid("CH", 9)) in harness.messages_queue.messages
    assert [failure.conversation_sid for failure in swept.failures] == [sid("CH", 8)]
    assert (sid("CH", 8) in harness.checks.tracked) is (method != "track")


@pytest.mark.parametrize("method", ["new_conversations", "untracked"])
@pytest.mark.parametrize("error", [*PASSES, *DOES_NOT], ids=repr)
def test_where_new_conversations_cannot_be_listed_what_is_due_is_checked(
    harness: Harness, method: str, error: Exception
) -> None:
    harness.check()
    harness.errors[method, ""] = error

    swept = harness.sweep(max_requests=8)

    assert harness.listed == [CONVERSATION]
    assert swept.requests <= 8
    assert not swept.is_complete


@pytest.mark.parametrize("error", [*PASSES, *DOES_NOT], ids=repr)
def test_where_the_due_checks_cannot_be_listed_new_conversations_are_read(harness: Harness, error: Exception) -> None:
    harness.new = [sid("CH", 9)]
    harness.errors["due", ""] = error

    swept = harness.sweep()

    assert harness.listed == [sid("CH", 9)]
    assert not swept.is_complete


def test_a_list_of_several_pages_counts_as_several_requests(harness: Harness) -> None:
    harness.twilio.add(*(message_added(index=index) for index in range(250)))
    harness.check()
    harness.check(sid("CH", 2))

    swept = harness.sweep(max_requests=12)

    assert harness.listed == [CONVERSATION] * 3 + [sid("CH", 2)]
    assert swept.requests == 1 + 4
    assert len(harness.messages_queue.messages) == 250


def test_a_list_for_which_no_requests_are_left_is_listed_by_the_next_sweep(harness: Harness) -> None:
    lost = [message_added(index=index, conversation_sid=sid("CH", 9)) for index in range(150)]
    harness.twilio.add(*lost)
    for number in range(1, 10):
        harness.check(sid("CH", number), due_for=timedelta(minutes=20 - number))

    swept = harness.sweep(max_requests=10)

    assert (swept.requests, swept.left) == (10, 1)
    assert harness.messages_queue.messages == []
    harness.sweep(max_requests=10)
    assert harness.messages_queue.messages == lost


def test_a_list_ends_where_its_messages_are_given_up(harness: Harness) -> None:
    yesterday = [message_added(index=index, at=NOON - timedelta(days=2)) for index in range(900)]
    lost = message_added(index=900)
    harness.twilio.add(*yesterday, lost)
    harness.check()

    harness.sweep()

    assert harness.messages_queue.messages == [lost]
    assert len(harness.listed) == 1


def test_a_list_without_end_takes_a_quarter_of_the_requests(harness: Harness) -> None:
    harness.twilio.add(*(message_added(index=index) for index in range(2000)))
    harness.check()
    harness.check(sid("CH", 2))

    harness.sweep(max_requests=40)

    assert harness.listed == [CONVERSATION] * 10 + [sid("CH", 2)]


def test_a_sweep_sends_at_most_max_requests_and_leaves_the_other_checks_due(harness: Harness) -> None:
    for number in range(1, 9):
        harness.check(sid("CH", number))

    swept = harness.sweep(max_requests=5)

    assert swept.requests == 5
    assert (swept.checked, swept.left) == (4, 1)
    assert len(harness.checks.made) == 4


def test_where_more_is_due_than_a_sweep_may_check_the_youngest_go_first_and_a_tenth_are_the_longest_due(
    harness: Harness,
) -> None:
    for number in range(1, 201):
        harness.check(sid("CH", number), number=10, due_for=timedelta(hours=20) - timedelta(minutes=number))
    for number in range(300, 320):
        harness.check(sid("CH", number), number=number % 3)

    harness.sweep(max_requests=41)

    longest_due = [sid("CH", number) for number in range(1, 5)]
    assert harness.listed[:4] == longest_due
    assert [int(each[2:]) % 3 for each in harness.listed[4:24]] == [0] * 7 + [1] * 7 + [2] * 6
    assert harness.listed[24:] == [sid("CH", number) for number in range(5, 21)]


@pytest.mark.parametrize(("seconds", "checked"), [(51, 4), (52, 5), (55, 5)])
def test_no_check_begins_within_twelve_seconds_of_the_deadline(harness: Harness, seconds: int, checked: int) -> None:
    harness.list_seconds = 10
    harness.new = [sid("CH", 9)]
    for number in range(1, 9):
        harness.check(sid("CH", number))

    swept = harness.sweep(seconds=seconds)

    assert harness.clock() == NOON + timedelta(seconds=10 * checked)
    assert (swept.checked, swept.left) == (checked, 9 - checked)


def test_checks_run_side_by_side_and_share_the_requests(harness: Harness) -> None:
    harness.wait_for_others = Barrier(4).wait
    for number in range(1, 9):
        harness.check(sid("CH", number))

    with ThreadPoolExecutor(max_workers=4) as threads:
        swept = harness.sweep(max_requests=9, run_all=threads.map)

    assert sorted(harness.listed) == [sid("CH", number) for number in range(1, 9)]
    assert swept.requests == 9


def test_the_age_of_the_oldest_due_check_is_reported(harness: Harness) -> None:
    harness.check(sid("CH", 1), number=10, due_for=timedelta(minutes=11))
    harness.check(sid("CH", 2))

    assert harness.sweep().oldest_due == timedelta(minutes=11)
    assert harness.sweep().oldest_due == timedelta(0)


HALF_AN_HOUR = timedelta(minutes=30)


def test_a_human_keeps_a_conversation_for_ever_where_no_time_is_set(harness: Harness) -> None:
    harness.human_takes()

    harness.sweep_for(minutes=2 * 24 * 60)

    assert harness.owner() is Owner.HUMAN
    assert harness.next_check() is None


@pytest.mark.parametrize("after", [timedelta(minutes=1), HALF_AN_HOUR, timedelta(hours=20), timedelta(days=3)], ids=str)
def test_a_conversation_is_handed_back_within_a_minute_of_the_time(harness: Harness, after: timedelta) -> None:
    harness.hand_back_after = after
    harness.human_takes()

    harness.sweep_for(minutes=after // timedelta(minutes=1) - 1)
    before = harness.owner()
    harness.sweep_for(minutes=2)

    assert (before, harness.owner()) == (Owner.HUMAN, Owner.ASSISTANT)


def test_what_was_left_to_the_human_and_what_was_lost_are_queued_once_in_order_when_it_is_handed_back(
    harness: Harness,
) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    left, lost = message_added(index=0), message_added(index=1)
    harness.human_takes()
    harness.leave_to_the_human(left)
    harness.clock.move(seconds=30 * 60)
    harness.twilio.add(lost)

    swept = harness.sweep()

    assert (swept.handed_back, swept.found) == ((CONVERSATION,), 2)
    assert harness.messages_queue.messages == [left, lost]
    assert harness.store.items[CONVERSATION].left_to_human == frozenset()


@pytest.mark.parametrize("error", [Transient("SQS"), KeyError("a bug")], ids=repr)
def test_what_could_not_be_queued_after_a_hand_back_is_queued_by_the_next_check_however_old_it_is(
    harness: Harness, error: Exception
) -> None:
    harness.hand_back_after = timedelta(days=3)
    left = [message_added(index=index) for index in range(150)]
    harness.human_takes()
    harness.leave_to_the_human(*left)
    harness.sweep_for(minutes=3 * 24 * 60 - 1)
    harness.errors["send_again", CONVERSATION] = error
    harness.clock.move(seconds=60)
    swept = harness.sweep()
    harness.errors.clear()

    harness.sweep_for(minutes=1)

    assert (swept.handed_back, len(swept.failures)) == ((CONVERSATION,), 1)
    assert harness.messages_queue.messages == left


def test_the_time_counts_from_the_humans_last_word(harness: Harness) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    harness.human_takes(index=0)
    harness.sweep_for(minutes=20)
    harness.human_takes(index=1)
    harness.twilio.add(from_human(index=0), from_human(index=1, at=harness.clock()))

    harness.sweep_for(minutes=29)
    before = harness.owner()
    harness.sweep_for(minutes=1)

    assert (before, harness.owner()) == (Owner.HUMAN, Owner.ASSISTANT)


def test_a_customer_who_writes_on_does_not_put_the_hand_back_off(harness: Harness) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    harness.human_takes()
    for index in range(10):
        harness.leave_to_the_human(message_added(index=index, at=harness.clock()))
        harness.sweep_for(minutes=3)

    assert harness.owner() is Owner.ASSISTANT
    assert [message.index for message in harness.messages_queue.messages] == list(range(10))


@pytest.mark.parametrize("said_before", [timedelta(minutes=1), timedelta(minutes=40)], ids=str)
def test_a_humans_word_that_no_webhook_told_is_applied_before_anything_is_handed_back(
    harness: Harness, said_before: timedelta
) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    harness.human_takes()
    harness.clock.move(seconds=60 * 60)
    word = from_human(index=0, at=harness.clock() - said_before)
    harness.twilio.add(word)

    swept = harness.sweep()

    assert (harness.owner(), swept.handed_back) == (Owner.HUMAN, ())
    assert harness.lifecycle_queue.messages == [word]


def test_a_humans_word_that_is_given_up_keeps_the_conversation_theirs_for_its_time(harness: Harness) -> None:
    harness.hand_back_after = timedelta(days=3)
    harness.human_takes()
    harness.clock.move(seconds=3 * 24 * 60 * 60)
    harness.twilio.add(from_human(index=0, at=harness.clock() - timedelta(days=2)))

    harness.sweep()

    assert harness.owner() is Owner.HUMAN
    harness.sweep_for(minutes=24 * 60 + 15)
    assert harness.owner() is Owner.ASSISTANT


def test_a_humans_word_whose_webhook_comes_between_the_list_and_the_write_prevents_the_hand_back(
    harness: Harness,
) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    harness.human_takes()
    harness.leave_to_the_human(message_added(index=0))
    harness.clock.move(seconds=30 * 60)
    harness.before_the_hand_back = lambda: harness.human_takes(index=1)

    swept = harness.sweep()

    assert (harness.owner(), swept.handed_back) == (Owner.HUMAN, ())
    assert harness.messages_queue.messages == []
    assert harness.next_check() == harness.clock() + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("reason", "closed"), [(OwnerReason.FAILURE, False), (OwnerReason.ATTRIBUTE, True)], ids=["failed", "closed"]
)
def test_a_failure_that_ends_by_itself_and_a_closed_conversation_are_not_handed_back(
    harness: Harness, reason: OwnerReason, *, closed: bool
) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    harness.human_takes()
    taken = harness.store.items[CONVERSATION]
    harness.store.items[CONVERSATION] = replace(taken, owner_reason=reason, closed=closed)

    harness.sweep_for(minutes=60)

    assert harness.owner() is Owner.HUMAN


def test_a_list_that_does_not_reach_what_was_left_hands_nothing_back(harness: Harness) -> None:
    harness.hand_back_after = HALF_AN_HOUR
    harness.human_takes()
    harness.leave_to_the_human(*(message_added(index=index) for index in range(150)))
    harness.clock.move(seconds=30 * 60)

    harness.sweep(max_requests=7)
    after_one_page = harness.owner()
    harness.sweep_for(minutes=1)

    assert (after_one_page, harness.owner()) == (Owner.HUMAN, Owner.ASSISTANT)
    assert len(harness.messages_queue.messages) == 150


def test_twilio_out_of_reach_puts_a_late_hand_back_off_and_does_not_cancel_it(harness: Harness) -> None:
    harness.hand_back_after = timedelta(days=3)
    harness.human_takes()
    harness.sweep_for(minutes=3 * 24 * 60 - 1)
    harness.errors["message_pages", CONVERSATION] = Transient("503")
    harness.sweep_for(minutes=10)
    harness.errors.clear()

    harness.sweep_for(minutes=1)

    assert harness.owner() is Owner.ASSISTANT
