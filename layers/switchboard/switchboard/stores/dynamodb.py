"""A store in the deployment's table in DynamoDB: several web processes, on several hosts, share the conversations.

What waits for its turn is in the memory of the process that accepted it. If it is killed, the sweep of any other finds
the message at Twilio, a minute later. So the file of `sqlite.py` is not needed beside it.
"""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.dynamodb.notice_store import NoticeStore
from switchboard.aws.dynamodb.owner_index import OwnerIndex
from switchboard.aws.dynamodb.sweep_index import SweepIndex
from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.stores.store import Store, inboxes_in_memory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient  # for development only

_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})


def in_dynamodb(table_name: str, *, customer_key: bytes, client: "DynamoDBClient | None" = None) -> Store:
    """Return the store in a table that template.yaml describes as ConversationsTable. It needs the extra `aws`.

    Under `customer_key`, a secret of yours, customers' addresses are hashed; keep it the same. `client`
    is by default boto3's, for the region and the credentials of the environment.
    """
    table = ConversationsTable(client=client or boto3.client("dynamodb", config=_CONFIG), name=table_name)
    budgets = BudgetStore(table=table, customer_key=customer_key)
    notices = NoticeStore(table=table)
    return inboxes_in_memory(
        turns=TurnStore(table=table, budgets=budgets),
        lifecycle=LifecycleStore(table=table),
        budgets=budgets,
        checks=SweepIndex(table=table),
        owners=OwnerIndex(table=table),
        notices=notices,
        owner_changes=notices,
        customer_secret=customer_key,
    )
