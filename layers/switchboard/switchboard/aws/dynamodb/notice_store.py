"""What is still to be told: notices to people, and changes of owner to Twilio.

Each has a partition, with its items in the order in which they became due.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import (
    FAILURES,
    NOTICES,
    OWNERS,
    Item,
    from_wire,
    milliseconds,
    notice_from_item,
    notice_to_item,
    owner_change_from_item,
    owner_change_to_item,
    to_wire,
)
from switchboard.conversation import OwnerChange
from switchboard.notices import Notice, NoticeType


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeStore:
    """One side of ConversationsTable; the Protocols of `publisher` and `owner_updates` say what each method does."""

    table: ConversationsTable

    def due_notices(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        """Return the notices that became due before then, without failures, the oldest first (a consistent read)."""
        return [notice_from_item(item) for item in self._due(NOTICES, before=before, limit=limit)]

    def due_failures(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        """Return the failures that became due before then, the oldest first (a consistent read)."""
        return [notice_from_item(item) for item in self._due(FAILURES, before=before, limit=limit)]

    def lead_failures(self, notice: Notice, *, now: datetime, since: datetime) -> str:
        """Let this notice stand for the failures of its type from now on, unless another has done so since then."""
        try:
            with transient_errors(FAILURES):
                self.table.client.update_item(
                    TableName=self.table.name,
                    Key=to_wire({"pk": FAILURES, "sk": _leader(notice)}),  # letters sort after digits: it is never due
                    UpdateExpression="SET leader = :leader, led_at = :now",
                    ConditionExpression="attribute_not_exists(led_at) OR led_at <= :since",
                    ExpressionAttributeValues=to_wire(
                        {":leader": notice.id, ":now": milliseconds(now), ":since": milliseconds(since)}
                    ),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self.table.client.exceptions.ConditionalCheckFailedException as error:
            return str(from_wire(cast("Item", error.response.get("Item", {})))["leader"])
        return notice.id

    def remove_notices(self, notices: Sequence[Notice]) -> None:
        """Remove notices that were published; one that is gone already is no error."""
        self._remove(map(notice_to_item, notices))

    def due_owner_changes(self, *, before: datetime, limit: int) -> Sequence[OwnerChange]:
        """Return the changes of owner that were made before then, the oldest first (a consistent read)."""
        return [owner_change_from_item(item) for item in self._due(OWNERS, before=before, limit=limit)]

    def mark_shown(self, changes: Sequence[OwnerChange], *, at: datetime) -> None:
        """Keep when changes of owner were first shown, but not over a change of the same millisecond."""
        for change in changes:
            item = owner_change_to_item(replace(change, shown_at=at))
            with suppress(self.table.client.exceptions.ConditionalCheckFailedException), transient_errors(OWNERS):
                self.table.client.put_item(
                    TableName=self.table.name,
                    Item=to_wire(item),
                    ConditionExpression="#owner = :owner AND reason = :reason",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues=to_wire({":owner": item["owner"], ":reason": item["reason"]}),
                )

    def remove_owner_changes(self, changes: Sequence[OwnerChange]) -> None:
        """Remove changes of owner that were shown; one that is gone already is no error."""
        self._remove(map(owner_change_to_item, changes))

    def _due(self, partition: str, *, before: datetime, limit: int) -> Iterator[Item]:
        with transient_errors(partition):
            answer = self.table.client.query(
                TableName=self.table.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :partition AND sk < :after",
                ExpressionAttributeValues=to_wire(
                    {":partition": partition, ":after": f"{milliseconds(before) + 1:013}"}
                ),
                Limit=limit,
            )
        yield from map(from_wire, answer["Items"])

    def _remove(self, items: Iterable[Item]) -> None:
        for item in items:
            key = {"pk": item["pk"], "sk": item["sk"]}
            with transient_errors(item["pk"]):
                self.table.client.delete_item(TableName=self.table.name, Key=to_wire(key))


def _leader(notice: Notice) -> str:
    is_first_type = notice.type is NoticeType.TURN_FAILED  # of which the table had leaders before it had other types
    return "LEADER" if is_first_type else f"LEADER#{notice.type}"
