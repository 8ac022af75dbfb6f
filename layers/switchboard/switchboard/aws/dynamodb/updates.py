"""What each step changes in a conversation's item, as one conditional UpdateItem; `client.py` sends it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from switchboard.aws.dynamodb.items import milliseconds, to_wire, turn_message_to_text
from switchboard.conversation import Conversation, Coverage, TurnMessage
from switchboard.events import Owner
from switchboard.sweeper import MIN_CHECK_INTERVAL

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef  # for development only

RETENTION = timedelta(days=90)  # longer than the 28 days a record can live in a queue and its dead-letter queue
SHARD = "all"  # one partition of each index: a thousand writes a second, far above a service's 30 actions

LEASE = ("lease_fencing_token", "lease_until", "lease_token")
HUMAN_OWNER = ("human_shard", "human_since")  # only while a human owns it: the keys of the index by_owner
TURN = ("turn", "turn_messages", "attempts")
ACTIVITY = {
    "first_seen_at": "if_not_exists(#first_seen_at, :activity)",
    "activity": ":activity",
    "active_check": "if_not_exists(#active_check, :active_check)",  # more activity does not put the check off
    "active_check_shard": ":shard",
    "checks": ":zero",
    "ttl": ":ttl",
}
STILL_OURS = "#fencing_token = :our_fencing_token"
WITH_OUR_LEASE = "#lease_token = :our_token"
NEWER = "attribute_not_exists(#owner_changed_at) OR #owner_changed_at < :at"


@dataclass(slots=True, kw_only=True)
class Update:
    """One UpdateItem under construction. Every attribute name is an alias, so reserved words are no problem."""

    condition: str = ""
    sets: dict[str, str] = field(default_factory=dict[str, str])
    adds: dict[str, str] = field(default_factory=dict[str, str])
    deletes: dict[str, str] = field(default_factory=dict[str, str])
    removes: Iterable[str] = ()
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def request(self, table: str, sid: str) -> "UpdateTypeDef":
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
        # DynamoDB refuses an empty map or expression.
        return cast("UpdateTypeDef", {name: value for name, value in request.items() if value})


def claiming_update(
    messages: frozenset[TurnMessage], *, turn: str, token: str, now: datetime, lease_until: datetime
) -> Update:
    """Return an update that claims the conversation, unless another worker's lease is live.

    A lease is live while its time is not over and nobody has raised the fencing token since. A claim repeated with its
    own lease token succeeds: its answer was lost.
    """
    return Update(
        condition="attribute_not_exists(#lease_token) OR #lease_until <= :now"
        " OR #lease_fencing_token <> #fencing_token OR #lease_token = :our_token",
        sets={
            "fencing_token": "if_not_exists(#fencing_token, :zero) + :one",
            "lease_fencing_token": "if_not_exists(#fencing_token, :zero) + :one",
            "lease_until": ":lease_until",
            "lease_token": ":our_token",
            "attempts": "if_not_exists(#attempts, :zero) + :one",
            "turn": "if_not_exists(#turn, :turn)",
            **ACTIVITY,
        },
        adds={"turn_messages": ":messages"},
        values={
            ":zero": 0,
            ":one": 1,
            ":now": milliseconds(now),
            ":lease_until": milliseconds(lease_until),
            ":our_token": token,
            ":turn": turn,
            ":messages": {turn_message_to_text(message) for message in messages},
            **activity_at(now),
        },
    )


def joining_update(conversation: Conversation, messages: frozenset[TurnMessage]) -> Update:
    """Return an update that joins messages to the open turn of a claimed conversation."""
    update = if_still_ours(conversation)
    update.adds["turn_messages"] = ":messages"
    update.values[":messages"] = {turn_message_to_text(message) for message in messages}
    return update


def if_still_ours(conversation: Conversation) -> Update:
    """Return an empty update with the condition that the fencing token is as our claim left it."""
    return Update(condition=STILL_OURS, values={":our_fencing_token": conversation.fencing_token})


def if_our_lease(conversation: Conversation, *, removes: Iterable[str]) -> Update:
    """Return an update that removes attributes on the condition that the lease is ours, whatever the fencing token."""
    return Update(condition=WITH_OUR_LEASE, removes=removes, values={":our_token": conversation.lease_token})


def closing_update(conversation: Conversation, *, coverage: Coverage, owner: Owner, now: datetime) -> Update:
    """Return an update that closes the open turn of a claimed conversation.

    `handled` and `requeued` lose only the indices that we know of: a takeover or a hand back may add others meanwhile.
    """
    update = if_still_ours(conversation)
    update.removes = (*LEASE, *TURN, "pending_reply")
    update.sets |= {"low_watermark": ":low_watermark", "gaps": ":gaps"}
    update.values[":low_watermark"] = coverage.low_watermark
    update.values[":gaps"] = {str(index): milliseconds(noticed) for index, noticed in coverage.gaps.items()}
    if answered_again := conversation.coverage.requeued - coverage.requeued:
        update.deletes["requeued"] = ":requeued"
        update.values[":requeued"] = set(answered_again)
    if handled := coverage.handled or conversation.coverage.handled:  # one expression may add or delete, not both
        (update.adds if coverage.handled else update.deletes)["handled"] = ":handled"
        update.values[":handled"] = set(handled)
    if owner is not conversation.owner:
        update.sets |= {"owner": ":owner", "owner_changed_at": ":now"}
        update.values |= {":owner": owner.value, ":now": milliseconds(now)}
    return update


def raise_fencing_token(now: datetime) -> Update:
    """Return an update that takes the conversation from the worker that holds it."""
    return Update(
        sets={
            "fencing_token": "if_not_exists(#fencing_token, :zero) + :one",
            "ownership_epoch": "if_not_exists(#ownership_epoch, :zero) + :one",
            **ACTIVITY,
        },
        values={":zero": 0, ":one": 1, **activity_at(now)},
    )


def change_of_owner(owner: Owner, at: datetime) -> Update:
    """Return an update that sets the owner, on the condition that no newer event has set it."""
    update = raise_fencing_token(at)
    update.condition = NEWER
    update.sets |= {"owner": ":owner", "owner_changed_at": ":at"}
    update.values |= {":owner": owner.value, ":at": milliseconds(at)}
    if owner is Owner.HUMAN:
        update.sets |= {"human_shard": ":shard", "human_since": "if_not_exists(#human_since, :at)"}
    else:
        update.removes = HUMAN_OWNER
    return update


def activity_at(now: datetime) -> dict[str, Any]:
    """Return the values of `ACTIVITY`: after any change of a conversation, the sweeper checks it again soon."""
    return {
        ":activity": milliseconds(now),
        ":active_check": milliseconds(now + MIN_CHECK_INTERVAL),
        ":shard": SHARD,
        ":ttl": epoch_seconds(now + RETENTION),
    }


def epoch_seconds(moment: datetime) -> int:
    """Return a time as epoch seconds, as DynamoDB's TTL wants it."""
    return round(moment.timestamp())
