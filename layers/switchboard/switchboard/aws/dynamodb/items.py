"""A conversation's values as DynamoDB attributes, and back. Times are epoch milliseconds."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from switchboard.agent import Exchange
from switchboard.conversation import (
    UNIX_EPOCH,
    Conversation,
    Coverage,
    OwnerReason,
    PendingReply,
    ReplyKind,
    TurnMessage,
    TurnOutcome,
    TurnRecord,
)
from switchboard.events import Owner

type Item = Mapping[str, Any]

_WAS_READ = frozenset({TurnOutcome.ANSWERED, TurnOutcome.HANDED_OFF, TurnOutcome.FELL_BACK})


def to_wire(values: Item) -> dict[str, Any]:
    """Return values in DynamoDB's typed form."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def from_wire(attributes: Item) -> dict[str, Any]:
    """Return values from DynamoDB's typed form."""
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in attributes.items()}


def milliseconds(time: datetime) -> int:
    """Return a time as epoch milliseconds."""
    return round(time.timestamp() * 1000)


def timestamp(value: Any) -> datetime:  # noqa: ANN401 -- a number as the deserializer gives it
    """Return the time of epoch milliseconds; where there is no value, the Unix epoch."""
    return datetime.fromtimestamp(int(value) / 1000, UTC) if value else UNIX_EPOCH


def turn_message_to_text(message: TurnMessage) -> str:
    """Return a message of the open turn as one string of a string set."""
    return f"{message.index}#{message.message_sid}"


def conversation_from_item(sid: str, item: Item) -> Conversation:
    """Return the conversation that an item holds. What the item lacks is as in a new conversation."""
    return Conversation(
        sid=sid,
        first_seen_at=timestamp(item.get("first_seen_at")),
        owner=Owner(item.get("owner", Owner.ASSISTANT)),
        owner_reason=OwnerReason(item["owner_reason"]) if "owner_reason" in item else None,
        owner_event_at=timestamp(item.get("owner_event_at")),
        owner_since=timestamp(item.get("owner_since")),
        human_spoke_at=timestamp(item.get("human_spoke_at")),
        handed_back_at=timestamp(item.get("handed_back_at")),
        redriven_at=timestamp(item.get("redriven_at")),
        closed=item.get("state") == "closed",
        opted_out_at=timestamp(item.get("opted_out_at")),
        ownership_epoch=int(item.get("ownership_epoch", 0)),
        fencing_token=int(item.get("fencing_token", 0)),
        lease_fencing_token=int(item.get("lease_fencing_token", 0)),
        lease_until=timestamp(item.get("lease_until")),
        lease_token=item.get("lease_token", ""),
        goes_first=item.get("goes_first", False),
        turn=item.get("turn", ""),
        turn_started_at=timestamp(item.get("turn_started_at")),
        turn_messages=frozenset(_turn_message(text) for text in item.get("turn_messages", ())),
        attempts=int(item.get("attempts", 0)),
        pending_reply=_pending_reply(item["pending_reply"]) if "pending_reply" in item else None,
        coverage=Coverage(
            low_watermark=int(item.get("low_watermark", -1)),
            handled=_numbers(item.get("handled", ())),
            gaps={int(index): timestamp(noticed) for index, noticed in item.get("gaps", {}).items()},
            looked=_numbers(item.get("looked", ())),
            requeued=_numbers(item.get("requeued", ())),
        ),
        left_to_human=_numbers(item.get("left_to_human", ())),
        failed=_numbers(item.get("failed", ())),
    )


def pending_reply_to_value(pending_reply: PendingReply) -> Item:
    """Return a pending reply as one map attribute."""
    return {
        "turn": pending_reply.turn,
        "kind": pending_reply.kind.value,
        "covers": sorted(pending_reply.covers),
        "parts": list(pending_reply.parts),
        "send_attempts": list(pending_reply.send_attempts),
        "ownership_epoch": pending_reply.ownership_epoch,
        "frozen_at": milliseconds(pending_reply.frozen_at),
        "verify_not_before": milliseconds(pending_reply.verify_not_before),
        "looks": pending_reply.looks,
    }


def record_to_item(sid: str, record: TurnRecord) -> Item:
    """Return a turn's record as an item of its own, sorted by the first message it covers."""
    return {
        "pk": sid,
        "sk": f"TURN#{record.first_index:010}#{record.turn}",
        "message_sids": list(record.message_sids),
        "said": list(record.said),
        "parts": list(record.parts),
        "outcome": record.outcome.value,
        "rule": record.rule,
        "kind": record.kind.value if record.kind else "",
        "at": milliseconds(record.at),
    }


def exchanges_from_items(items: Iterable[Item]) -> tuple[Exchange, ...]:
    """Return turns' records as the agent is shown them: what the customer read, and what went unanswered.

    What a human dealt with is left out, and so is a reply of which nobody knows whether it was read.
    """
    shown = ((item, TurnOutcome(item["outcome"])) for item in items)
    return tuple(
        Exchange(said=tuple(item["said"]), replied="\n\n".join(item["parts"]) if outcome in _WAS_READ else "")
        for item, outcome in shown
        if outcome in _WAS_READ or outcome is TurnOutcome.EXPIRED
    )


def _numbers(values: Any) -> frozenset[int]:  # noqa: ANN401 -- a number set as the deserializer gives it
    return frozenset(int(value) for value in values)


def _turn_message(text: str) -> TurnMessage:
    index, _, message_sid = text.partition("#")
    return TurnMessage(index=int(index), message_sid=message_sid)


def _pending_reply(value: Item) -> PendingReply:
    return PendingReply(
        turn=value["turn"],
        kind=ReplyKind(value["kind"]),
        covers=_numbers(value["covers"]),
        parts=tuple(value["parts"]),
        send_attempts=tuple(int(send_attempts) for send_attempts in value["send_attempts"]),
        ownership_epoch=int(value["ownership_epoch"]),
        frozen_at=timestamp(value["frozen_at"]),
        verify_not_before=timestamp(value["verify_not_before"]),
        looks=int(value["looks"]),
    )
