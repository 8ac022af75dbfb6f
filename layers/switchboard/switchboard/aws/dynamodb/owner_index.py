"""Which conversations a human owns, and since when: the index `by_owner`."""

from collections.abc import Iterator
from dataclasses import dataclass

from switchboard.aws.dynamodb.client import ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import from_wire, timestamp, to_wire
from switchboard.aws.dynamodb.updates import SHARD
from switchboard.conversation import OwnerReason
from switchboard.events import Owner
from switchboard.ports import OwnedByHuman

PAGE_SIZE = 100  # most readers want the first hundred, and a page of DynamoDB's own holds thousands of keys


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerIndex:
    """The operators' side of ConversationsTable; `switchboard.ports.OwnerIndex` says what each method does."""

    table: ConversationsTable

    def owned_by_humans(self) -> Iterator[str]:
        """Yield the SIDs of conversations that a human owns, the longest owned first. The index may lag."""
        pages = self.table.client.get_paginator("query").paginate(
            TableName=self.table.name,
            IndexName="by_owner",
            KeyConditionExpression="human_shard = :shard",
            ExpressionAttributeValues=to_wire({":shard": SHARD}),
            PaginationConfig={"PageSize": PAGE_SIZE},
        )
        with transient_errors("by_owner"):
            for page in pages:
                yield from (from_wire(keys)["pk"] for keys in page["Items"])

    def read_owned(self, sid: str) -> OwnedByHuman | None:
        """Return why and since when a human owns the conversation; None if none does, or it is closed."""
        item = self.table.get(sid)
        if item.get("owner") != Owner.HUMAN or item.get("state") == "closed":
            return None
        return OwnedByHuman(
            conversation_sid=sid,
            reason=OwnerReason(item.get("owner_reason", OwnerReason.MESSAGE)),
            since=timestamp(item.get("human_since")),
            messages_left=len(item.get("left_to_human", ())),
        )
