from collections.abc import Iterator
from pathlib import Path

import pytest

from switchboard.stores.memory import ConversationsInMemory
from tests.dynamodb import Store, stores_of, table_on_moto
from tests.sqlite import conversations_in
from tests.stacks import Running, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Running]:
    """One running stack for all tests that only send texts: each uses phones of its own."""
    with running() as started:
        yield started


@pytest.fixture(params=["memory", "sqlite", "moto"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The conversations in memory, which the proofs run on, in a file, and in DynamoDB."""
    if request.param == "memory":
        yield ConversationsInMemory()
    elif request.param == "sqlite":
        with conversations_in(tmp_path / "store.sqlite") as conversations:
            yield conversations
    else:
        with table_on_moto() as table:
            yield stores_of(table)
