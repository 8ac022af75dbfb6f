"""Twilio and SQS in memory, under a virtual clock. The caller decides how each POST ends and how far lists lag."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from switchboard.errors import NotSent, SendRefused, Transient, Unknown
from switchboard.events import Marker, MessageAdded, Sent
from switchboard.memory import Memory
from tests.builders import NOON, from_assistant, message_added
from tests.simulation.people import AUTHOR_RULES, CUSTOMER

VISIBILITY_TIMEOUT = timedelta(seconds=120)
MAX_EVENT_AGE = timedelta(hours=1)
ANSWER_WITHIN = timedelta(minutes=5)
MAX_ATTEMPTS = 3
SHORT_MEMORY = Memory(due_items=2, kept_items=1, max_items=4)  # a summary is soon due
DEDUPLICATION_INTERVAL = timedelta(minutes=5)
MAX_RECEIVE_COUNT = 1000
CLIENT_TIMEOUT_SECONDS = 10  # connect 2 s, read 8 s
COMMITS_WITHIN_SECONDS = 29  # after the client's timeout; turn/timing.py allows 30
VERY_LATE_SECONDS = 200  # outside of what turn/timing.py allows: a second copy is possible
WRITES_OF_A_TURN = frozenset(
    {
        "claim",
        "join",
        "keep_notes",
        "change_consent",
        "refuse",
        "begin_effect",
        "end_effect",
        "freeze",
        "record_resend",
        "record",
        "settle",
        "give_back",
        "close_empty",
    }
)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class LateCommit:
    """A POST that Twilio commits after its client gave up."""

    at: datetime
    conversation_sid: str
    body: str
    marker: Marker


@dataclass(slots=True)
class Twilio:
    """The conversations at Twilio. `late` are the POSTs that Twilio has not committed yet.

    `on_reply` is called with the SID of a conversation that a reply of ours has reached.

    `blind_looks` counts, by part, the workers' looks that did not show it although a POST of it was on its way or done.
    """

    clock: Clock
    messages: dict[str, list[MessageAdded]] = field(default_factory=dict)
    late: list[LateCommit] = field(default_factory=list)
    posts: dict[Marker, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    list_lag: timedelta = timedelta(0)
    on_reply: Callable[[str], None] = lambda _sid: None
    blind_looks: Counter[Marker] = field(default_factory=Counter)

    def say(self, conversation_sid: str, body: str, *, author: str = CUSTOMER) -> MessageAdded:
        message = message_added(
            conversation_sid=conversation_sid,
            index=self._next_index(conversation_sid),
            body=body,
            author_role=AUTHOR_RULES.classify(author),
            author=author,
            at=self.clock(),
        )
        self.messages.setdefault(conversation_sid, []).append(message)
        return message

    def post(self, conversation_sid: str, body: str, marker: Marker, *, end: str) -> Sent:
        self.posts[marker] = self.posts.get(marker, 0) + 1
        if conversation_sid in self.closed:
            raise SendRefused(f"{conversation_sid}: closed", code=50377)
        match end:
            case "refused":
                raise SendRefused(f"{conversation_sid}: refused", code=50504)
            case "not_sent":
                self.posts[marker] -= 1
                raise NotSent(f"{conversation_sid}: 429")
            case "request_lost":
                raise Unknown(f"{conversation_sid}: timed out")
            case "late" | "very_late":
                self.clock.move(CLIENT_TIMEOUT_SECONDS)
                seconds = COMMITS_WITHIN_SECONDS if end == "late" else VERY_LATE_SECONDS
                self.late.append(LateCommit(self.clock() + timedelta(seconds=seconds), conversation_sid, body, marker))
                raise Unknown(f"{conversation_sid}: timed out")
            case "response_lost":
                self._commit(conversation_sid, body, marker)
                raise Unknown(f"{conversation_sid}: timed out")
            case _:
                return self._commit(conversation_sid, body, marker)

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self.commit_late_posts()
        newest_listed = self.clock() - self.list_lag
        messages = self.messages.get(conversation_sid, [])
        return tuple(m for m in messages if m.index >= from_index and m.at <= newest_listed)

    def note_look(self, conversation_sid: str, listed: Sequence[MessageAdded]) -> None:
        """Count what a worker's list does not show, and will show later."""
        there = {late.marker for late in self.late if late.conversation_sid == conversation_sid}
        there |= {m.marker for m in self.replies(conversation_sid) if m.marker}
        self.blind_looks.update(there - {message.marker for message in listed if message.marker})

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        created = {sid: messages[0].at for sid, messages in self.messages.items()}
        return sorted((sid for sid in created if created[sid] >= since), key=created.__getitem__, reverse=True)[:limit]

    def commit_late_posts(self) -> None:
        """Commit the late POSTs whose time has come."""
        for late in [late for late in self.late if late.at <= self.clock()]:
            self.late.remove(late)
            if late.conversation_sid in self.closed:
                continue
            self._commit(late.conversation_sid, late.body, late.marker)

    def replies(self, conversation_sid: str) -> list[MessageAdded]:
        return [message for message in self.messages.get(conversation_sid, []) if message.marker]

    def _commit(self, conversation_sid: str, body: str, marker: Marker) -> Sent:
        message = from_assistant(
            conversation_sid=conversation_sid,
            index=self._next_index(conversation_sid),
            turn=marker.turn,
            part=marker.part,
            body=body,
            at=self.clock(),
        )
        self.messages.setdefault(conversation_sid, []).append(message)
        self.on_reply(conversation_sid)
        return Sent(message_sid=message.message_sid, index=message.index)

    def _next_index(self, conversation_sid: str) -> int:
        existing = self.messages.get(conversation_sid, [])
        return existing[-1].index + 1 if existing else 0


@dataclass(slots=True)
class SqsRecord:
    message: MessageAdded
    visible_at: datetime
    receives: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receive of a record. It is void once the record was received again."""

    record: SqsRecord
    number: int

    @property
    def message(self) -> MessageAdded:
        return self.record.message


@dataclass(slots=True)
class FifoQueue:
    """A FIFO queue with a dead-letter queue: a message group waits while one of its records is not visible.

    While it `is_away` it takes and deletes nothing, and returns nothing before the visibility timeout.
    """

    clock: Clock
    records: dict[str, list[SqsRecord]] = field(default_factory=dict)
    sent: dict[str, datetime] = field(default_factory=dict)
    dead: list[MessageAdded] = field(default_factory=list)
    is_away: Callable[[], bool] = lambda: False
    redrives: "count[int]" = field(default_factory=count)

    def send(self, message: MessageAdded, *, deduplication_id: str = "") -> None:
        if self.is_away():
            raise ThrottledError
        key = deduplication_id or message.message_sid
        if key in self.sent and self.clock() - self.sent[key] < DEDUPLICATION_INTERVAL:
            return
        self.sent[key] = self.clock()
        self.records.setdefault(message.conversation_sid, []).append(SqsRecord(message, self.clock()))

    def redrive_to(self, queue: "FifoQueue") -> list[MessageAdded]:
        """Move every record to another queue, as our command and AWS do: the body stays, the ids are new."""
        moved = [record.message for records in self.records.values() for record in records]
        for message in moved:
            queue.send(message, deduplication_id=f"redriven {next(self.redrives)}")
        self.records.clear()
        return moved

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        for message in messages:
            self.send(message, deduplication_id=f"{message.message_sid}-{since}")

    def ready(self) -> list[str]:
        now = self.clock()
        return [group for group, records in self.records.items() if records and records_visible(records, now)]

    def receive(self, group: str, *, max_records: int = 10) -> list[Receipt]:
        records = self.records[group]
        if not records_visible(records, self.clock()):
            return []
        batch = records[:max_records]
        for record in batch:
            record.receives += 1
            record.visible_at = self.clock() + VISIBILITY_TIMEOUT
            if record.receives > MAX_RECEIVE_COUNT:
                self.dead.append(record.message)
                records.remove(record)
        return [Receipt(record, record.receives) for record in batch if record.receives <= MAX_RECEIVE_COUNT]

    def settle(self, batch: Sequence[Receipt], acknowledged: frozenset[str], retry_after_seconds: int) -> None:
        for receipt in batch if not self.is_away() else ():
            record = receipt.record
            if record.receives != receipt.number:
                continue
            records = self.records[record.message.conversation_sid]
            if record.message.message_sid in acknowledged:
                self.records[record.message.conversation_sid] = [each for each in records if each is not record]
            else:
                record.visible_at = self.clock() + timedelta(seconds=retry_after_seconds)

    def next_ready(self) -> datetime | None:
        """Return when the next group can be received. Its last record decides."""
        return min((max(r.visible_at for r in records) for records in self.records.values() if records), default=None)

    def is_empty(self) -> bool:
        return not any(self.records.values())


def records_visible(records: Sequence[SqsRecord], now: datetime) -> bool:
    return all(record.visible_at <= now for record in records)


class ThrottledError(Transient):
    """A call to DynamoDB, SQS, Twilio or the model failed, and may succeed later."""
