"""The turns that a day has had: one counter for each customer, in the partition of the day.

What all customers had is their sum: DynamoDB cancels transactions that meet in one item, so no two customers share one.
A query of the day reads it, in one request for about 15,000 customers.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import Item, from_wire, milliseconds, to_wire
from switchboard.aws.dynamodb.updates import RETENTION, epoch_seconds
from switchboard.budgets import Spent
from switchboard.conversation import ReplyKind, TurnRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef  # for development only


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStore:
    """Reads the counters. `customer_key` is the key under which customers' addresses are hashed."""

    table: ConversationsTable
    customer_key: bytes

    def spent(self, customer: str, *, now: datetime) -> Spent:
        """Return what was spent today (a consistent read)."""
        by_customer, by_all, limit_notice_sent = 0, 0, False
        for counter in self._counters(now):
            turns = int(counter["turns"])
            by_all += turns
            if counter["sk"] == self._sort_key(customer):
                by_customer, limit_notice_sent = turns, "limit_notice_sent_at" in counter
        return Spent(by_customer=by_customer, by_all=by_all, limit_notice_sent=limit_notice_sent)

    def charges(self, record: TurnRecord) -> "list[TransactWriteItemTypeDef]":
        """Return the part of a transaction that charges a turn. A limit sentence costs nothing, and is noted.

        What confirms an opt-out or an opt-in costs nothing either.
        """
        if record.kind in {ReplyKind.OPT_OUT, ReplyKind.OPT_IN}:
            return []
        is_limit = record.kind is ReplyKind.LIMIT
        sets = "SET #ttl = :ttl" + (", limit_notice_sent_at = :at" if is_limit else "")
        values = {":ttl": epoch_seconds(record.at + RETENTION), ":turns": 0 if is_limit else 1}
        if is_limit:
            values[":at"] = milliseconds(record.at)
        return [
            {
                "Update": {
                    "TableName": self.table.name,
                    "Key": to_wire({"pk": _partition_key(record.at), "sk": self._sort_key(record.customer)}),
                    "UpdateExpression": f"{sets} ADD turns :turns",
                    "ExpressionAttributeNames": {"#ttl": "ttl"},
                    "ExpressionAttributeValues": to_wire(values),
                }
            }
        ]

    def _counters(self, day: datetime) -> Iterator[Item]:
        """Yield the counters of all customers on a day."""
        pages = self.table.client.get_paginator("query").paginate(
            TableName=self.table.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :day",
            ProjectionExpression="sk, turns, limit_notice_sent_at",
            ExpressionAttributeValues=to_wire({":day": _partition_key(day)}),
        )
        with transient_errors("budgets"):
            for page in pages:
                yield from map(from_wire, page["Items"])

    def _sort_key(self, customer: str) -> str:
        return f"CUSTOMER#{hmac.new(self.customer_key, customer.encode(), hashlib.sha256).hexdigest()}"


def _partition_key(day: datetime) -> str:
    return f"BUDGET#{day:%Y-%m-%d}"
