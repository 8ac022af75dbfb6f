"""Which conversations the sweeper must look at, and when: the index `by_next_check`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import conversation_from_item, from_wire, milliseconds, timestamp, to_wire
from switchboard.aws.dynamodb.updates import ACTIVITY, SHARD, Update, activity_at
from switchboard.ports import DueCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepIndex:
    """The sweeper's side of ConversationsTable; `switchboard.ports.SweepIndex` says what each method does."""

    table: ConversationsTable

    def due(self, *, now: datetime, limit: int) -> Iterator[DueCheck]:
        """Yield the checks that are due, the longest due first."""
        with transient_errors("by_next_check"):
            answer = self.table.client.query(
                TableName=self.table.name,
                IndexName="by_next_check",
                KeyConditionExpression="next_check_shard = :shard AND next_check <= :now",
                ExpressionAttributeValues=to_wire({":shard": SHARD, ":now": milliseconds(now)}),
                Limit=limit,
            )
        for keys in answer["Items"]:
            sid = from_wire(keys)["pk"]
            item = self.table.get(sid)
            yield DueCheck(
                conversation=conversation_from_item(sid, item),
                number=int(item.get("checks", 0)),
                activity=timestamp(item.get("activity")),
                due=timestamp(item.get("next_check")),
            )

    def is_known(self, sid: str) -> bool:
        """Tell whether the conversation has an item."""
        return bool(self.table.get(sid))

    def track(self, sid: str, *, now: datetime) -> None:
        """Give a conversation an item with its first check, if it has none."""
        update = Update(condition="attribute_not_exists(#activity)", sets={**ACTIVITY})
        update.values = {":zero": 0, **activity_at(now)}
        self.table.update_if(sid, update)

    def postpone(self, check: DueCheck, *, until: datetime | None) -> None:
        """Set the next check (None: there is none), unless there was activity meanwhile."""
        update = Update(condition="#activity = :activity", values={":activity": milliseconds(check.activity)})
        if until is None:
            update.removes = ("next_check", "next_check_shard")
        else:
            update.sets = {"next_check": ":until", "checks": ":number"}
            update.values |= {":until": milliseconds(until), ":number": check.number + 1}
        self.table.update_if(check.conversation.sid, update)
