"""Summaries, and which conversations are a customer's: items beside those of the conversations."""

from datetime import datetime

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import CUSTOMER, SUMMARY, Item, from_wire, noted_to_item, summary_to_item, to_wire
from switchboard.aws.dynamodb.updates import RETENTION, epoch_seconds
from switchboard.ports import Remembered


def items_to_remember(sid: str, remembered: Remembered, *, at: datetime) -> list[Item]:
    """Return the items to write with a frozen reply."""
    items = [summary_to_item(sid, remembered.summary)] if remembered.summary else []
    if remembered.customer:
        items.append(noted_to_item(remembered.customer, sid, at))
    return [{**item, "ttl": epoch_seconds(at + RETENTION)} for item in items]


def conversations_of(table: ConversationsTable, customer: str, *, limit: int) -> list[str]:
    """Return the SIDs of the conversations that are noted as this customer's, the newest first (a consistent read)."""
    with transient_errors("a customer's conversations"):
        answer = table.client.query(
            TableName=table.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :customer",
            ExpressionAttributeValues=to_wire({":customer": f"{CUSTOMER}{customer}"}),
            ScanIndexForward=False,
            Limit=limit,
        )
    return [_sid(from_wire(item)) for item in answer["Items"]]


def forget_customer(table: ConversationsTable, customer: str) -> None:
    """Remove the summary of each of a customer's conversations, then that it is theirs, so that a repeat finds it."""
    pages = table.client.get_paginator("query").paginate(
        TableName=table.name,
        ConsistentRead=True,
        KeyConditionExpression="pk = :customer",
        ExpressionAttributeValues=to_wire({":customer": f"{CUSTOMER}{customer}"}),
    )
    with transient_errors("a customer's conversations"):
        noted = [from_wire(item) for page in pages for item in page["Items"]]
        for item in noted:
            for key in ({"pk": _sid(item), "sk": SUMMARY}, {"pk": item["pk"], "sk": item["sk"]}):
                table.client.delete_item(TableName=table.name, Key=to_wire(key))


def _sid(noted: Item) -> str:
    return str(noted["sk"]).partition("#")[2]
