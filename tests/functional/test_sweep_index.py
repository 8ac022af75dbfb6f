"""The sweeper's indexes on moto, and their twin in memory: which conversations are due for a check."""

from collections.abc import Iterator, MutableMapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from switchboard.consent import ConsentChange
from switchboard.conversation import Conversation
from switchboard.events import Owner
from switchboard.ports import DueCheck, DueConversation, SweepIndex
from switchboard.stores.checks import ChecksInMemory
from switchboard.stores.checks import Tracked as Checked
from switchboard.stores.memory import ConversationsInMemory
from switchboard.stores.sqlite import SQLiteFile
from tests.builders import CONVERSATION, NOON, Clock, sid
from tests.dynamodb import SweptStore, claim, stores_of, table_on_moto

MINUTE = timedelta(minutes=1)


class Tracked(Protocol):
    """An index, and how a conversation becomes active at a time."""

    index: SweepIndex

    def is_active(self, conversation_sid: str, at: datetime) -> None: ...


class OnMoto:
    def __init__(self, store: SweptStore) -> None:
        self.index: SweepIndex = store
        self._store = store

    def is_active(self, conversation_sid: str, at: datetime) -> None:
        self._store.take_over(conversation_sid, index=None, at=at)


class InMemory:
    def __init__(self, tracked: MutableMapping[str, Checked]) -> None:
        self._clock = Clock()
        self._checks = ChecksInMemory(clock=self._clock, store=ConversationsInMemory(), tracked=tracked)
        self.index: SweepIndex = self._checks

    def is_active(self, conversation_sid: str, at: datetime) -> None:
        self._clock.now = at
        self._checks.is_active(conversation_sid)


@pytest.fixture
def store() -> Iterator[SweptStore]:
    with table_on_moto() as table:
        yield stores_of(table)


@pytest.fixture(params=["on moto", "in memory", "in a file"])
def tracked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tracked]:
    if request.param == "in memory":
        yield InMemory({})
    elif request.param == "in a file":
        with closing(SQLiteFile(tmp_path / "store.sqlite")) as file:
            yield InMemory(file.mapping("tracked", str, Checked))
    else:
        with table_on_moto() as table:
            yield OnMoto(stores_of(table))


def due_at(index: SweepIndex, now: datetime) -> list[str]:
    return [check.conversation_sid for check in index.due(now=now, limit=10)]


def only_check(index: SweepIndex, now: datetime) -> tuple[DueCheck, DueConversation]:
    (check,) = index.due(now=now, limit=10)
    due = index.read(check, now=now)
    assert due
    return check, due


def test_whatever_touches_a_conversation_makes_its_check_due_a_minute_later(store: SweptStore) -> None:
    claim(store)
    store.take_over(sid("CH", 2), index=0, at=NOON)
    store.close(sid("CH", 3), at=NOON)
    store.hand_back(sid("CH", 4), at=NOON)

    assert due_at(store, NOON + timedelta(seconds=59)) == []
    assert sorted(due_at(store, NOON + MINUTE)) == [CONVERSATION, *(sid("CH", number) for number in (2, 3, 4))]


def test_more_activity_does_not_put_a_check_off(tracked: Tracked) -> None:
    tracked.is_active(CONVERSATION, NOON)
    tracked.is_active(CONVERSATION, NOON + MINUTE / 2)

    assert due_at(tracked.index, NOON + MINUTE) == [CONVERSATION]


def test_a_check_that_was_made_is_due_later_and_the_last_one_never_again(tracked: Tracked) -> None:
    index, now = tracked.index, NOON + MINUTE
    tracked.is_active(CONVERSATION, NOON)
    first, due = only_check(index, now)

    index.postpone(due, until=now + 2 * MINUTE, now=now)
    between = due_at(index, now + MINUTE)
    second, later = only_check(index, now + 2 * MINUTE)
    index.postpone(later, until=None, now=now)

    assert ((first.number, due.checks), between, (second.number, later.checks)) == ((0, 0), [], (1, 1))
    assert (first.due, second.due) == (now, now + 2 * MINUTE)
    assert due_at(index, NOON + timedelta(days=9)) == []
    assert index.read(second, now=NOON + timedelta(days=9)) is None


@pytest.mark.parametrize(("until", "left"), [(None, set()), (NOON + 2 * MINUTE, {"next_check", "next_check_shard"})])
def test_a_check_that_was_made_leaves_none_of_its_attributes(
    store: SweptStore, until: datetime | None, left: set[str]
) -> None:
    claim(store)
    store.postpone(only_check(store, NOON + MINUTE)[1], until=NOON + MINUTE, now=NOON)

    store.postpone(only_check(store, NOON + MINUTE)[1], until=until, now=NOON)

    assert {name for name in store.table.get(CONVERSATION) if "_check" in name} == left


@pytest.mark.parametrize("until", [None, NOON + 16 * MINUTE])
def test_a_conversation_that_was_active_while_it_was_checked_is_checked_a_minute_later(
    tracked: Tracked, until: datetime | None
) -> None:
    index, now = tracked.index, NOON + MINUTE
    tracked.is_active(CONVERSATION, NOON)
    _, due = only_check(index, now)
    tracked.is_active(CONVERSATION, now)

    index.postpone(due, until=until, now=now)

    assert due_at(index, now) == []
    check, again = only_check(index, now + MINUTE)
    assert (check.number, again.checks) == (0, 0)


def test_activity_brings_the_check_of_a_quiet_conversation_nearer(tracked: Tracked) -> None:
    index, now = tracked.index, NOON + MINUTE
    tracked.is_active(CONVERSATION, NOON)
    index.postpone(only_check(index, now)[1], until=now + 15 * MINUTE, now=now)

    tracked.is_active(CONVERSATION, now + MINUTE)

    check, due = only_check(index, now + 2 * MINUTE)
    assert (check.number, due.checks) == (0, 0)
    index.postpone(due, until=now + 3 * MINUTE, now=now + 2 * MINUTE)
    assert due_at(index, now + 3 * MINUTE) == [CONVERSATION]


def test_of_two_sweeps_that_check_a_conversation_one_counts(tracked: Tracked) -> None:
    index, now = tracked.index, NOON + MINUTE
    tracked.is_active(CONVERSATION, NOON)
    check, due = only_check(index, now)

    index.postpone(due, until=now + MINUTE, now=now)
    index.postpone(due, until=now + 5 * MINUTE, now=now)

    assert index.read(check, now=now) is None
    assert only_check(index, now + MINUTE)[1].checks == 1


def test_of_two_sweeps_during_which_a_conversation_was_active_one_sets_its_check(tracked: Tracked) -> None:
    index, now = tracked.index, NOON + MINUTE
    tracked.is_active(CONVERSATION, NOON)
    _, due = only_check(index, now)
    tracked.is_active(CONVERSATION, now)

    index.postpone(due, until=now + 5 * MINUTE, now=now)
    index.postpone(due, until=now + 5 * MINUTE, now=now + 5 * MINUTE)

    assert due_at(index, now + MINUTE) == [CONVERSATION]


@pytest.mark.parametrize("checks", [0, 1, 2, 3, 4, 7])
def test_a_check_that_is_put_off_is_due_later_and_does_not_count(tracked: Tracked, checks: int) -> None:
    index, now = tracked.index, NOON + MINUTE
    tracked.is_active(CONVERSATION, NOON)
    for _ in range(checks):
        index.postpone(only_check(index, now)[1], until=now, now=now)
    check, before = only_check(index, now)

    index.put_off(check, until=now + MINUTE)

    assert due_at(index, now) == []
    later, after = only_check(index, now + MINUTE)
    assert (later.number, after.checks) == (check.number, before.checks) == (min(checks, 4), checks)


def test_of_each_number_of_checks_the_longest_due_are_returned(tracked: Tracked) -> None:
    index = tracked.index
    for number in range(1, 4):
        tracked.is_active(sid("CH", number), NOON - number * MINUTE)
        index.postpone(only_check(index, NOON)[1], until=NOON + number * MINUTE, now=NOON)
    for number in range(4, 7):
        tracked.is_active(sid("CH", number), NOON - number * MINUTE)

    found = index.due(now=NOON + timedelta(hours=1), limit=2)

    assert [(each.number, each.conversation_sid) for each in found] == [
        (0, sid("CH", 6)),
        (0, sid("CH", 5)),
        (1, sid("CH", 1)),
        (1, sid("CH", 2)),
    ]


def test_a_conversation_that_was_tracked_is_checked_like_any_other(tracked: Tracked) -> None:
    tracked.index.track(CONVERSATION, now=NOON)
    tracked.index.track(CONVERSATION, now=NOON + MINUTE)

    check, due = only_check(tracked.index, NOON + MINUTE)

    assert (due.conversation, check.number) == (Conversation(sid=CONVERSATION, first_seen_at=NOON), 0)


def test_only_a_conversation_that_was_active_is_tracked(tracked: Tracked) -> None:
    tracked.is_active(CONVERSATION, NOON)
    sids = [sid("CH", number) for number in range(250, 0, -1)]

    untracked = tracked.index.untracked(sids)

    assert untracked == [each for each in sids if each != CONVERSATION]


def test_an_opt_out_is_an_activity(store: SweptStore) -> None:
    store.change_consent(CONVERSATION, ConsentChange(opted_out=True, at=NOON, index=None))

    assert store.untracked([CONVERSATION]) == []


@pytest.mark.parametrize("name", ["gaps", "owner", "checks", "activity", "pending_reply"])
def test_a_malformed_item_cannot_be_read_and_its_check_can_be_put_off(store: SweptStore, name: str) -> None:
    claim(store)
    (check,) = store.due(now=NOON + MINUTE, limit=10)
    store.table.client.update_item(
        TableName=store.table.name,
        Key={"pk": {"S": CONVERSATION}, "sk": {"S": "CONVERSATION"}},
        UpdateExpression="SET #name = :odd",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":odd": {"S": "odd"}},
    )

    with pytest.raises((ValueError, TypeError, AttributeError)):
        store.read(check, now=NOON + MINUTE)
    store.put_off(check, until=NOON + 16 * MINUTE)

    assert due_at(store, NOON + MINUTE) == []
    assert due_at(store, NOON + 16 * MINUTE) == [CONVERSATION]


def test_a_conversation_that_its_check_has_handed_back_is_checked_a_minute_later(store: SweptStore) -> None:
    now = NOON + MINUTE
    store.take_over(CONVERSATION, index=None, at=NOON)
    _, due = only_check(store, now)

    assert store.hand_back_unless_spoken(due.conversation, now=now) is not None
    store.postpone(due, until=now + 15 * MINUTE, now=now)

    check, again = only_check(store, now + MINUTE)
    assert (check.number, again.checks, again.conversation.owner) == (0, 0, Owner.ASSISTANT)
