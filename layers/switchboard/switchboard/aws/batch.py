"""An SQS batch of messages: one turn a conversation, all at once, each record deleted or returned on its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from switchboard.aws.queue import Queue, Record, read_record
from switchboard.claimed import Outcome
from switchboard.errors import Malformed, Transient
from switchboard.events import MessageAdded

type TakeTurn = Callable[[Sequence[MessageAdded]], Outcome]
type Decided = Callable[[str, Mapping[str, str | int]], None]
type Failed = Callable[[Exception, Mapping[str, str | int]], None]

RETRY_SECONDS = 2  # when the turn could not even be claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesBatch:
    """Takes the turns of a batch. `decided` and `failed` are told what became of each, in the handler's thread."""

    queue: Queue
    clock: Callable[[], datetime]
    coalesce: timedelta
    decided: Decided
    failed: Failed

    def answer(self, raw_records: Iterable[Mapping[str, Any]], take_turn: TakeTurn) -> list[str]:
        """Take one turn for each conversation of the batch, and return the ids of the records that must come back."""
        returned: list[str] = []
        conversations: dict[str, list[Record]] = {}
        for raw in raw_records:
            try:
                record = read_record(raw)
                _message(record)
            except Malformed as error:
                self.failed(error, {})
                returned.append(str(raw.get("messageId")))
            else:
                conversations.setdefault(record.event.conversation_sid, []).append(record)
        for sid, records in list(conversations.items()):
            if wait_seconds := self._gathers_for(records):
                self.decided("gathering", {"conversation_sid": sid})
                returned += self._return(conversations.pop(sid), wait_seconds)
        if conversations:
            returned += self._take_turns(conversations, take_turn)
        return returned

    def _gathers_for(self, records: Sequence[Record]) -> int:
        """Return how long records on their first receive still wait for others to answer together with."""
        if any(record.receives > 1 for record in records):
            return 0
        oldest = min(record.sent_at for record in records)
        return max(0, round((oldest + self.coalesce - self.clock()).total_seconds()))

    def _take_turns(self, conversations: Mapping[str, list[Record]], take_turn: TakeTurn) -> list[str]:
        returned: list[str] = []
        with ThreadPoolExecutor(max_workers=len(conversations), thread_name_prefix="turn") as threads:
            turns = {threads.submit(take_turn, _messages(records)): sid for sid, records in conversations.items()}
            thinking = len(turns)
            for turn in as_completed(turns):
                thinking -= 1
                sid = turns[turn]
                returned += self._settle(sid, conversations[sid], turn, others_think=thinking > 0)
        return returned

    def _settle(self, sid: str, records: Sequence[Record], turn: Future[Outcome], *, others_think: bool) -> list[str]:
        """Delete what the turn acknowledged now, if Lambda would wait for slower turns; return the rest."""
        try:
            outcome = turn.result()
        except Transient as error:
            self.failed(error, {"conversation_sid": sid})
            return self._return(records, RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 -- the outermost edge: a failed turn must not fail the others
            self.failed(error, {"conversation_sid": sid})
            return [record.message_id for record in records]
        facts: dict[str, str | int] = {
            "conversation_sid": sid,
            "messages": len(records),
            "cause": outcome.cause,
        }
        self.decided(outcome.decision, facts)
        if outcome.duplicate_replies:
            self.decided("duplicate_reply", facts)
        done = [record for record in records if _message(record).message_sid in outcome.acknowledged]
        if others_think and done:
            self._tell_queue(self.queue.delete, done)
        return self._return([record for record in records if record not in done], outcome.retry_after_seconds)

    def _return(self, records: Sequence[Record], seconds: int) -> list[str]:
        if records:
            self._tell_queue(lambda some: self.queue.return_after(some, seconds), records)
        return [record.message_id for record in records]

    def _tell_queue(self, tell: Callable[[Sequence[Record]], None], records: Sequence[Record]) -> None:
        """Tell SQS; if it does not listen, the records come back when their visibility timeout ends."""
        try:
            tell(records)
        except Transient as error:
            self.failed(error, {})


def _messages(records: Sequence[Record]) -> tuple[MessageAdded, ...]:
    return tuple(_message(record) for record in records)


def _message(record: Record) -> MessageAdded:
    if not isinstance(record.event, MessageAdded):
        raise Malformed(f"SQS record {record.message_id}: the messages queue carries messages only")
    return record.event
