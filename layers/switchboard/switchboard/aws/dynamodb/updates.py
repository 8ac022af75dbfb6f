"""What each step changes in a conversation's item, as one conditional UpdateItem; `client.py` sends it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from switchboard.aws.dynamodb.items import (
    milliseconds,
    pending_reply_to_value,
    recent_reply_to_text,
    to_wire,
    turn_message_to_text,
    undelivered_to_texts,
)
from switchboard.conversation import Conversation, Coverage, OwnerReason, PendingReply, TurnMessage
from switchboard.events import Owner
from switchboard.ports import MIN_CHECK_INTERVAL, Remembered, Settlement

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef  # for development only

RETENTION = timedelta(days=90)  # longer than the 28 days a record can live in a queue and its dead-letter queue
SHARD = "all"  # one partition of each index: a thousand writes a second, far above a service's 30 actions

LEASE = ("lease_fencing_token", "lease_until", "lease_token")
HUMAN_OWNER = ("human_shard", "human_since")  # only while a human owns it: the keys of the index by_owner
TURN = ("turn", "turn_started_at", "turn_messages", "attempts", "has_effects")
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
NEWER = "(attribute_not_exists(#owner_event_at) OR #owner_event_at < :at)"
# At equal times the human wins.
NEWER_TAKEOVER = f"({NEWER} OR (#owner_event_at = :at AND #owner = :assistant))"
# A hand back must also be newer than the handoff that it ends.
NEWER_HAND_BACK = f"{NEWER} AND (attribute_not_exists(#owner_since) OR #owner_since < :at)"


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
    messages: frozenset[TurnMessage],
    *,
    requeued: frozenset[int],
    turn: str,
    token: str,
    told_at: datetime,
    now: datetime,
    lease_until: datetime,
) -> Update:
    """Return an update that claims the conversation, unless another worker's lease is live.

    A lease is live while its time is not over and nobody has raised the fencing token since. `requeued` are indices
    that move there from `failed`, on the condition that they are in it.
    """
    update = Update(
        condition="attribute_not_exists(#lease_token) OR (#lease_token <> :our_token"
        " AND (#lease_until <= :now OR #lease_fencing_token <> #fencing_token))",
        sets={
            "fencing_token": "if_not_exists(#fencing_token, :zero) + :one",
            "lease_fencing_token": "if_not_exists(#fencing_token, :zero) + :one",
            "lease_until": ":lease_until",
            "lease_token": ":our_token",
            "attempts": "if_not_exists(#attempts, :zero) + :one",
            "turn": "if_not_exists(#turn, :turn)",
            "turn_started_at": "if_not_exists(#turn_started_at, :now)",
            **ACTIVITY,
            "first_seen_at": "if_not_exists(#first_seen_at, :told_at)",
        },
        adds={"turn_messages": ":messages"},
        removes=("goes_first",),
        values={
            ":zero": 0,
            ":one": 1,
            ":now": milliseconds(now),
            ":told_at": milliseconds(min(told_at, now)),
            ":lease_until": milliseconds(lease_until),
            ":our_token": token,
            ":turn": turn,
            ":messages": {turn_message_to_text(message) for message in messages},
            **activity_at(now),
        },
    )
    if requeued:
        _requeue(update, requeued)
        update.sets["redriven_at"] = ":now"
        are_failed = [f"contains(#failed, :failed_{index})" for index in requeued]
        update.condition = " AND ".join([f"({update.condition})", *are_failed])
        update.values |= {f":failed_{index}": index for index in requeued}
    return update


def _requeue(update: Update, indices: frozenset[int]) -> None:
    """Let messages wait for an answer again. They leave both sets, so that no two ways back can answer one."""
    update.adds["requeued"] = ":requeued"
    update.deletes |= dict.fromkeys(("left_to_human", "failed"), ":requeued")
    update.values[":requeued"] = set(indices)


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


def closing_update(conversation: Conversation, coverage: Coverage) -> Update:
    """Return an update that closes the open turn of a claimed conversation.

    `handled` loses only the indices that we know of: an older takeover may add others meanwhile. Whoever else writes
    `requeued` raises the fencing token.
    """
    update = if_still_ours(conversation)
    update.removes = (*LEASE, *TURN, "pending_reply")
    update.sets |= {"low_watermark": ":low_watermark", "gaps": ":gaps"}
    update.values[":low_watermark"] = coverage.low_watermark
    update.values[":gaps"] = {str(index): milliseconds(noticed) for index, noticed in coverage.gaps.items()}
    for name, indices in (("looked", coverage.looked), ("requeued", coverage.requeued)):
        if indices:
            update.sets[name] = f":{name}"
            update.values[f":{name}"] = set(indices)
        else:
            update.removes = (*update.removes, name)
    if handled := coverage.handled or conversation.coverage.handled:  # one expression may add or delete, not both
        (update.adds if coverage.handled else update.deletes)["handled"] = ":handled"
        update.values[":handled"] = set(handled)
    return update


def add_indices(update: Update, **sets: frozenset[int]) -> None:
    """Let an update add indices to sets of the item; an empty set adds nothing."""
    for name, indices in sets.items():
        if indices:
            update.adds[name] = f":{name}"
            update.values[f":{name}"] = set(indices)


def settling_update(conversation: Conversation, settlement: Settlement) -> Update:
    """Return an update that closes the open turn and changes the owner, where the settlement says so."""
    update = closing_update(conversation, settlement.coverage)
    add_indices(update, left_to_human=settlement.left_to_human, failed=settlement.failed)
    if settlement.recent_replies:
        update.sets["recent_replies"] = ":recent_replies"
        update.values[":recent_replies"] = [recent_reply_to_text(reply) for reply in settlement.recent_replies]
    if settlement.disclosure_unread:
        update.removes = (*update.removes, "disclosed_at")
    if settlement.answered_since:
        update.deletes["left_to_human"] = ":answered_since"
        update.values[":answered_since"] = set(settlement.answered_since)
    if settlement.human_because:
        update.sets |= {"owner": ":owner", "owner_reason": ":reason", "owner_since": ":since"}
        update.sets |= {"human_shard": ":shard", "human_since": "if_not_exists(#human_since, :since)"}
        update.values |= {
            ":owner": Owner.HUMAN.value,
            ":reason": settlement.human_because.value,
            ":since": milliseconds(settlement.at),
            ":shard": SHARD,
        }
    return update


def freezing_update(conversation: Conversation, pending_reply: PendingReply, remembered: Remembered) -> Update:
    """Return an update that stores a new reply, and gives back a conversation that a human has because of a failure.

    Attempts are counted anew: what killed workers while they thought says nothing of the reply. One that tells the
    customer that a machine answers is noted; so is what goes with a new summary, and whose conversation it is: on a
    failed delivery nobody tells us.
    """
    update = resending_update(conversation, pending_reply)
    update.sets["attempts"] = ":one"
    update.values[":one"] = 1
    if pending_reply.discloses:
        update.sets["disclosed_at"] = ":disclosed_at"
        update.values[":disclosed_at"] = milliseconds(pending_reply.frozen_at)
    if remembered.summary:
        update.sets["history_from"] = ":history_from"
        update.values[":history_from"] = remembered.summary.read_from
    if remembered.customer:
        update.sets["is_noted"] = ":true"
        update.values[":true"] = True
    if pending_reply.channel:
        update.sets["channel"] = ":channel"
        update.values[":channel"] = pending_reply.channel.value
    if conversation.customer:
        update.sets["customer"] = ":customer"
        update.values[":customer"] = conversation.customer
    if conversation.has_failed:
        update.sets["owner"] = ":owner"
        update.removes = ("owner_reason", "owner_since", *HUMAN_OWNER)
        update.values[":owner"] = Owner.ASSISTANT.value
    return update


def resending_update(conversation: Conversation, pending_reply: PendingReply) -> Update:
    """Return an update that stores what is known of the POSTs of a reply."""
    update = if_still_ours(conversation)
    update.sets["pending_reply"] = ":pending_reply"
    update.values[":pending_reply"] = pending_reply_to_value(pending_reply)
    return update


def raise_fencing_token(now: datetime) -> Update:
    """Return an update that takes the conversation from the worker that holds it. That is a verdict on its attempt."""
    return Update(
        sets={
            "fencing_token": "if_not_exists(#fencing_token, :zero) + :one",
            "ownership_epoch": "if_not_exists(#ownership_epoch, :zero) + :one",
            "attempts": ":zero",
            **ACTIVITY,
        },
        values={":zero": 0, ":one": 1, **activity_at(now)},
    )


def taking_over(reason: OwnerReason, at: datetime) -> Update:
    """Return an update that makes a human the owner, on the condition that no newer event has set the owner."""
    update = raise_fencing_token(at)
    update.condition = NEWER_TAKEOVER
    update.sets |= {"owner": ":owner", "owner_reason": ":reason", "owner_event_at": ":at"}
    # A word that comes late does not hide a handoff that is newer: a hand back must be newer than that.
    update.sets |= {"owner_since": "if_not_exists(#owner_since, :at)"}
    update.sets |= {"human_shard": ":shard", "human_since": "if_not_exists(#human_since, :at)"}
    update.values |= {
        ":owner": Owner.HUMAN.value,
        ":assistant": Owner.ASSISTANT.value,
        ":reason": reason.value,
        ":at": milliseconds(at),
    }
    return update


def handing_back(conversation: Conversation, at: datetime) -> Update:
    """Return an update that makes the assistant the owner, on the condition that the item is as it was read.

    Where the assistant owned it already, nothing is taken from anybody: fencing token, epoch and attempts stay.
    """
    update = raise_fencing_token(at)
    if conversation.owner is Owner.ASSISTANT:
        for name in ("fencing_token", "ownership_epoch", "attempts"):
            del update.sets[name]
        del update.values[":one"]
    update.condition = f"(attribute_not_exists(#fencing_token) OR {STILL_OURS})"
    update.values |= {
        ":our_fencing_token": conversation.fencing_token,
        ":owner": Owner.ASSISTANT.value,
        ":at": milliseconds(at),
    }
    update.sets |= {"owner": ":owner", "handed_back_at": ":at"}
    update.removes = ("owner_reason", "owner_since", *HUMAN_OWNER)
    if conversation.left_to_human and conversation.owner is Owner.HUMAN:
        _requeue(update, conversation.left_to_human)
    return update


def undelivering_update(conversation: Conversation, undelivered: Mapping[str, int | None], *, at: datetime) -> Update:
    """Return an update that keeps failed messages, on the condition that those kept are as they were read.

    It takes the conversation from nobody. An item that holds nothing else is deleted in time.
    """
    update = Update(condition="attribute_not_exists(#undelivered)")
    update.sets = {"undelivered": ":undelivered", "ttl": "if_not_exists(#ttl, :ttl)"}
    update.values = {":undelivered": undelivered_to_texts(undelivered), ":ttl": epoch_seconds(at + RETENTION)}
    if conversation.undelivered:
        update.condition = "#undelivered = :were"
        update.values[":were"] = undelivered_to_texts(conversation.undelivered)
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
