"""ConversationsTable on moto: its stores as one object, values to store, and how a test claims a conversation."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, cast

import boto3
from moto import mock_aws

from switchboard import ports
from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.dynamodb.notice_store import NoticeStore
from switchboard.aws.dynamodb.owner_index import OwnerIndex
from switchboard.aws.dynamodb.sweep_index import SweepIndex
from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.content import Content
from switchboard.conversation import (
    Conversation,
    Coverage,
    OwnerReason,
    PendingReply,
    ReplyKind,
    TurnMessage,
    TurnOutcome,
    TurnRecord,
)
from switchboard.notices import Notice
from switchboard.owner_updates import OwnerChangeStore
from switchboard.ports import Settlement
from switchboard.publisher import NoticeStore as NoticeStorePort
from tests.builders import CONVERSATION, NOON, sid

LATER = NOON + timedelta(seconds=60)
FIRST = TurnMessage(index=0, message_sid=sid("IM", 1))
SECOND = TurnMessage(index=1, message_sid=sid("IM", 2))
REPLY = PendingReply(
    turn="T1",
    kind=ReplyKind.ANSWER,
    covers=frozenset({0}),
    parts=("a", "b"),
    send_attempts=(1, 1),
    ownership_epoch=0,
    frozen_at=NOON,
    verify_not_before=LATER,
    content=Content(sid=sid("HX", 1), variables={"1": "Anna"}),
    files=("menu.pdf",),
)
RECORD = TurnRecord(
    turn="T1",
    index=0,
    ownership_epoch=0,
    message_sids=(FIRST.message_sid,),
    said=("hi",),
    parts=("hello",),
    outcome=TurnOutcome.ANSWERED,
    rule="",
    at=NOON,
    customer="+12025550110",
    kind=ReplyKind.ANSWER,
)


class Store(ports.TurnStore, ports.LifecycleStore, ports.BudgetStore, NoticeStorePort, OwnerChangeStore, Protocol):
    """The stores that turns and lifecycle events use, and the notices that they make due."""


class SweptStore(Store, ports.SweepIndex, Protocol):
    """The same, with the sweeper's index, and the table itself."""

    table: ConversationsTable


class OwnedStore(Store, ports.OwnerIndex, Protocol):
    """The same, with the operators' index."""


class TableStores(SweptStore, OwnedStore, Protocol):
    """All stores of the table."""


class _Stores:
    def __init__(self, table: ConversationsTable) -> None:
        budgets = BudgetStore(table=table, customer_key=b"key")
        self._stores = (
            TurnStore(table=table, budgets=budgets),
            LifecycleStore(table=table),
            SweepIndex(table=table),
            OwnerIndex(table=table),
            NoticeStore(table=table),
            budgets,
        )

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- any of the stores' methods
        return next(getattr(store, name) for store in self._stores if hasattr(store, name))


@contextmanager
def table_on_moto() -> Iterator[ConversationsTable]:
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        create_table(client)
        yield ConversationsTable(client=client, name="Conversations")


def create_table(client: Any) -> None:  # noqa: ANN401 -- botocore makes its client classes at run time
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
            {"AttributeName": "human_shard", "AttributeType": "S"},
            {"AttributeName": "human_since", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for name, partition, sort in (
                ("by_active_check", "active_check_shard", "active_check"),
                ("by_next_check", "next_check_shard", "next_check"),
                ("by_owner", "human_shard", "human_since"),
            )
        ],
    )


def stores_of(table: ConversationsTable) -> TableStores:
    return cast("TableStores", _Stores(table))


def try_claim(
    store: Store,
    *messages: TurnMessage,
    worker: str = "one",
    turn: str = "T1",
    seconds: int = 0,
    told_at: int | None = None,
    redriven: frozenset[int] = frozenset(),
) -> Conversation | ports.Busy:
    """Claim so many seconds after noon; `told_at` in seconds after noon too."""
    return store.claim(
        CONVERSATION,
        messages=frozenset(messages or {FIRST}),
        redriven=redriven,
        turn=turn,
        token=worker,
        told_at=NOON + timedelta(seconds=seconds if told_at is None else told_at),
        now=NOON + timedelta(seconds=seconds),
        lease_until=NOON + timedelta(seconds=seconds + 60),
    )


def claim(
    store: Store,
    *messages: TurnMessage,
    worker: str = "one",
    turn: str = "T1",
    seconds: int = 0,
    told_at: int | None = None,
    redriven: frozenset[int] = frozenset(),
) -> Conversation:
    claimed = try_claim(store, *messages, worker=worker, turn=turn, seconds=seconds, told_at=told_at, redriven=redriven)
    assert isinstance(claimed, Conversation), claimed
    return claimed


def settlement(
    coverage: Coverage,
    *,
    human_because: OwnerReason | None = None,
    left_to_human: frozenset[int] = frozenset(),
    failed: frozenset[int] = frozenset(),
    answered_since: frozenset[int] = frozenset(),
    notice: Notice | None = None,
) -> Settlement:
    return Settlement(
        coverage=coverage,
        human_because=human_because,
        left_to_human=left_to_human,
        failed=failed,
        answered_since=answered_since,
        at=NOON,
        notice=notice,
    )
