"""The turns that a day has had: a counter for each customer, and one for all of them.

The counter of all customers is one item: a thousand turns a second are enough.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import from_wire, milliseconds, to_wire
from switchboard.aws.dynamodb.updates import RETENTION, epoch_seconds
from switchboard.budgets import Spent
from switchboard.conversation import ReplyKind, TurnRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef  # for development only


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStore:
    """Reads the counters. `customer_key` is the key under which customers' addresses are hashed."""

    table: ConversationsTable
    customer_key: bytes

    def spent(self, customer: str, *, now: datetime) -> Spent:
        """Return what was spent today."""
        keys = [to_wire({"pk": pk, "sk": sk}) for pk, sk in self._keys(customer, now)]
        with transient_errors("budgets"):
            answer = self.table.client.batch_get_item(RequestItems={self.table.name: {"Keys": keys}})
        items = [from_wire(item) for item in answer["Responses"][self.table.name]]
        by_customer = next((item for item in items if item["pk"].startswith("CUSTOMER#")), {})
        by_all = next((item for item in items if item["pk"].startswith("BUDGET#")), {})
        return Spent(
            by_customer=int(by_customer.get("turns", 0)),
            by_all=int(by_all.get("turns", 0)),
            limit_notice_sent="limit_notice_sent_at" in by_customer,
        )

    def charges(self, record: TurnRecord) -> "list[TransactWriteItemTypeDef]":
        """Return the parts of a transaction that charge a turn. A limit sentence costs nothing, and is noted."""
        return [{"Update": self._charge(pk, sk, record)} for pk, sk in self._keys(record.customer, record.at)]

    def _keys(self, customer: str, at: datetime) -> tuple[tuple[str, str], tuple[str, str]]:
        key = hmac.new(self.customer_key, customer.encode(), hashlib.sha256).hexdigest()
        return (f"CUSTOMER#{key}", f"BUDGET#{at:%Y-%m-%d}"), (f"BUDGET#{at:%Y-%m-%d}#0", "BUDGET")

    def _charge(self, pk: str, sk: str, record: TurnRecord) -> "UpdateTypeDef":
        is_limit = record.kind is ReplyKind.LIMIT
        sets = "SET #ttl = :ttl" + (", limit_notice_sent_at = :at" if is_limit else "")
        values = {":ttl": epoch_seconds(record.at + RETENTION), ":turns": 0 if is_limit else 1}
        if is_limit:
            values[":at"] = milliseconds(record.at)
        return {
            "TableName": self.table.name,
            "Key": to_wire({"pk": pk, "sk": sk}),
            "UpdateExpression": f"{sets} ADD turns :turns",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": to_wire(values),
        }
