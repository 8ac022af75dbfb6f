"""What each step changes of a conversation's item, as one conditional UpdateItem; `aws/table.py` sends it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from switchboard.aws.items import milliseconds, to_wire
from switchboard.conversation import Conversation, Coverage, Owner
from switchboard.sweep import FIRST_CHECK_AFTER

KEPT_FOR = timedelta(days=90)  # longer than the 28 days a record can live in a queue and its dead-letter queue
SHARD = "all"  # one partition of each index: a thousand writes a second, far above a service's 30 actions

LEASE = ("lease_fence", "lease_until", "lease_token")
TURN = ("turn", "turn_messages", "attempts")
ACTIVITY = {
    "began": "if_not_exists(#began, :activity)",
    "activity": ":activity",
    "activity_shard": ":shard",
    "next_check": ":next_check",
    "next_check_shard": ":shard",
    "checks": ":zero",
    "ttl": ":ttl",
}
UNDER_OUR_FENCE = "#fence = :our_fence"
WITH_OUR_LEASE = "#lease_token = :our_token"
NEWER = "attribute_not_exists(#owner_at) OR #owner_at < :at"


@dataclass(slots=True, kw_only=True)
class Update:
    """One UpdateItem under construction. Every name is aliased, so no reserved word is ever met."""

    condition: str = ""
    sets: dict[str, str] = field(default_factory=dict[str, str])
    adds: dict[str, str] = field(default_factory=dict[str, str])
    deletes: dict[str, str] = field(default_factory=dict[str, str])
    removes: Iterable[str] = ()
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def request(self, table: str, sid: str) -> dict[str, Any]:
        """Return the parameters of the UpdateItem call."""
        clauses = {
            "SET": [f"#{name} = {value}" for name, value in self.sets.items()],
            "ADD": [f"#{name} {value}" for name, value in self.adds.items()],
            "DELETE": [f"#{name} {value}" for name, value in self.deletes.items()],
            "REMOVE": [f"#{name}" for name in self.removes],
        }
        expression = " ".join(f"{verb} {', '.join(terms)}" for verb, terms in clauses.items() if terms)
        text = f"{expression} {self.condition}"
        names = {word.strip("(),") for word in text.replace("(", " ").replace(",", " ").replace(")", " ").split()}
        request = {
            "TableName": table,
            "Key": to_wire({"pk": sid, "sk": "CONVERSATION"}),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {name: name[1:] for name in sorted(names) if name.startswith("#")},
            "ExpressionAttributeValues": to_wire(self.values),
            "ConditionExpression": self.condition,
        }
        return {name: value for name, value in request.items() if value}


def under_our_fence(conversation: Conversation) -> Update:
    """Return an update that nobody may have come before: the fence is as we raised it."""
    return Update(condition=UNDER_OUR_FENCE, values={":our_fence": conversation.fence})


def with_our_lease(conversation: Conversation, *, removes: Iterable[str]) -> Update:
    """Return an update that needs our lease alone, whatever the fence."""
    return Update(condition=WITH_OUR_LEASE, removes=removes, values={":our_token": conversation.lease_token})


def closing_update(conversation: Conversation, *, coverage: Coverage, owner: Owner, now: datetime) -> Update:
    """Close the open turn under our fence; `seen` and `reopened` lose only what we know of, others may add to them."""
    update = under_our_fence(conversation)
    update.removes = (*LEASE, *TURN, "draft")
    update.sets |= {"floor": ":floor", "holes": ":holes"}
    update.values[":floor"] = coverage.floor
    update.values[":holes"] = {str(index): milliseconds(noticed) for index, noticed in coverage.holes.items()}
    if answered_again := conversation.coverage.reopened - coverage.reopened:
        update.deletes["reopened"] = ":reopened"
        update.values[":reopened"] = set(answered_again)
    if seen := coverage.seen or conversation.coverage.seen:  # one expression may add or delete, not both
        (update.adds if coverage.seen else update.deletes)["seen"] = ":seen"
        update.values[":seen"] = set(seen)
    if owner is not conversation.owner:
        update.sets |= {"owner": ":owner", "owner_at": ":now"}
        update.values |= {":owner": owner.value, ":now": milliseconds(now)}
    return update


def raised_fence(now: datetime) -> Update:
    """Return an update that takes the conversation from whoever works on it."""
    return Update(
        sets={
            "fence": "if_not_exists(#fence, :zero) + :one",
            "era": "if_not_exists(#era, :zero) + :one",
            **ACTIVITY,
        },
        values={":zero": 0, ":one": 1, **activity_at(now)},
    )


def change_of_owner(owner: Owner, at: datetime) -> Update:
    """Return an update that an older event than the last one cannot make."""
    update = raised_fence(at)
    update.condition = NEWER
    update.sets |= {"owner": ":owner", "owner_at": ":at"}
    update.values |= {":owner": owner.value, ":at": milliseconds(at)}
    return update


def activity_at(now: datetime) -> dict[str, Any]:
    """Return the values of `ACTIVITY`: whatever touches a conversation makes the sweeper look at it again soon."""
    return {
        ":activity": milliseconds(now),
        ":next_check": milliseconds(now + FIRST_CHECK_AFTER),
        ":shard": SHARD,
        ":ttl": epoch_seconds(now + KEPT_FOR),
    }


def epoch_seconds(moment: datetime) -> int:
    """Return a moment as epoch seconds, as TTL wants it."""
    return round(moment.timestamp())
