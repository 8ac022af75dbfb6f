"""What happened, by conversation: the newest of it, kept in memory, from what the local stack reports."""

import json
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from local.activity import Activity, InvocationBegan, InvocationEnded, LogLine, Shown, WebhookLost
from local.page.changes import Changes
from local.page.log_lines import LoggedLine, read_line
from local.page.webhook_request import Fields, fields_of, is_replay

MAX_EVENTS = 500  # of a conversation
MAX_PROMPTS = 20  # of a conversation: each is the whole of what the model was shown
NO_LONGER_KEPT = {"part": "", "text": f"It is no longer kept: only what the last {MAX_PROMPTS} requests showed is."}
MAX_CONVERSATIONS = 200
MAX_NAMES = 2_000  # of turns and invocations of which it is known whose they are
SENDER = {"webhook"}  # the functions that Twilio calls


class Kind(StrEnum):
    """What was recorded."""

    WEBHOOK = "webhook"  # Twilio told something, and what it was answered
    LOST = "lost"  # Twilio told something, and it did not arrive, or was not answered in time
    DELIVERED = "delivered"  # a function was given records of the conversation
    STEP = "step"  # a step of a turn has ended
    TOOL = "tool"  # a tool was called
    MODEL = "model"  # the model was asked
    DECISION = "decision"  # a decision, or an error, that a function logged
    ENDED = "ended"  # the function that was given records has returned, or died


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened in a conversation, at `at`, in epoch milliseconds; `number` counts all of them."""

    number: int
    at: float
    kind: Kind
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invocation:
    """An invocation that runs: when it began, and with what."""

    at: float
    event: Mapping[str, Any]
    conversations: Mapping[str, Sequence[Mapping[str, Any]]]  # the records of each


@dataclass(kw_only=True)
class Recorder:
    """Keeps what happened in the newest conversations. Any thread may call it; `changes` wakes who watches."""

    clock: Callable[[], float] = time.time
    changes: Changes = field(default_factory=Changes)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _number: int = 0
    _events: OrderedDict[str, deque[Happened]] = field(default_factory=OrderedDict)
    _running: dict[str, _Invocation] = field(default_factory=dict)
    _named: OrderedDict[str, tuple[str, ...]] = field(default_factory=OrderedDict)  # conversations by turn, by request

    def __call__(self, activity: Activity) -> None:
        """Keep what an activity tells of conversations."""
        now = round(self.clock() * 1000, 1)
        with self._lock:
            match activity:
                case InvocationBegan():
                    self._begin(activity, now)
                case InvocationEnded():
                    self._end(activity, now)
                case LogLine(text=text):
                    if line := read_line(text):
                        self._log(activity.function, line)
                case Shown(values=values):
                    self._show(values)
                case WebhookLost(fields=fields, reason=reason):
                    sid = dict(fields).get("ConversationSid", "")
                    self._add(sid, now, Kind.LOST, {"fields": list(fields), "reason": reason})
                case _:
                    pass  # the phones and the terminal show it

    def of(self, conversation_sid: str) -> list[Happened]:
        """Return what happened in a conversation, in its order."""
        with self._lock:
            return sorted(self._events.get(conversation_sid, ()), key=lambda each: each.at)

    def find(self, conversation_sid: str, number: int) -> Happened | None:
        """Return one thing that happened; None where it is not kept any more."""
        return next((each for each in self.of(conversation_sid) if each.number == number), None)

    def _begin(self, began: InvocationBegan, now: float) -> None:
        event = began.event if isinstance(began.event, Mapping) else {}
        records: dict[str, list[Mapping[str, Any]]] = {}
        for record in event.get("Records", ()):
            sid = str(record.get("attributes", {}).get("MessageGroupId", ""))
            records.setdefault(sid, []).append(_record_facts(record))
        if began.function in SENDER and (fields := fields_of(event)):
            records[dict(fields).get("ConversationSid", "")] = []
        self._running[began.request_id] = _Invocation(at=now, event=event, conversations=records)
        self._name(began.request_id, records)
        for sid, facts in records.items():
            if facts:
                about = {"function": began.function, "request": began.request_id, "records": facts}
                self._add(sid, now, Kind.DELIVERED, about)

    def _end(self, ended: InvocationEnded, now: float) -> None:
        invocation = self._running.pop(ended.request_id, None)
        if invocation is None:
            return
        if ended.function in SENDER and (fields := fields_of(invocation.event)):
            self._add_webhook(invocation, fields, ended)
            return
        back = _returned(ended.result)
        for sid, records in invocation.conversations.items():
            facts = {
                "function": ended.function,
                "request": ended.request_id,
                "outcome": ended.outcome.value,
                "detail": ended.detail,
                "milliseconds": ended.milliseconds,
                "comes_back": [each["message_sid"] for each in records if each["id"] in back],
            }
            self._add(sid, now, Kind.ENDED, facts)

    def _add_webhook(self, invocation: _Invocation, fields: Fields, ended: InvocationEnded) -> None:
        result = ended.result if isinstance(ended.result, Mapping) else {}
        facts = {
            "fields": fields,
            "status": int(result.get("statusCode", 500)),
            "milliseconds": ended.milliseconds,
            "request": ended.request_id,
            "replay": is_replay(invocation.event),
        }
        self._add(dict(fields).get("ConversationSid", ""), invocation.at, Kind.WEBHOOK, facts)

    def _log(self, function: str, line: LoggedLine) -> None:
        sids = [line.conversation_sid] if line.conversation_sid else []
        if line.turn and line.conversation_sid:
            self._name(line.turn, [line.conversation_sid])
        sids = sids or list(self._named.get(line.turn) or self._named.get(line.request, ()))
        facts = {"function": function, "request": line.request, **line.facts}
        for sid in sids:
            if line.is_step:
                self._add(sid, line.at, Kind.STEP, facts)
            elif not line.is_debug:
                self._add(sid, line.at, Kind.DECISION, {"decision": line.message, "level": line.level, **facts})

    def _show(self, values: Mapping[str, Any]) -> None:
        facts = dict(values)
        kind, at, sid = Kind(facts.pop("kind")), facts.pop("at") * 1000, facts.pop("conversation")
        self._add(sid, at, kind, facts)

    def _name(self, turn_or_request: str, conversation_sids: Iterable[str]) -> None:
        """Keep whose a turn or an invocation is: its lines may come after its end, and may not say it."""
        self._named[turn_or_request] = tuple(conversation_sids)
        if len(self._named) > MAX_NAMES:
            self._named.popitem(last=False)

    def _add(self, sid: str, at: float, kind: Kind, facts: Mapping[str, Any]) -> None:
        if not sid.startswith("CH"):
            return
        self._number += 1
        events = self._events.setdefault(sid, deque(maxlen=MAX_EVENTS))
        events.append(Happened(number=self._number, at=at, kind=kind, facts=facts))
        if kind is Kind.MODEL:
            _forget_prompt(events)
        self._events.move_to_end(sid)
        if len(self._events) > MAX_CONVERSATIONS:
            self._events.popitem(last=False)
        self.changes.tell(sid)


def _forget_prompt(events: deque[Happened]) -> None:
    """Keep what the model was shown of the newest requests alone."""
    asked = [place for place, each in enumerate(events) if each.kind is Kind.MODEL]
    for place in asked[:-MAX_PROMPTS][-1:]:  # those before it have none any more
        events[place] = replace(events[place], facts={**events[place].facts, "shown": [NO_LONGER_KEPT]})


def _record_facts(record: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = record.get("attributes", {})
    try:
        body = json.loads(record.get("body", ""))
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    return {
        "id": record.get("messageId", ""),
        "type": str(body.get("type", "")),
        "message_sid": str(body.get("message_sid", "")),
        "again": bool(body.get("again")),
        "sent_at": int(attributes.get("SentTimestamp", 0)),
        "receives": int(attributes.get("ApproximateReceiveCount", 1)),
    }


def _returned(result: object) -> frozenset[str]:
    """Return the ids of the records that a function gave back."""
    failures: Iterable[Any] = result.get("batchItemFailures") or () if isinstance(result, Mapping) else ()
    return frozenset(str(each.get("itemIdentifier")) for each in failures)
