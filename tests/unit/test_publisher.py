"""The publisher: a notice is published at least once, and removed only then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from switchboard.errors import Transient
from switchboard.notices import Notice, NoticeReason, NoticeType, notice_of_close
from switchboard.publisher import (
    FAILURES_TOGETHER,
    LEFT_TO_ITS_WORKER,
    MAX_NOTICES_AT_ONCE,
    MAX_NOTICES_PER_SWEEP,
    Publisher,
)
from switchboard.stores.memory import ConversationsInMemory
from tests.builders import NOON, Clock, sid
from tests.fakes.event_bus import EventBusInMemory


class Harness:
    def __init__(self) -> None:
        self.clock = Clock(NOON + LEFT_TO_ITS_WORKER)
        self.bus = EventBusInMemory()
        self.conversations = ConversationsInMemory()
        self.publisher = Publisher(notices=self.conversations, bus=self.bus, clock=self.clock)

    def close(self, *numbers: int, seconds: float = 0) -> list[Notice]:
        """Close conversations so long after noon, and return the notices that are due."""
        at = NOON + timedelta(seconds=seconds)
        for number in numbers:
            self.conversations.close(sid("CH", number), at=at)
        return [notice_of_close(sid("CH", number), at=at) for number in numbers]

    @property
    def left(self) -> list[Notice]:
        return list(self.conversations.notices.values())


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_what_was_published_is_no_longer_due(harness: Harness) -> None:
    notices = harness.close(1, 2)

    assert harness.publisher.publish(notices) == tuple(notices)

    assert harness.bus.published == notices
    assert harness.left == []


def test_what_the_bus_refused_stays_due_and_what_it_took_does_not(harness: Harness) -> None:
    first, second, third = harness.close(1, 2, 3)
    harness.bus.takes = lambda notice: notice != second

    with pytest.raises(Transient, match="refused 1"):
        harness.publisher.publish([first, second, third])

    assert harness.left == [second]


def test_a_bus_that_is_away_leaves_everything_due(harness: Harness) -> None:
    def refuse(_notice: Notice) -> bool:
        raise Transient("away")

    notices = harness.close(1, 2)
    harness.bus.takes = refuse

    with pytest.raises(Transient, match="away"):
        harness.publisher.publish(notices)

    assert harness.left == notices


def test_a_worker_that_dies_after_it_published_publishes_again(harness: Harness) -> None:
    notices = harness.close(1)
    harness.bus.publish(notices)

    harness.publisher.publish_due()

    assert harness.bus.published == notices * 2
    assert harness.left == []


def test_a_sweep_leaves_a_notice_to_its_worker_for_some_seconds(harness: Harness) -> None:
    harness.close(1, seconds=0.001)

    assert harness.publisher.publish_due() == ()

    harness.clock.move(seconds=0.001)
    assert len(harness.publisher.publish_due()) == 1


def test_a_sweep_publishes_the_oldest_first_and_no_more_than_its_limit(harness: Harness) -> None:
    late = harness.close(*range(1, 6), seconds=-60)
    early = harness.close(*range(6, 6 + MAX_NOTICES_PER_SWEEP), seconds=-120)

    published = harness.publisher.publish_due()

    assert set(published) == set(early)
    assert set(harness.left) == set(late)


def test_no_request_has_more_notices_than_put_events_takes(harness: Harness) -> None:
    sizes: list[int] = []

    class Counting(EventBusInMemory):
        def publish(self, notices: object, /) -> list[Notice]:
            assert isinstance(notices, tuple)
            sizes.append(len(notices))
            return super().publish(notices)

    publisher = Publisher(notices=harness.conversations, bus=Counting(), clock=harness.clock)
    publisher.publish(harness.close(*range(1, 25)))

    assert sizes == [MAX_NOTICES_AT_ONCE, MAX_NOTICES_AT_ONCE, 4]


def test_who_changed_a_conversation_publishes_what_is_due_of_it_and_of_no_other(harness: Harness) -> None:
    mine, _ = harness.close(1, 2)

    assert harness.publisher.publish_of([mine.conversation_sid]) == (mine,)


def failures(harness: Harness, *numbers: int, seconds: float = 0) -> list[Notice]:
    """Let turns fail so long after noon, and return the notices that are due."""
    found = [
        Notice(
            id=f"T{number:02}",
            type=NoticeType.TURN_FAILED,
            reason=NoticeReason.FELL_BACK,
            conversation_sid=sid("CH", number),
            at=NOON + timedelta(seconds=seconds),
            turn=f"T{number:02}",
        )
        for number in numbers
    ]
    harness.conversations.notices.update({notice.id: notice for notice in found})
    return found


def test_an_outage_is_one_notice_at_once_and_then_one_with_a_count(harness: Harness) -> None:
    (first,), others = failures(harness, 1), failures(harness, *range(2, 41), seconds=1)
    for failure in (first, *others):
        harness.publisher.publish([failure])
    for _ in range(9):
        harness.publisher.publish_due()
        harness.clock.move(seconds=60)
    assert harness.bus.published == [first]

    harness.clock.move(seconds=60)
    harness.publisher.publish_due()

    assert harness.bus.published == [first, replace(others[0], count=39)]
    assert harness.left == []


def test_a_failure_that_leads_anew_is_told_together_with_those_that_waited(harness: Harness) -> None:
    (first,), (waits,) = failures(harness, 1), failures(harness, 2, seconds=1)
    harness.publisher.publish([first])
    harness.publisher.publish([waits])
    harness.clock.move(seconds=FAILURES_TOGETHER.total_seconds())
    (leads,) = failures(harness, 3, seconds=FAILURES_TOGETHER.total_seconds())

    harness.publisher.publish([leads])

    assert harness.bus.published == [first, replace(leads, count=2)]
    assert harness.left == []


def test_a_failure_that_is_alone_is_told_at_once_also_ten_minutes_later(harness: Harness) -> None:
    for number in (1, 2):
        harness.publisher.publish(failures(harness, number))
        harness.clock.move(seconds=FAILURES_TOGETHER.total_seconds())

    assert [(notice.id, notice.count) for notice in harness.bus.published] == [("T01", 1), ("T02", 1)]


def test_a_failure_whose_worker_died_before_it_told_is_told_by_the_next_sweep_with_those_that_followed(
    harness: Harness,
) -> None:
    def refuse(_notice: Notice) -> bool:
        raise Transient("away")

    first, second = failures(harness, 1, 2)
    harness.bus.takes = refuse
    with pytest.raises(Transient):
        harness.publisher.publish([first])
    harness.publisher.publish([second])
    harness.bus.takes = lambda _notice: True

    harness.publisher.publish_due()

    assert harness.bus.published == [replace(first, count=2)]
    assert harness.left == []


def test_failed_deliveries_are_told_together_and_apart_from_failed_turns(harness: Harness) -> None:
    turns = failures(harness, 1, 2)
    deliveries = [
        replace(each, id=f"D{each.id}", type=NoticeType.DELIVERY_FAILED, reason=NoticeReason.BLOCKED) for each in turns
    ]
    harness.conversations.notices.update({each.id: each for each in deliveries})

    harness.publisher.publish([*turns, *deliveries])

    assert harness.bus.published == [replace(each, count=2) for each in (turns[0], deliveries[0])]
    assert harness.left == []


def test_what_a_lifecycle_event_made_due_is_published_at_once_a_failed_delivery_too(harness: Harness) -> None:
    (turn,) = failures(harness, 1)
    failed = replace(turn, id="D", type=NoticeType.DELIVERY_FAILED, reason=NoticeReason.UNREACHABLE)
    harness.conversations.notices[failed.id] = failed

    assert failed in harness.publisher.publish_of([failed.conversation_sid])


def test_failures_hold_up_no_other_notice(harness: Harness) -> None:
    failures(harness, *range(1, 31), seconds=-60)
    handed_back = harness.close(90)

    published = harness.publisher.publish_due()

    assert published[0] == handed_back[0]
    assert [(notice.type, notice.count) for notice in published[1:]] == [(NoticeType.TURN_FAILED, 30)]
