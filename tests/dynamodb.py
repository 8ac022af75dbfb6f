"""ConversationsTable on moto: its stores as one, and how a test claims a conversation."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Protocol, cast

import boto3
from moto import mock_aws

from switchboard import ports
from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.dynamodb.sweep_index import SweepIndex
from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.conversation import Conversation, TurnMessage
from tests.builders import CONVERSATION, NOON, sid

LATER = NOON + timedelta(seconds=60)
FIRST = TurnMessage(index=0, message_sid=sid("IM", 1))


class Store(ports.TurnStore, ports.LifecycleStore, ports.BudgetStore, Protocol):
    """What a conversation's turns and its lifecycle need."""


class SweptStore(Store, ports.SweepIndex, Protocol):
    """What the sweeper needs too, and the table itself."""

    table: ConversationsTable


class _Stores:
    def __init__(self, table: ConversationsTable) -> None:
        budgets = BudgetStore(table=table, customer_key=b"key")
        self._stores = (
            TurnStore(table=table, budgets=budgets),
            LifecycleStore(table=table),
            SweepIndex(table=table),
            budgets,
        )

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- any of the stores' methods
        return next(getattr(store, name) for store in self._stores if hasattr(store, name))


def stores_on_moto() -> Iterator[SweptStore]:
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        client.create_table(
            TableName="Conversations",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "active_check_shard", "AttributeType": "S"},
                {"AttributeName": "active_check", "AttributeType": "N"},
                {"AttributeName": "next_check_shard", "AttributeType": "S"},
                {"AttributeName": "next_check", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": f"by_{name}",
                    "KeySchema": [
                        {"AttributeName": f"{name}_shard", "KeyType": "HASH"},
                        {"AttributeName": name, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for name in ("active_check", "next_check")
            ],
        )
        yield cast("SweptStore", _Stores(ConversationsTable(client=client, name="Conversations")))


def claim(
    store: Store, *messages: TurnMessage, worker: str = "one", turn: str = "T1", seconds: int = 0
) -> Conversation:
    claimed = store.claim(
        CONVERSATION,
        messages=frozenset(messages or {FIRST}),
        turn=turn,
        token=worker,
        now=NOON + timedelta(seconds=seconds),
        lease_until=NOON + timedelta(seconds=seconds + 60),
    )
    assert isinstance(claimed, Conversation), claimed
    return claimed
