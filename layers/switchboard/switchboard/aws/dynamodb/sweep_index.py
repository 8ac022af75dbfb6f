"""Which conversations the sweeper must look at, and when: the indexes `by_active_check` and `by_next_check`.

An item has up to two checks. Activity sets `active_check`, a minute later, and only where there is none: DynamoDB
cannot write the earlier of two times, and with one attribute each activity would put the check off, or an idle
conversation that becomes active would wait for its next one. The sweeper sets `next_check`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import conversation_from_item, from_wire, milliseconds, timestamp, to_wire
from switchboard.aws.dynamodb.updates import ACTIVITY, SHARD, Update, activity_at
from switchboard.ports import MIN_CHECK_INTERVAL, DueCheck, DueConversation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (  # for development only
        KeysAndAttributesOutputTypeDef,
        KeysAndAttributesTypeDef,
    )

# One partition for each number of checks since the last activity, so that a long line of old conversations does not
# hide the young ones from a query.
NUMBERS = {1: "1", 2: "2", 3: "3", 4: SHARD}
MAX_KEYS = 100  # of a BatchGetItem


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepIndex:
    """The sweeper's side of ConversationsTable; `switchboard.ports.SweepIndex` says what each method does."""

    table: ConversationsTable

    def due(self, *, now: datetime, limit: int) -> Sequence[DueCheck]:
        """Return the checks that are due: of each `number` the longest due, at most `limit` of them."""
        found = [*self._query("active_check", SHARD, number=0, now=now, limit=limit)]
        for number, shard in NUMBERS.items():
            found += self._query("next_check", shard, number=number, now=now, limit=limit)
        return found

    def read(self, check: DueCheck, *, now: datetime) -> DueConversation | None:
        """Return the conversation of a check, or None where none is due any more (a consistent read)."""
        sid = check.conversation_sid
        item = self.table.get(sid)
        if not any(name in item and timestamp(item[name]) <= now for name in ("active_check", "next_check")):
            return None
        return DueConversation(
            conversation=conversation_from_item(sid, item),
            checks=int(item["checks"]),
            activity=timestamp(item["activity"]),
            active_check=timestamp(item["active_check"]) if "active_check" in item else None,
        )

    def untracked(self, sids: Sequence[str]) -> Sequence[str]:
        """Return those conversations that were never active here and have no check, in the given order."""
        tracked = {sid for start in range(0, len(sids), MAX_KEYS) for sid in self._tracked(sids[start:][:MAX_KEYS])}
        return [sid for sid in sids if sid not in tracked]

    def track(self, sid: str, *, now: datetime) -> None:
        """Give a conversation its first check, if it has none."""
        update = Update(condition="attribute_not_exists(#activity)", sets={**ACTIVITY})
        update.values = {":zero": 0, **activity_at(now)}
        self._update(sid, update)

    def postpone(self, checked: DueConversation, *, until: datetime | None, now: datetime) -> None:
        """Count a check and set the next, unless there was activity or another sweep's check meanwhile."""
        sid = checked.conversation.sid
        update = Update(
            condition="#activity = :activity AND #checks = :checks",
            removes=("active_check", "active_check_shard"),
            values={":activity": milliseconds(checked.activity), ":checks": checked.checks},
        )
        if until is None:
            update.removes = (*update.removes, "next_check", "next_check_shard")
        else:
            update.sets = {"next_check": ":until", "next_check_shard": ":shard", "checks": ":made"}
            made = checked.checks + 1
            update.values |= {":until": milliseconds(until), ":made": made, ":shard": NUMBERS.get(made, SHARD)}
        if not self._update(sid, update) and checked.active_check:
            self._move(sid, "active_check", checked.active_check, until=now + MIN_CHECK_INTERVAL)

    def put_off(self, check: DueCheck, *, until: datetime) -> None:
        """Make a check due later and count nothing, whatever the item holds."""
        self._move(check.conversation_sid, "next_check" if check.number else "active_check", check.due, until=until)

    def _query(self, name: str, shard: str, *, number: int, now: datetime, limit: int) -> Iterator[DueCheck]:
        with transient_errors(f"by_{name}"):
            answer = self.table.client.query(
                TableName=self.table.name,
                IndexName=f"by_{name}",
                KeyConditionExpression=f"{name}_shard = :shard AND {name} <= :now",
                ExpressionAttributeValues=to_wire({":shard": shard, ":now": milliseconds(now)}),
                Limit=limit,
            )
        for keys in map(from_wire, answer["Items"]):
            yield DueCheck(conversation_sid=keys["pk"], number=number, due=timestamp(keys[name]))

    def _tracked(self, sids: Sequence[str]) -> Iterator[str]:
        """Yield those of up to a hundred conversations that were active here (consistent reads)."""
        keys = [to_wire({"pk": sid, "sk": "CONVERSATION"}) for sid in sids]
        asked: Mapping[str, KeysAndAttributesTypeDef | KeysAndAttributesOutputTypeDef] = {
            self.table.name: {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "pk, activity"}
        }
        while asked:
            with transient_errors("new conversations"):
                answer = self.table.client.batch_get_item(RequestItems=asked)
            yield from (item["pk"]["S"] for item in answer["Responses"].get(self.table.name, ()) if "activity" in item)
            asked = answer.get("UnprocessedKeys", {})  # each answer has processed some

    def _move(self, sid: str, name: str, due: datetime, *, until: datetime) -> None:
        """Move a check to a later time, if it is still due when it was."""
        values = {":due": milliseconds(due), ":until": milliseconds(until)}
        self._update(sid, Update(condition=f"#{name} = :due", sets={name: ":until"}, values=values))

    def _update(self, sid: str, update: Update) -> bool:
        """Update an item without reading it: it may be malformed. Return False where the condition does not hold."""
        try:
            with transient_errors(sid):
                self.table.client.update_item(**update.request(self.table.name, sid))
        except self.table.client.exceptions.ConditionalCheckFailedException:
            return False
        return True
