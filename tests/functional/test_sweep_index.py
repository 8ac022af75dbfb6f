"""The sweeper's index on moto: which conversations are due for a check."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from switchboard.conversation import Conversation
from tests.builders import CONVERSATION, NOON, sid
from tests.dynamodb import LATER, SweptStore, claim, stores_of, table_on_moto


@pytest.fixture
def store() -> Iterator[SweptStore]:
    with table_on_moto() as table:
        yield stores_of(table)


def test_a_claim_or_a_takeover_makes_a_check_due_a_minute_later(store: SweptStore) -> None:
    claim(store)
    store.take_over(sid("CH", 2), index=0, at=NOON)

    soon = [check.conversation.sid for check in store.due(now=NOON + timedelta(seconds=59), limit=10)]
    due = [check.conversation.sid for check in store.due(now=LATER, limit=10)]

    assert (soon, sorted(due)) == ([], [CONVERSATION, sid("CH", 2)])


def test_a_postponed_check_is_due_later_and_one_without_a_next_time_never(store: SweptStore) -> None:
    claim(store)
    (check,) = store.due(now=LATER, limit=10)

    store.postpone(check, until=LATER + timedelta(minutes=2))
    (later,) = store.due(now=LATER + timedelta(minutes=2), limit=10)
    store.postpone(later, until=None)

    assert (check.number, later.number) == (0, 1)
    assert list(store.due(now=LATER + timedelta(days=9), limit=10)) == []


def test_a_check_of_a_conversation_that_was_active_meanwhile_is_not_postponed(store: SweptStore) -> None:
    claim(store)
    (check,) = store.due(now=LATER, limit=10)
    claim(store, seconds=61, worker="two")

    store.postpone(check, until=None)

    assert len(list(store.due(now=LATER + timedelta(minutes=2), limit=10))) == 1


def test_a_tracked_conversation_has_an_item_and_is_checked(store: SweptStore) -> None:
    store.track(CONVERSATION, now=NOON)
    store.track(CONVERSATION, now=LATER)

    (check,) = store.due(now=NOON + timedelta(minutes=1), limit=10)
    assert (check.conversation, check.number) == (Conversation(sid=CONVERSATION, first_seen_at=NOON), 0)
    assert store.is_known(CONVERSATION)
    assert claim(store).fencing_token == 1


def test_only_a_conversation_with_an_item_is_known(store: SweptStore) -> None:
    claim(store)

    assert store.is_known(CONVERSATION)
    assert not store.is_known(sid("CH", 2))
