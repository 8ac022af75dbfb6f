"""What a sweep finds again, and what it leaves alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from switchboard.conversation import UNIX_EPOCH, Conversation, Coverage, PendingReply, ReplyKind
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded
from switchboard.ports import DueCheck
from switchboard.sweeper import SweepResult, sweep
from tests.builders import CONVERSATION, NOON, Clock, from_human, from_assistant, message_added, sid
from tests.fakes.twilio import TwilioInMemory


@dataclass
class QueueList:
    messages: list[MessageAdded] = field(default_factory=list)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.messages += messages


@dataclass
class Harness:
    clock: Clock = field(default_factory=Clock)
    twilio: TwilioInMemory = field(default_factory=lambda: TwilioInMemory(clock=Clock()))
    checks: list[DueCheck] = field(default_factory=list)
    postponed: dict[str, datetime | None] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    unreadable: dict[str, Exception] = field(default_factory=dict)
    words: QueueList = field(default_factory=QueueList)
    events: QueueList = field(default_factory=QueueList)

    def sweep(self, *, max_requests: int = 60) -> SweepResult:
        return sweep(
            checks=self,
            conversations=self,
            messages=self,
            messages_queue=self.words,
            lifecycle_queue=self.events,
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
        self.met.append(sid)

    def postpone(self, check: DueCheck, *, until: datetime | None) -> None:
        self.postponed[check.conversation.sid] = until

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self.looked_at.append(conversation_sid)
        if conversation_sid in self.unreadable:
            raise self.unreadable[conversation_sid]
        return self.twilio.list_messages(conversation_sid, from_index=from_index)

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        assert since
        return self.created[:limit]


@pytest.fixture
def house() -> Harness:
    return Harness()


def test_a_message_whose_webhook_was_lost_is_queued(house: Harness) -> None:
    lost = message_added(index=0)
    house.twilio.has(lost)
    house.check()

    swept = house.sweep()

    assert house.words.messages == [lost]
    assert swept.found == 1


def test_what_is_answered_and_what_we_said_is_left_alone(house: Harness) -> None:
    house.twilio.has(message_added(index=0), from_assistant(index=1, turn="T1"))
    house.check(coverage=Coverage(low_watermark=1))

    swept = house.sweep()

    assert (house.words.messages, house.events.messages, swept.found) == ([], [], 0)


def test_a_hole_below_the_floor_is_found(house: Harness) -> None:
    lost = message_added(index=1)
    house.twilio.has(message_added(index=0), lost, message_added(index=2))
    house.check(coverage=Coverage(low_watermark=2, gaps={1: NOON}))

    house.sweep()

    assert house.words.messages == [lost]


def test_a_colleagues_unheard_message_takes_the_lifecycle_queue(house: Harness) -> None:
    unheard = from_human(index=0)
    house.twilio.has(unheard)
    house.check()

    house.sweep()

    assert (house.words.messages, house.events.messages) == ([], [unheard])


def test_what_a_human_handed_back_is_queued_until_it_is_answered(house: Harness) -> None:
    waits = message_added(index=0)
    house.twilio.has(waits)
    house.check(coverage=Coverage(low_watermark=0, requeued=frozenset({0})))

    house.sweep()

    assert house.words.messages == [waits]


def test_a_conversation_whose_every_webhook_was_lost_is_found(house: Harness) -> None:
    stranger = message_added(conversation_sid=sid("CH", 9))
    house.twilio.has(stranger)
    house.created = [sid("CH", 9)]

    house.sweep()

    assert house.words.messages == [stranger]
    assert house.met == [sid("CH", 9)]


def test_where_the_table_was_lost_what_we_answered_is_left_alone(house: Harness) -> None:
    answered, waits = (message_added(conversation_sid=sid("CH", 9), index=index) for index in (0, 2))
    house.twilio.has(answered, from_assistant(index=1, turn="T1", conversation_sid=sid("CH", 9)), waits)
    house.created = [sid("CH", 9)]

    house.sweep()

    assert house.words.messages == [waits]


def test_a_first_reply_that_is_not_settled_hides_no_message(house: Harness) -> None:
    waits = message_added(index=0)
    house.twilio.has(waits, from_assistant(index=1, turn="T1"))
    pending_reply = PendingReply(
        turn="T1",
        kind=ReplyKind.ANSWER,
        covers=frozenset({0}),
        parts=("a",),
        send_attempts=(1,),
        ownership_epoch=0,
        verify_not_before=UNIX_EPOCH,
    )
    house.check(pending_reply=pending_reply)

    house.sweep()

    assert house.words.messages == [waits]


def test_a_new_conversation_that_cannot_be_read_is_looked_at_again(house: Harness) -> None:
    house.created = [sid("CH", 9)]
    house.unreadable[sid("CH", 9)] = Transient("away")

    house.sweep()

    assert house.met == []


def test_of_a_conversation_never_seen_only_the_young_messages_are_work(house: Harness) -> None:
    house.twilio.has(
        message_added(conversation_sid=sid("CH", 9), index=0, at=NOON - timedelta(hours=2)),
        message_added(conversation_sid=sid("CH", 9), index=1, at=NOON - timedelta(minutes=2)),
    )
    house.created = [sid("CH", 9)]

    house.sweep()

    assert [message.index for message in house.words.messages] == [1]


@pytest.mark.parametrize(("number", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 15), (10, 15)])
def test_the_pauses_between_checks_double_up_to_a_quarter_of_an_hour(house: Harness, number: int, minutes: int) -> None:
    house.check(number=number)
    house.checks[0] = DueCheck(
        conversation=house.checks[0].conversation, number=number, activity=NOON - timedelta(hours=1), due=NOON
    )

    house.sweep()

    assert house.postponed == {CONVERSATION: NOON + timedelta(minutes=minutes)}


def test_after_a_day_without_activity_nobody_looks_any_more(house: Harness) -> None:
    house.check()
    house.clock.move(seconds=86_400)

    house.sweep()

    assert house.postponed == {CONVERSATION: None}


def test_of_many_new_conversations_the_oldest_are_looked_at_first_and_what_is_due_is_not_forgotten(
    house: Harness,
) -> None:
    house.created = [sid("CH", number) for number in range(250, 100, -1)]
    house.check(sid("CH", 1))

    swept = house.sweep(max_requests=12)

    assert house.looked_at == [*(sid("CH", number) for number in range(101, 106)), sid("CH", 1)]
    assert swept.requests == 2 + 6


def test_a_long_list_counts_for_its_pages(house: Harness) -> None:
    house.twilio.has(*(message_added(index=index) for index in range(250)))
    house.check()
    house.check(sid("CH", 2))

    assert house.sweep(max_requests=4).requests == 1 + 3
    assert sid("CH", 2) not in house.postponed


def test_a_run_sends_no_more_requests_than_it_may_and_leaves_the_rest_due(house: Harness) -> None:
    for number in range(1, 9):
        house.check(sid("CH", number))

    swept = house.sweep(max_requests=5)

    assert swept.requests == 5
    assert len(house.postponed) == 4


def test_a_hole_from_long_before_we_heard_of_the_conversation_is_history(house: Harness) -> None:
    house.twilio.has(message_added(index=0, at=NOON - timedelta(hours=2)), message_added(index=1))
    house.check(coverage=Coverage(low_watermark=1, gaps={0: NOON}), first_seen_at=NOON)

    house.sweep()

    assert house.words.messages == []


def test_a_conversation_that_cannot_be_read_stays_due_and_holds_up_nobody(house: Harness) -> None:
    house.check(sid("CH", 1))
    house.check(sid("CH", 2))
    house.unreadable = {sid("CH", 1): Transient("500")}

    swept = house.sweep()

    assert swept.failed == 1
    assert list(house.postponed) == [sid("CH", 2)]


def test_a_conversation_that_is_gone_at_twilio_is_put_off_and_holds_up_nobody(house: Harness) -> None:
    house.check(sid("CH", 1))
    house.created = [sid("CH", 8)]
    house.unreadable = {sid("CH", 1): Permanent("404"), sid("CH", 8): Permanent("404")}

    swept = house.sweep()

    assert swept.failed == 2
    assert list(house.postponed) == [sid("CH", 1)]
