"""The table's client on moto: a read that decides something is a consistent read, which no replica answers late."""

import json
from collections.abc import Callable
from typing import Any

import pytest

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
    ],
    ids=["read_fencing_token", "read_unclaimed", "hand_back", "read", "untracked", "read_owned"],
)
def test_an_item_that_decides_something_is_read_consistently(read: Callable[[TableStores], object]) -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        claim(store)
        store.take_over(CONVERSATION, index=None, at=NOON)
        requests: list[dict[str, Any]] = []
        for operation in ("GetItem", "BatchGetItem"):
            table.client.meta.events.register(
                f"before-send.dynamodb.{operation}", lambda request, **_: requests.append(json.loads(request.body))
            )

        read(store)

    asked = [request.get("RequestItems", {}).get(table.name, request) for request in requests]
    assert [each["ConsistentRead"] for each in asked] == [True]
