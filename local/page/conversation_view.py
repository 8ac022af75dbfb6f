"""What the pane shows of a conversation: its state in a few words, its turns, and the axis of one of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.page import words
from local.page.bars import bars_of, ending_of
from local.page.grouping import Turn, fields_of, group
from local.page.recorder import Happened, Kind, Recorder
from switchboard.aws.dynamodb.items import HISTORY, from_wire

WINDOW = timedelta(hours=24)
CONVERSATION = "CONVERSATION"  # the sort key of the conversation's own item
TURN = "#TURN#"  # stands before the turn's id in the sort key of its record
MAX_TITLE = 90  # characters of what the customer said
WHY_A_HUMAN = {
    "message": "they wrote",
    "attribute": "a program took it over",
    "handoff": "the assistant handed over",
    "failure": "a turn failed",
}
type Items = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The conversations' table of the local AWS."""

    client: Callable[[], Any]  # boto3 makes its client classes at run time
    name: str

    def items(self, conversation_sid: str) -> Items:
        """Return all items of a conversation by their sort keys, as they lie there (a consistent read)."""
        pages = (
            self.client()
            .get_paginator("query")
            .paginate(
                TableName=self.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :sid",
                ExpressionAttributeValues={":sid": {"S": conversation_sid}},
            )
        )
        return {item["sk"]["S"]: from_wire(item) for page in pages for item in page["Items"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """Reads the recorder and the table. `model` is the one that the assistant is on.

    Twilio's clock, by which WhatsApp's window closes, is `ahead` of this machine's.
    """

    recorder: Recorder
    table: Table
    model: str
    ahead: Callable[[], timedelta]
    clock: Callable[[], float] = time.time

    def of(self, conversation_sid: str, *, turn: str = "") -> Mapping[str, Any]:
        """Return the pane's content: the axis is that of `turn`, or of the latest one."""
        now = self.clock() * 1000
        events, items = self.recorder.of(conversation_sid), self.table.items(conversation_sid)
        turns = group(events, sent=_sent(items))
        chosen = _chosen(turns, turn)
        return {
            "conversation": conversation_sid,
            "now": now,
            "summary": self._summary(events, items, now=now),
            "turns": [_head(each, items) for each in reversed(turns)],
            "axis": _axis(chosen, now=now) if chosen else None,
        }

    def facts(self, conversation_sid: str, number: int) -> Mapping[str, Any] | None:
        """Return everything that is known of one thing that happened."""
        happened = self.recorder.find(conversation_sid, number)
        return {"kind": happened.kind.value, "at": happened.at, **happened.facts} if happened else None

    def stored(self, conversation_sid: str, *, turn: str = "") -> Mapping[str, Any]:
        """Return the conversation's item as it lies in the table, and a turn's record, if it has one yet."""
        items = self.table.items(conversation_sid)
        return {"item": plain(items.get(CONVERSATION)), "record": plain(record_of(items, turn)), "turn": turn}

    def _summary(self, events: Sequence[Happened], items: Items, *, now: float) -> list[Mapping[str, str]]:
        item = items.get(CONVERSATION, {})
        records = [items[key] for key in sorted(items) if key.startswith(HISTORY) and "outcome" in items[key]]
        owner = str(item.get("owner", "assistant"))
        why = WHY_A_HUMAN.get(str(item.get("owner_reason", "")), "")
        rows = {
            "State": "closed" if item.get("state") == "closed" else "open",
            "Owner": f"a human: {why}" if owner == "human" and why else owner,
            "WhatsApp window": _window(events, datetime.fromtimestamp(now / 1000, UTC) + self.ahead()),
            "Consent": "wants no messages" if item.get("opted_out") else "may be texted",
            "Last reply": _cost(records),
            "Model": self._model(events),
        }
        return [{"name": name, "value": value} for name, value in rows.items() if value]

    def _model(self, events: Sequence[Happened]) -> str:
        used = [each.facts for each in events if each.kind is Kind.DECISION and each.facts["decision"] == "model_used"]
        if not used:
            return f"{self.model}, free" if self.model == "offline" else self.model
        last = used[-1]
        return f"{self.model}, {last['input_tokens']:,} tokens in, {last['output_tokens']:,} out"


def record_of(items: Items, turn: str) -> Mapping[str, Any] | None:
    """Return a turn's record."""
    return next((item for key, item in items.items() if turn and key.endswith(f"{TURN}{turn}")), None)


def _sent(items: Items) -> Mapping[str, Sequence[str]]:
    """Return the messages that each turn's record names."""
    turns = {key.partition(TURN)[2]: item.get("sent", ()) for key, item in items.items() if TURN in key}
    return {turn: [str(sid) for sid in sids] for turn, sids in turns.items()}


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever an item holds
    """Return a value of an item in JSON's types: numbers as numbers, sets in order."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in sorted(value.items())}
    if isinstance(value, set | frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _chosen(turns: Sequence[Turn], key: str) -> Turn | None:
    latest = [each for each in turns if each.is_turn] or turns
    return next((each for each in turns if each.key == key), latest[-1] if latest else None)


def _head(turn: Turn, items: Items) -> Mapping[str, Any]:
    """Return a turn's line in the list."""
    ending = ending_of(turn)
    record = record_of(items, turn.key) or {}
    title = " · ".join(record.get("said") or [fields_of(each).get("Body", "") for each in turn.asked]) or "no words"
    if not turn.is_turn:
        said = [_say(each) for each in turn.beside]
        title = "; ".join(dict.fromkeys(said))
    return {
        "key": turn.key,
        "is_turn": turn.is_turn,
        "title": title if len(title) <= MAX_TITLE else f"{title[:MAX_TITLE]}…",
        "at": turn.began_at(),
        "outcome": str(ending.facts["decision"]) if ending else "",
        "said": words.say_decision(ending.facts) if ending else "",
        "tone": words.tone_of(str(ending.facts["decision"])) if ending else words.WAIT,
        "attempts": sum(bool(each.steps) for each in turn.attempts),
        "milliseconds": round(turn.attempts[-1].last_at - turn.began_at()) if ending else None,
        "has_record": bool(record),
        "replied": "\n\n".join(record.get("parts", ())),
    }


def _say(happened: Happened) -> str:
    if happened.kind in {Kind.WEBHOOK, Kind.LOST}:
        said = words.say_event(fields_of(happened))
        return f"Sent again: {said}" if happened.facts.get("replay") else said
    return str(happened.facts["decision"]).replace("_", " ")


def _axis(turn: Turn, *, now: float) -> Mapping[str, Any]:
    bars = bars_of(turn)
    ends = [bar.end for bar in bars if bar.end is not None]
    is_live = any(bar.end is None for bar in bars)
    return {
        "key": turn.key,
        "start": min(bar.start for bar in bars),
        "end": now if is_live else max(ends),
        "is_live": is_live,
        "bars": [bar.as_json() for bar in bars],
    }


def _window(events: Sequence[Happened], now: datetime) -> str:
    """Return until when WhatsApp takes what we write; nothing on another channel."""
    told = [fields_of(each) for each in events if each.kind is Kind.WEBHOOK]
    texts = [each for each in told if each.get("EventType") == "onMessageAdded"]
    since = [each["DateCreated"] for each in texts if each.get("Author", "").startswith("whatsapp:")]
    if not since:
        return ""
    ends = datetime.fromisoformat(max(since)) + WINDOW
    return f"open until {ends.astimezone():%a %H:%M}" if now < ends else f"closed since {ends.astimezone():%a %H:%M}"


def _cost(records: Sequence[Mapping[str, Any]]) -> str:
    """Return what the last reply was, and cost."""
    cost = next((each["cost"] for each in reversed(records) if each.get("cost")), None)
    if cost is None:
        return ""
    messages, segments = int(cost["messages"]), int(cost["segments"])
    size = f"{segments} segment{'s' * (segments != 1)}" if segments else f"{messages} message{'s' * (messages != 1)}"
    return f"{size}, {cost['price']} {cost['currency']}" if cost.get("price") else size
