"""A conversation's values as DynamoDB attributes, and back. Times are epoch milliseconds."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from switchboard.conversation import LONG_AGO, Conversation, Coverage, Draft, Ending, Joined, Kind, Owner, TurnRecord
from switchboard.ports import Exchange

type Item = Mapping[str, Any]

_SAID_TO_THE_CUSTOMER = frozenset({Ending.ANSWERED, Ending.HANDED_OFF, Ending.FELL_BACK})


def to_wire(values: Item) -> dict[str, Any]:
    """Return values in DynamoDB's typed form."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def from_wire(attributes: Item) -> dict[str, Any]:
    """Return values from DynamoDB's typed form."""
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in attributes.items()}


def milliseconds(moment: datetime) -> int:
    """Return a moment as epoch milliseconds."""
    return round(moment.timestamp() * 1000)


def moment(value: Any) -> datetime:  # noqa: ANN401 -- a number as the deserializer gives it
    """Return the moment of epoch milliseconds; nothing is long ago."""
    return datetime.fromtimestamp(int(value) / 1000, UTC) if value else LONG_AGO


def joined_to_text(message: Joined) -> str:
    """Return a joined message as one string of a string set."""
    return f"{message.index}#{message.message_sid}"


def conversation_from_item(sid: str, item: Item) -> Conversation:
    """Return the conversation that an item holds; what the item lacks is as in a new one."""
    return Conversation(
        sid=sid,
        began=moment(item.get("began")),
        owner=Owner(item.get("owner", Owner.AGENT)),
        owner_at=moment(item.get("owner_at")),
        closed=item.get("state") == "closed",
        opted_out_at=moment(item.get("opted_out_at")),
        era=int(item.get("era", 0)),
        fence=int(item.get("fence", 0)),
        lease_fence=int(item.get("lease_fence", 0)),
        lease_until=moment(item.get("lease_until")),
        lease_token=item.get("lease_token", ""),
        turn=item.get("turn", ""),
        turn_messages=frozenset(_joined(text) for text in item.get("turn_messages", ())),
        attempts=int(item.get("attempts", 0)),
        draft=_draft(item["draft"]) if "draft" in item else None,
        coverage=Coverage(
            floor=int(item.get("floor", -1)),
            seen=_numbers(item.get("seen", ())),
            holes={int(index): moment(noticed) for index, noticed in item.get("holes", {}).items()},
            reopened=_numbers(item.get("reopened", ())),
        ),
        left=_numbers(item.get("left", ())),
    )


def draft_to_value(draft: Draft) -> Item:
    """Return a draft as one map attribute."""
    return {
        "turn": draft.turn,
        "kind": draft.kind.value,
        "covers": sorted(draft.covers),
        "parts": list(draft.parts),
        "posts": list(draft.posts),
        "era": draft.era,
        "look_after": milliseconds(draft.look_after),
    }


def record_to_item(sid: str, record: TurnRecord) -> Item:
    """Return a turn's record as an item of its own, sorted by the first message it covers."""
    return {
        "pk": sid,
        "sk": f"TURN#{record.first_index:010}#{record.turn}",
        "message_sids": list(record.message_sids),
        "said": list(record.said),
        "parts": list(record.parts),
        "ending": record.ending.value,
        "rule": record.rule,
        "kind": record.kind.value if record.kind else "",
        "at": milliseconds(record.at),
    }


def exchanges_from_items(items: Iterable[Item]) -> tuple[Exchange, ...]:
    """Return turns' records as the agent is shown them: those in which the customer read a reply."""
    return tuple(
        Exchange(said=tuple(item["said"]), replied="\n\n".join(item["parts"]))
        for item in items
        if Ending(item["ending"]) in _SAID_TO_THE_CUSTOMER
    )


def _numbers(values: Any) -> frozenset[int]:  # noqa: ANN401 -- a number set as the deserializer gives it
    return frozenset(int(value) for value in values)


def _joined(text: str) -> Joined:
    index, _, message_sid = text.partition("#")
    return Joined(index=int(index), message_sid=message_sid)


def _draft(value: Item) -> Draft:
    return Draft(
        turn=value["turn"],
        kind=Kind(value["kind"]),
        covers=_numbers(value["covers"]),
        parts=tuple(value["parts"]),
        posts=tuple(int(posts) for posts in value["posts"]),
        era=int(value["era"]),
        look_after=moment(value["look_after"]),
    )
