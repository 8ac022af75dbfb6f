"""What a sweep queues, what it leaves alone, and when it looks again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from switchboard.conversation import UNIX_EPOCH, Conversation, Coverage, PendingReply, ReplyKind
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded
from switchboard.ports import DueCheck
from switchboard.sweeper import SweepResult, sweep
from tests.builders import CONVERSATION, NOON, Clock, from_assistant, from_human, message_added, sid
from tests.fakes.twilio import TwilioInMemory


@dataclass
class QueueList:
    messages: list[MessageAdded] = field(default_factory=list)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.messages += messages


@dataclass
class Harness:
    """The sweeper's ports. `new` are the new conversations at Twilio; `listed` those whose messages were listed."""

    clock: Clock = field(default_factory=Clock)
    twilio: TwilioInMemory = field(default_factory=lambda: TwilioInMemory(clock=Clock()))
    checks: list[DueCheck] = field(default_factory=list)
    postponed: dict[str, datetime | None] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    tracked: list[str] = field(default_factory=list)
    list_errors: dict[str, Exception] = field(default_factory=dict)
    messages_queue: QueueList = field(default_factory=QueueList)
    lifecycle_queue: QueueList = field(default_factory=QueueList)

    def sweep(self, *, max_requests: int = 60) -> SweepResult:
        return sweep(
            checks=self,
            conversations=self,
            messages=self,
            messages_queue=self.messages_queue,
            lifecycle_queue=self.lifecycle_queue,
            clock=self.clock,
            max_event_age=timedelta(hours=1),
            max_requests=max_requests,
        )

    def check(
        self,
        conversation_sid: str = CONVERSATION,
        *,
        number: int = 0,
        coverage: Coverage | None = None,
        first_seen_at: datetime = UNIX_EPOCH,
        pending_reply: PendingReply | None = None,
    ) -> None:
        self.checks.append(
            DueCheck(
                conversation=Conversation(
                    sid=conversation_sid,
                    first_seen_at=first_seen_at,
                    coverage=coverage or Coverage(),
                    pending_reply=pending_reply,
                ),
                number=number,
                activity=NOON - timedelta(minutes=2**number),
                due=NOON,
            )
        )

    def due(self, *, now: datetime, limit: int) -> list[DueCheck]:
        return [check for check in self.checks if check.due <= now][:limit]

    def is_known(self, sid: str) -> bool:
        return any(check.conversation.sid == sid for check in self.checks)

    def track(self, sid: str, *, now: datetime) -> None:
        assert now
        self.tracked.append(sid)

    def postpone(self, check: DueCheck, *, until: datetime | None) -> None:
        self.postponed[check.conversation.sid] = until

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self.listed.append(conversation_sid)
        if conversation_sid in self.list_errors:
            raise self.list_errors[conversation_sid]
        return self.twilio.list_messages(conversation_sid, from_index=from_index)

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        assert since
        return self.new[:limit]


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


def test_a_humans_message_whose_webhook_was_lost_goes_to_the_lifecycle_queue(harness: Harness) -> None:
    lost = from_human(index=0)
    harness.twilio.add(lost)
    harness.check()

    harness.sweep()

    assert (harness.messages_queue.messages, harness.lifecycle_queue.messages) == ([], [lost])


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
    assert harness.tracked == [sid("CH", 9)]


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


def test_a_new_conversation_whose_list_failed_is_not_tracked_and_so_listed_again(harness: Harness) -> None:
    harness.new = [sid("CH", 9)]
    harness.list_errors[sid("CH", 9)] = Transient("away")

    harness.sweep()

    assert harness.tracked == []


def test_of_an_unknown_conversation_only_the_young_messages_are_queued(harness: Harness) -> None:
    harness.twilio.add(
        message_added(conversation_sid=sid("CH", 9), index=0, at=NOON - timedelta(hours=2)),
        message_added(conversation_sid=sid("CH", 9), index=1, at=NOON - timedelta(minutes=2)),
    )
    harness.new = [sid("CH", 9)]

    harness.sweep()

    assert [message.index for message in harness.messages_queue.messages] == [1]


@pytest.mark.parametrize(("number", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 15), (10, 15)])
def test_the_pauses_between_checks_double_up_to_a_quarter_of_an_hour(
    harness: Harness, number: int, minutes: int
) -> None:
    harness.check(number=number)
    harness.checks[0] = DueCheck(
        conversation=harness.checks[0].conversation, number=number, activity=NOON - timedelta(hours=1), due=NOON
    )

    harness.sweep()

    assert harness.postponed == {CONVERSATION: NOON + timedelta(minutes=minutes)}


def test_after_a_day_without_activity_there_is_no_next_check(harness: Harness) -> None:
    harness.check()
    harness.clock.move(seconds=86_400)

    harness.sweep()

    assert harness.postponed == {CONVERSATION: None}


def test_of_many_new_conversations_the_oldest_are_listed_first_and_a_due_check_still_has_its_turn(
    harness: Harness,
) -> None:
    harness.new = [sid("CH", number) for number in range(250, 100, -1)]
    harness.check(sid("CH", 1))

    swept = harness.sweep(max_requests=12)

    assert harness.listed == [*(sid("CH", number) for number in range(101, 106)), sid("CH", 1)]
    assert swept.requests == 2 + 6


def test_a_list_of_several_pages_counts_as_several_requests(harness: Harness) -> None:
    harness.twilio.add(*(message_added(index=index) for index in range(250)))
    harness.check()
    harness.check(sid("CH", 2))

    assert harness.sweep(max_requests=4).requests == 1 + 3
    assert sid("CH", 2) not in harness.postponed


def test_a_sweep_sends_at_most_max_requests_and_leaves_the_other_checks_due(harness: Harness) -> None:
    for number in range(1, 9):
        harness.check(sid("CH", number))

    swept = harness.sweep(max_requests=5)

    assert swept.requests == 5
    assert len(harness.postponed) == 4


def test_a_message_in_a_gap_from_long_before_our_first_webhook_is_left_alone(harness: Harness) -> None:
    harness.twilio.add(message_added(index=0, at=NOON - timedelta(hours=2)), message_added(index=1))
    harness.check(coverage=Coverage(low_watermark=1, gaps={0: NOON}), first_seen_at=NOON)

    harness.sweep()

    assert harness.messages_queue.messages == []


def test_a_check_whose_list_failed_stays_due_and_does_not_stop_the_sweep(harness: Harness) -> None:
    harness.check(sid("CH", 1))
    harness.check(sid("CH", 2))
    harness.list_errors = {sid("CH", 1): Transient("500")}

    swept = harness.sweep()

    assert swept.failed == 1
    assert list(harness.postponed) == [sid("CH", 2)]


def test_a_check_of_a_conversation_that_twilio_has_deleted_is_postponed_and_does_not_stop_the_sweep(
    harness: Harness,
) -> None:
    harness.check(sid("CH", 1))
    harness.new = [sid("CH", 8)]
    harness.list_errors = {sid("CH", 1): Permanent("404"), sid("CH", 8): Permanent("404")}

    swept = harness.sweep()

    assert swept.failed == 2
    assert list(harness.postponed) == [sid("CH", 1)]
