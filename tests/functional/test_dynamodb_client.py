"""The table's client on moto: a read that decides something is a consistent read, which no replica answers late."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import CONVERSATION, NOON
from tests.dynamodb import LATER, SweptStore, claim, stores_of, table_on_moto


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.read_fencing_token(CONVERSATION),
        lambda store: store.hand_back(CONVERSATION, at=LATER),
        lambda store: store.is_known(CONVERSATION),
        lambda store: list(store.due(now=LATER, limit=1)),
    ],
    ids=["read_fencing_token", "hand_back", "is_known", "due"],
)
def test_an_item_that_decides_something_is_read_consistently(read: Callable[[SweptStore], object]) -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        claim(store)
        store.take_over(CONVERSATION, index=None, at=NOON)
        requests: list[dict[str, Any]] = []
        table.client.meta.events.register(
            "before-send.dynamodb.GetItem", lambda request, **_: requests.append(json.loads(request.body))
        )

        read(store)

    assert [request["ConsistentRead"] for request in requests] == [True]
