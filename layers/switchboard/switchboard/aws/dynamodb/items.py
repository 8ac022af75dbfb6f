"""A conversation's values as DynamoDB attributes, and back. Times are epoch milliseconds."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from switchboard.author import AuthorRole
from switchboard.channels.channel import Channel
from switchboard.consent import Consent
from switchboard.content import Content
from switchboard.conversation import (
    UNIX_EPOCH,
    Conversation,
    Coverage,
    Note,
    OwnerChange,
    OwnerReason,
    PendingReply,
    ReplyKind,
    Summary,
    TurnMessage,
    TurnOutcome,
    TurnRecord,
    owner_change,
)
from switchboard.cost import Cost, MessageCategory
from switchboard.effects import Effect, EffectState, TurnEffects
from switchboard.events import Owner
from switchboard.loops import LoopPause, RecentReply
from switchboard.notices import TOLD_TOGETHER, Notice, NoticeReason, NoticeType

type Item = Mapping[str, Any]

HISTORY = "HISTORY#"  # begins the sort key of each turn and note, so that one query returns both, in order
SUMMARY = f"{HISTORY}SUMMARY"  # the sort key of a conversation's summary: after all digits, so first of the newest
CUSTOMER = "CUSTOMER#"  # begins the partition of a customer's conversations
_TURN = "TURN#"
EFFECTS = "EFFECTS#"  # begins the sort key of what a turn's tools have changed
EFFECT = "effect "  # begins the name of the attribute that holds one of them
OWNERS = "OWNERS"  # the partition of the changes of owner that are to be shown
NOTICES = "NOTICES"  # the partition of the notices that are due
FAILURES = "FAILURES"  # of those that are told together


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
        human_spoke_index=int(item.get("human_spoke_index", -1)),
        handed_back_at=timestamp(item.get("handed_back_at")),
        redriven_at=timestamp(item.get("redriven_at")),
        closed=item.get("state") == "closed",
        consent=Consent(
            opted_out=item.get("opted_out", False),
            at=timestamp(item.get("consent_at")),
            index=int(item.get("consent_index", -1)),
            changed_by=int(item.get("consent_changed_by", -1)),
            by_twilio=item.get("consent_by_twilio", False),
        ),
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
        has_effects=item.get("has_effects", False),
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
        recent_replies=tuple(_recent_reply(text) for text in item.get("recent_replies", ())),
        loop_pause=_loop_pause(item["loop_pause"]) if "loop_pause" in item else None,
        disclosed_at=timestamp(item.get("disclosed_at")),
        is_noted=item.get("is_noted", False),
        customer=item.get("customer", ""),
        history_from=int(item.get("history_from", 0)),
        undelivered=dict(_undelivered(text) for text in item.get("undelivered", ())),
        channel=Channel(item["channel"]) if "channel" in item else None,
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
        "discloses": pending_reply.discloses,
        **({"calls": list(pending_reply.calls)} if pending_reply.calls else {}),
        **({"channel": pending_reply.channel.value} if pending_reply.channel else {}),
        **({"text": pending_reply.text} if pending_reply.text else {}),
        **({"content": _content_to_value(pending_reply.content)} if pending_reply.content else {}),
        **({"files": list(pending_reply.files)} if pending_reply.files else {}),
    }


def recent_reply_to_text(reply: RecentReply) -> str:
    """Return a recent reply as one short string: each byte of the item is paid for in every write."""
    times = (milliseconds(reply.frozen_at), milliseconds(reply.settled_at))
    return "#".join(map(str, (*times, reply.index, int(reply.asks), *sorted(reply.texts))))


def undelivered_to_texts(undelivered: Mapping[str, int | None]) -> list[str]:
    """Return failed messages as one short string each, in their order, which a map does not keep."""
    return [f"{message_sid}#{code or ''}" for message_sid, code in undelivered.items()]


def loop_pause_to_value(pause: LoopPause) -> Item:
    """Return a pause as one map attribute."""
    return {"since": milliseconds(pause.since), "times": pause.times, "texts": sorted(pause.texts)}


def history_key(index: int) -> str:
    """Return what the sort keys of the turns and notes at an index begin with: those of later ones are greater."""
    return f"{HISTORY}{index:010}"


def record_to_item(sid: str, record: TurnRecord) -> Item:
    """Return a turn's record as an item of its own."""
    return {
        "pk": sid,
        "sk": f"{history_key(record.index)}#{_TURN}{record.turn}",
        "ownership_epoch": record.ownership_epoch,
        "message_sids": list(record.message_sids),
        "said": list(record.said),
        "parts": list(record.parts),
        "outcome": record.outcome.value,
        "rule": record.rule,
        "kind": record.kind.value if record.kind else "",
        "at": milliseconds(record.at),
        **({"effects": list(record.effects)} if record.effects else {}),
        **({"calls": list(record.calls)} if record.calls else {}),
        **({"text": record.text} if record.text else {}),
        **({"cost": _cost_to_value(record.cost)} if record.cost else {}),
        **({"sent": list(record.sent)} if record.sent else {}),
    }


def note_to_item(sid: str, note: Note) -> Item:
    """Return a note as an item of its own."""
    return {
        "pk": sid,
        "sk": f"{history_key(note.index)}#NOTE",
        "author_role": note.author_role.value,
        "text": note.text,
        "at": milliseconds(note.at),
    }


def turn_or_note_from_item(item: Item) -> TurnRecord | Note:
    """Return what an item of the history holds; whom a turn was charged to is not stored."""
    index, _, kind = item["sk"].removeprefix(HISTORY).partition("#")
    at = timestamp(item["at"])
    if not kind.startswith(_TURN):
        return Note(index=int(index), author_role=AuthorRole(item["author_role"]), text=item["text"], at=at)
    return TurnRecord(
        turn=kind.removeprefix(_TURN),
        index=int(index),
        ownership_epoch=int(item["ownership_epoch"]),
        message_sids=tuple(item["message_sids"]),
        said=tuple(item["said"]),
        parts=tuple(item["parts"]),
        outcome=TurnOutcome(item["outcome"]),
        rule=item["rule"],
        at=at,
        customer="",
        kind=ReplyKind(item["kind"]) if item["kind"] else None,
        effects=tuple(item.get("effects", ())),
        calls=tuple(item.get("calls", ())),
        text=item.get("text", ""),
        cost=_cost(item["cost"]) if item.get("cost") else None,
        sent=tuple(item.get("sent", ())),
    )


def summary_to_item(sid: str, summary: Summary) -> Item:
    """Return a conversation's summary as an item of its own."""
    return {
        "pk": sid,
        "sk": SUMMARY,
        "index": summary.index,
        "text": summary.text,
        "at": milliseconds(summary.at),
        "gaps": sorted(summary.gaps),
    }


def summary_from_item(item: Item) -> Summary:
    """Return the summary that an item holds."""
    return Summary(index=int(item["index"]), text=item["text"], at=timestamp(item["at"]), gaps=_numbers(item["gaps"]))


def noted_to_item(customer: str, sid: str, at: datetime) -> Item:
    """Return, as an item of its own, that a conversation is a customer's; its sort key begins with the time."""
    return {"pk": f"{CUSTOMER}{customer}", "sk": f"{milliseconds(at):013}#{sid}"}


def effects_key(sid: str, turn: str) -> Item:
    """Return the key of the item that holds a turn's effects, each as an attribute of its own."""
    return {"pk": sid, "sk": f"{EFFECTS}{turn}"}


def effect_attribute(effect: Effect) -> str:
    """Return the name of an effect's attribute."""
    return f"{EFFECT}{effect.key}"


def effect_to_value(effect: Effect) -> Item:
    """Return an effect as one map attribute."""
    return {
        "tool": effect.tool,
        "call": effect.call,
        "arguments": effect.arguments,
        "token": effect.token,
        "settled_by": milliseconds(effect.settled_by),
        "state": effect.state.value,
        "result": effect.result,
    }


def effects_from_item(item: Item) -> TurnEffects:
    """Return the effects that an item holds."""
    effects = (_effect(value) for name, value in sorted(item.items()) if name.startswith(EFFECT))
    return TurnEffects(so_far=item.get("so_far", ""), effects=tuple(effects))


def notice_to_item(notice: Notice) -> Item:
    """Return a notice as an item of its own; its sort key begins with when it became due."""
    return {
        "pk": FAILURES if notice.type in TOLD_TOGETHER else NOTICES,
        "sk": f"{milliseconds(notice.at):013}#{notice.id}",
        "type": notice.type.value,
        "reason": notice.reason.value,
        "conversation_sid": notice.conversation_sid,
        "turn": notice.turn,
    }


def notice_from_item(item: Item) -> Notice:
    """Return the notice that an item holds."""
    at, _, notice_id = item["sk"].partition("#")
    return Notice(
        id=notice_id,
        type=NoticeType(item["type"]),
        reason=NoticeReason(item["reason"]),
        conversation_sid=item["conversation_sid"],
        at=timestamp(at),
        turn=item["turn"],
    )


def owner_change_to_item(change: OwnerChange) -> Item:
    """Return a change of owner as an item of its own; its sort key begins with when it was made."""
    return {
        "pk": OWNERS,
        "sk": f"{milliseconds(change.at):013}#{change.conversation_sid}",
        "owner": change.owner.value,
        "reason": change.reason,
        **({"shown_at": milliseconds(change.shown_at)} if change.shown_at else {}),
    }


def owner_change_from_item(item: Item) -> OwnerChange:
    """Return the change of owner that an item holds."""
    at, _, sid = item["sk"].partition("#")
    change = owner_change(sid, Owner(item["owner"]), item["reason"], at=timestamp(at))
    return replace(change, shown_at=timestamp(item["shown_at"])) if "shown_at" in item else change


def _numbers(values: Any) -> frozenset[int]:  # noqa: ANN401 -- a number set as the deserializer gives it
    return frozenset(int(value) for value in values)


def _cost_to_value(cost: Cost) -> Item:
    return {
        "channel": cost.channel.value,
        "messages": cost.messages,
        "segments": cost.segments,
        **({"category": cost.category.value} if cost.category else {}),
        **({"market": cost.market} if cost.market else {}),
        **({"price": cost.price, "currency": cost.currency} if cost.price is not None else {}),
    }


def _cost(value: Item) -> Cost:
    return Cost(
        channel=Channel(value["channel"]),
        messages=int(value["messages"]),
        segments=int(value["segments"]),
        category=MessageCategory(value["category"]) if "category" in value else None,
        market=value.get("market", ""),
        price=value.get("price"),
        currency=value.get("currency", ""),
    )


def _turn_message(text: str) -> TurnMessage:
    index, _, message_sid = text.partition("#")
    return TurnMessage(index=int(index), message_sid=message_sid)


def _undelivered(text: str) -> tuple[str, int | None]:
    message_sid, _, code = text.partition("#")
    return message_sid, int(code) if code else None


def _recent_reply(text: str) -> RecentReply:
    frozen_at, settled_at, index, asks, *texts = text.split("#")
    return RecentReply(
        frozen_at=timestamp(frozen_at),
        settled_at=timestamp(settled_at),
        index=int(index),
        asks=asks == "1",
        texts=frozenset(texts),
    )


def _effect(value: Item) -> Effect:
    return Effect(
        tool=value["tool"],
        call=int(value["call"]),
        arguments=value["arguments"],
        token=value["token"],
        settled_by=timestamp(value["settled_by"]),
        state=EffectState(value["state"]),
        result=value["result"],
    )


def _content_to_value(content: Content) -> Item:
    return {"sid": content.sid, "variables": dict(content.variables)}


def _loop_pause(value: Item) -> LoopPause:
    return LoopPause(since=timestamp(value["since"]), times=int(value["times"]), texts=frozenset(value["texts"]))


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
        discloses=value.get("discloses", False),
        calls=tuple(value.get("calls", ())),
        channel=Channel(value["channel"]) if "channel" in value else None,
        text=value.get("text", ""),
        content=Content(sid=value["content"]["sid"], variables=value["content"]["variables"])
        if "content" in value
        else None,
        files=tuple(value.get("files", ())),
    )
