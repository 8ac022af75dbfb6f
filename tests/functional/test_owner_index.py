"""The index by_owner on moto, and its twin in memory: which conversations a human owns, the longest owned first."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from switchboard.conversation import OwnerReason, TurnOutcome, TurnRecord
from switchboard.ports import OwnedByHuman
from switchboard.stores.memory import ConversationsInMemory
from tests.builders import CONVERSATION, NOON, sid
from tests.dynamodb import LATER, OwnedStore, claim, stores_of, table_on_moto
from tests.sqlite import conversations_in

SECOND = sid("CH", 2)
REFUSED = TurnRecord(
    turn="T1",
    index=0,
    ownership_epoch=0,
    message_sids=(),
    said=("hi",),
    parts=(),
    outcome=TurnOutcome.REFUSED,
    rule="human",
    at=NOON,
    customer="+12025550110",
    kind=None,
)


@pytest.fixture(params=["memory", "sqlite", "moto"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnedStore]:
    if request.param == "memory":
        yield ConversationsInMemory()
    elif request.param == "sqlite":
        with conversations_in(tmp_path / "store.sqlite") as conversations:
            yield conversations
    else:
        with table_on_moto() as table:
            yield stores_of(table)


def test_a_conversation_is_listed_while_a_human_owns_it_from_their_first_word_on(store: OwnedStore) -> None:
    claim(store)
    store.take_over(SECOND, index=3, at=NOON + timedelta(seconds=1))
    store.take_over(CONVERSATION, index=0, at=NOON)
    store.take_over(CONVERSATION, index=1, at=LATER)
    store.take_over(sid("CH", 3), index=0, at=NOON + timedelta(seconds=2))

    owned = list(store.owned_by_humans())
    store.hand_back(CONVERSATION, at=LATER + timedelta(seconds=1))
    store.close(SECOND, at=LATER)

    assert owned == [CONVERSATION, SECOND, sid("CH", 3)]
    assert list(store.owned_by_humans()) == [sid("CH", 3)]


def test_who_takes_a_conversation_again_has_it_from_then_on(store: OwnedStore) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    store.hand_back(CONVERSATION, at=NOON + timedelta(seconds=1))
    store.take_over(CONVERSATION, index=1, at=LATER)

    assert store.read_owned(CONVERSATION) == OwnedByHuman(
        conversation_sid=CONVERSATION, reason=OwnerReason.MESSAGE, since=LATER, messages_left=0
    )


def test_an_outdated_takeover_lists_nothing(store: OwnedStore) -> None:
    store.hand_back(CONVERSATION, at=LATER)
    store.take_over(CONVERSATION, index=0, at=NOON)

    assert list(store.owned_by_humans()) == []
    assert store.read_owned(CONVERSATION) is None


def test_a_closed_conversation_is_no_humans_whoever_writes_in_it_later(store: OwnedStore) -> None:
    store.close(CONVERSATION, at=NOON)
    store.take_over(CONVERSATION, index=0, at=LATER)

    assert store.read_owned(CONVERSATION) is None


def test_what_waits_for_the_human_is_counted_until_it_is_handed_back(store: OwnedStore) -> None:
    store.take_over(CONVERSATION, index=None, at=NOON)
    claimed = claim(store)
    store.refuse(
        claimed,
        REFUSED,
        coverage=claimed.coverage.with_handled({0, 1}, now=NOON),
        left_to_human=frozenset({0, 1}),
    )

    owned = store.read_owned(CONVERSATION)
    store.hand_back(CONVERSATION, at=LATER)

    assert owned
    assert owned.messages_left == 2
    assert list(store.owned_by_humans()) == []


def test_nobody_owns_what_was_never_heard_of(store: OwnedStore) -> None:
    assert store.read_owned(CONVERSATION) is None
    assert list(store.owned_by_humans()) == []
