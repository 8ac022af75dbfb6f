"""The notices that are due, on DynamoDB (moto) and in memory: stored by the write that decides, and not otherwise."""

from dataclasses import replace
from datetime import timedelta

import pytest

from switchboard.conversation import OwnerReason, RefusalRule, TurnOutcome
from switchboard.events import Owner
from switchboard.notices import Notice, NoticeReason, NoticeType
from switchboard.ports import Fenced
from tests.builders import CONVERSATION, NOON, delivery_failed, sid
from tests.dynamodb import LATER, RECORD, REPLY, Store, claim, settlement

NOTICE = Notice(
    id="T1",
    type=NoticeType.HUMAN_NEEDED,
    reason=NoticeReason.HANDOFF,
    conversation_sid=CONVERSATION,
    at=NOON,
    turn="T1",
)


def due(store: Store) -> list[Notice]:
    return list(store.due_notices(before=LATER + timedelta(hours=1), limit=10))


def test_a_settle_stores_its_notice(store: Store) -> None:
    claimed = claim(store)

    store.settle(
        claimed,
        settlement(claimed.coverage.with_handled({0}, now=NOON), human_because=OwnerReason.HANDOFF, notice=NOTICE),
    )

    assert due(store) == [NOTICE]
    assert claim(store, worker="two", seconds=1).owner_reason is OwnerReason.HANDOFF


def test_a_settle_that_is_fenced_stores_no_notice(store: Store) -> None:
    claimed = claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)

    with pytest.raises(Fenced):
        store.settle(claimed, settlement(claimed.coverage, notice=NOTICE))

    assert due(store) == []


def test_a_settle_that_is_repeated_makes_one_notice_due(store: Store) -> None:
    claimed = claim(store)

    for _ in range(2):
        store.settle(claimed, settlement(claimed.coverage, notice=NOTICE))

    assert due(store) == [NOTICE]


def test_a_refusal_stores_its_notice_unless_it_is_fenced(store: Store) -> None:
    claimed = claim(store)
    record = replace(RECORD, parts=(), outcome=TurnOutcome.REFUSED, rule=RefusalRule.TOO_OLD, kind=None)

    store.refuse(claimed, record, coverage=claimed.coverage, notice=NOTICE)
    store.remove_notices([NOTICE])
    store.close(sid("CH", 2), at=LATER)
    second = claim(store, worker="two", seconds=1)
    store.take_over(CONVERSATION, index=None, at=LATER)
    with pytest.raises(Fenced):
        store.refuse(second, record, coverage=claimed.coverage, notice=NOTICE)

    assert [notice.type for notice in due(store)] == [NoticeType.CONVERSATION_CLOSED]


def test_a_hand_back_of_a_humans_conversation_is_due_and_returns_what_waits_again(store: Store) -> None:
    store.take_over(CONVERSATION, index=None, at=NOON)
    claimed = claim(store)
    store.refuse(claimed, RECORD, coverage=claimed.coverage.with_handled({0}, now=NOON), left_to_human=frozenset({0}))

    requeued = store.hand_back(CONVERSATION, at=LATER)

    assert requeued == frozenset({0})
    (notice,) = due(store)
    assert (notice.type, notice.reason, notice.at) == (NoticeType.HANDED_BACK, NoticeReason.BY_HUMAN, LATER)


def test_a_hand_back_that_is_outdated_or_told_again_makes_nothing_due(store: Store) -> None:
    store.take_over(CONVERSATION, index=None, at=LATER)

    assert store.hand_back(CONVERSATION, at=NOON) is None
    assert due(store) == []

    after = LATER + timedelta(seconds=1)
    store.hand_back(CONVERSATION, at=after)
    store.hand_back(CONVERSATION, at=after)

    assert len(due(store)) == 1


def test_a_hand_back_by_time_says_so(store: Store) -> None:
    store.take_over(CONVERSATION, index=None, at=NOON)
    conversation = store.read_unclaimed(CONVERSATION)

    assert store.hand_back_unless_spoken(conversation, now=LATER) == frozenset()
    assert store.hand_back_unless_spoken(conversation, now=LATER) is None

    assert [(notice.type, notice.reason) for notice in due(store)] == [(NoticeType.HANDED_BACK, NoticeReason.BY_TIME)]


def test_a_close_is_due_once(store: Store) -> None:
    store.close(CONVERSATION, at=NOON)
    store.close(CONVERSATION, at=LATER)

    (notice,) = due(store)
    assert (notice.type, notice.at) == (NoticeType.CONVERSATION_CLOSED, NOON)


def test_the_oldest_notices_come_first_and_those_after_the_given_time_not_at_all(store: Store) -> None:
    for number, seconds in ((1, 30), (2, 10), (3, 20), (4, 61)):
        store.close(sid("CH", number), at=NOON + timedelta(seconds=seconds))

    oldest = store.due_notices(before=LATER, limit=2)
    rest = store.due_notices(before=LATER, limit=10)

    assert [notice.conversation_sid for notice in oldest] == [sid("CH", 2), sid("CH", 3)]
    assert len(rest) == 3


def test_what_is_removed_is_due_no_more_and_may_be_removed_again(store: Store) -> None:
    store.close(CONVERSATION, at=NOON)
    notices = due(store)

    store.remove_notices(notices)
    store.remove_notices(notices)

    assert due(store) == []


def owners(store: Store) -> list[tuple[Owner, str]]:
    changes = store.due_owner_changes(before=LATER + timedelta(hours=1), limit=10)
    assert all(change.since == change.at and change.conversation_sid == CONVERSATION for change in changes)
    return [(change.owner, change.reason) for change in changes]


def test_a_settle_that_hands_to_a_human_stores_a_change_of_owner_and_no_other_settle_does(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage))
    assert owners(store) == []

    claimed = claim(store, worker="two", seconds=1)
    store.settle(claimed, settlement(claimed.coverage, human_because=OwnerReason.HANDOFF))
    assert owners(store) == [(Owner.HUMAN, "handoff")]


def test_the_end_of_a_failure_stores_a_change_of_owner_and_no_other_freeze_does(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY)
    store.settle(claimed, settlement(claimed.coverage, human_because=OwnerReason.FAILURE))
    claimed = claim(store, worker="two", turn="T2", seconds=1)

    store.freeze(claimed, replace(REPLY, turn="T2", frozen_at=LATER))

    assert owners(store) == [(Owner.HUMAN, "failure"), (Owner.ASSISTANT, "customer_wrote")]
    assert store.read_unclaimed(CONVERSATION).owner is Owner.ASSISTANT


def test_a_freeze_that_is_fenced_stores_no_change_of_owner(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage, human_because=OwnerReason.FAILURE))
    claimed = claim(store, worker="two", turn="T2", seconds=1)
    store.close(CONVERSATION, at=LATER)

    with pytest.raises(Fenced):
        store.freeze(claimed, replace(REPLY, turn="T2", frozen_at=LATER))

    assert owners(store) == [(Owner.HUMAN, "failure")]


def test_takeovers_and_hand_backs_store_changes_of_owner_and_outdated_ones_do_not(store: Store) -> None:
    store.take_over(CONVERSATION, index=3, at=NOON)
    store.take_over(CONVERSATION, index=None, at=NOON - timedelta(seconds=1))
    store.hand_back(CONVERSATION, at=NOON - timedelta(seconds=1))
    store.take_over(CONVERSATION, index=None, at=NOON + timedelta(seconds=1))
    store.hand_back(CONVERSATION, at=NOON + timedelta(seconds=2))
    store.hand_back(CONVERSATION, at=NOON + timedelta(seconds=3))

    assert owners(store) == [(Owner.HUMAN, "message"), (Owner.HUMAN, "attribute"), (Owner.ASSISTANT, "by_human")]


def test_a_change_of_owner_that_was_shown_is_removed(store: Store) -> None:
    store.take_over(CONVERSATION, index=3, at=NOON)
    changes = store.due_owner_changes(before=NOON, limit=10)

    store.remove_owner_changes(changes)

    assert len(changes) == 1
    assert owners(store) == []


def test_a_change_of_owner_knows_when_it_was_first_shown(store: Store) -> None:
    store.take_over(CONVERSATION, index=3, at=NOON)
    changes = store.due_owner_changes(before=NOON, limit=10)

    store.mark_shown(changes, at=LATER)

    assert [change.shown_at for change in changes] == [None]
    assert [change.shown_at for change in store.due_owner_changes(before=NOON, limit=10)] == [LATER]


def test_only_a_change_that_is_still_there_counts_as_shown(store: Store) -> None:
    store.take_over(CONVERSATION, index=3, at=NOON)
    (change,) = store.due_owner_changes(before=NOON, limit=10)

    store.mark_shown([replace(change, reason="another, of the same millisecond")], at=LATER)
    assert store.due_owner_changes(before=NOON, limit=10) == [change]

    store.remove_owner_changes([change])
    store.mark_shown([change], at=LATER)
    assert store.due_owner_changes(before=NOON, limit=10) == []


FAILED = replace(NOTICE, type=NoticeType.TURN_FAILED, reason=NoticeReason.FELL_BACK)


def test_failures_are_kept_apart_from_other_notices(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage, notice=FAILED))
    store.lead_failures(FAILED, now=NOON, since=NOON)

    assert due(store) == []
    assert list(store.due_failures(before=LATER, limit=10)) == [FAILED]
    store.remove_notices([FAILED])
    assert list(store.due_failures(before=LATER, limit=10)) == []


def test_each_type_of_failure_has_a_leader_of_its_own(store: Store) -> None:
    delivery = replace(FAILED, id="D1", type=NoticeType.DELIVERY_FAILED, reason=NoticeReason.BLOCKED)
    store.mark_undelivered(delivery_failed(sid("IM", 7)), notice=delivery)

    leaders = [store.lead_failures(each, now=NOON, since=NOON - timedelta(minutes=1)) for each in (FAILED, delivery)]

    assert leaders == ["T1", "D1"]
    assert due(store) == []
    assert list(store.due_failures(before=LATER, limit=10)) == [delivery]


def test_one_failure_leads_until_its_time_is_over(store: Store) -> None:
    minute = timedelta(minutes=1)
    other = replace(FAILED, id="T2")

    leaders = [
        store.lead_failures(FAILED, now=NOON, since=NOON - minute),
        store.lead_failures(FAILED, now=NOON, since=NOON - minute),
        store.lead_failures(other, now=NOON + minute / 2, since=NOON - minute / 2),
        store.lead_failures(other, now=NOON + minute, since=NOON),
    ]

    assert leaders == ["T1", "T1", "T1", "T2"]
