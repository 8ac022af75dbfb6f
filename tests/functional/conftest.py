from collections.abc import Iterator

import pytest

from switchboard.stores.memory import ConversationsInMemory
from tests.dynamodb import Store, stores_of, table_on_moto
from tests.stacks import Running, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Running]:
    """One running stack for all tests that only send texts: each uses phones of its own."""
    with running() as started:
        yield started


@pytest.fixture(params=["memory", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The stores of ConversationsTable: the fake that the turn's tests run on, and DynamoDB."""
    if request.param == "memory":
        yield ConversationsInMemory()
    else:
        with table_on_moto() as table:
            yield stores_of(table)
