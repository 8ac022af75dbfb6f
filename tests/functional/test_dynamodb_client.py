"""The table's client on moto: a read that decides something is a consistent read, which no replica answers late."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.bootstrap.clients import dynamodb_client, sqs_client
from switchboard.ports import DueCheck
from tests.builders import CONVERSATION, NOON
from tests.dynamodb import LATER, TableStores, claim, stores_of, table_on_moto


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.read_fencing_token(CONVERSATION),
        lambda store: store.read_unclaimed(CONVERSATION),
        lambda store: store.hand_back(CONVERSATION, at=LATER),
        lambda store: store.read(DueCheck(conversation_sid=CONVERSATION, number=0, due=LATER), now=LATER),
        lambda store: store.untracked([CONVERSATION]),
        lambda store: store.read_owned(CONVERSATION),
        lambda store: store.history(CONVERSATION),
        lambda store: store.spent("+12025550110", now=NOON),
        lambda store: claim(store, worker="two", seconds=120, redriven=frozenset({0})),
    ],
    ids=[
        "read_fencing_token",
        "read_unclaimed",
        "hand_back",
        "read",
        "untracked",
        "read_owned",
        "history",
        "spent",
        "claim of what was redriven",
    ],
)
def test_an_item_that_decides_something_is_read_consistently(read: Callable[[TableStores], object]) -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        claim(store)
        store.take_over(CONVERSATION, index=None, at=NOON)
        asked = reads_of(table)

        read(store)

    assert [each["ConsistentRead"] for each in asked] == [True]


def test_only_the_indexes_are_read_as_they_once_were(store: TableStores) -> None:
    """DynamoDB has no consistent read of an index: what one names is read again, or only shown to an operator."""
    claim(store)
    asked = reads_of(store.table)

    store.due(now=LATER, limit=10)
    list(store.owned_by_humans())

    assert {each["IndexName"] for each in asked} == {"by_active_check", "by_next_check", "by_owner"}


@pytest.mark.parametrize("make_client", [dynamodb_client, sqs_client])
def test_a_request_is_tried_three_times_of_at_most_four_seconds(
    monkeypatch: pytest.MonkeyPatch, make_client: Callable[[], Any]
) -> None:
    """`turn/timing.py` and `lifecycle_batch.py` count on it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    config = make_client().meta.config

    assert config.retries["total_max_attempts"] == 3
    assert config.connect_timeout + config.read_timeout <= 4


@pytest.fixture
def store() -> Iterator[TableStores]:
    with table_on_moto() as table:
        yield stores_of(table)


def reads_of(table: ConversationsTable) -> list[dict[str, Any]]:
    """Return a list that grows by the parameters of each read; a batch's are those of its table."""
    asked: list[dict[str, Any]] = []

    def note(request: Any, **_: object) -> None:  # noqa: ANN401 -- botocore's
        parameters = json.loads(request.body)
        asked.append(parameters.get("RequestItems", {}).get(table.name, parameters))

    for operation in ("GetItem", "Query", "BatchGetItem", "Scan", "TransactGetItems"):
        table.client.meta.events.register(f"before-send.dynamodb.{operation}", note)
    return asked
