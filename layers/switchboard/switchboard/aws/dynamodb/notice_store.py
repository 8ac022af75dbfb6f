"""The notices that are due: items of one partition, in the order in which they became due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import NOTICES, from_wire, milliseconds, notice_from_item, notice_to_item, to_wire
from switchboard.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeStore:
    """The publisher's side of ConversationsTable; `switchboard.publisher.NoticeStore` says what each method does."""

    table: ConversationsTable

    def due_notices(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        """Return the notices that became due before then, the oldest first (a consistent read)."""
        with transient_errors(NOTICES):
            answer = self.table.client.query(
                TableName=self.table.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :notices AND sk < :before",
                ExpressionAttributeValues=to_wire({":notices": NOTICES, ":before": f"{milliseconds(before) + 1:013}"}),
                Limit=limit,
            )
        return [notice_from_item(from_wire(item)) for item in answer["Items"]]

    def remove_notices(self, notices: Sequence[Notice]) -> None:
        """Remove notices that were published; one that is gone already is no error."""
        for notice in notices:
            item = notice_to_item(notice)
            with transient_errors(NOTICES):
                self.table.client.delete_item(
                    TableName=self.table.name, Key=to_wire({"pk": item["pk"], "sk": item["sk"]})
                )
