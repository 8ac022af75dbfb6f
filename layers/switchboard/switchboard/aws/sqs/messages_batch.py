"""An SQS batch of messages: one turn a conversation, all at once, each record deleted or returned on its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from switchboard.aws.sqs.queue import Queue, Record, backoff_seconds, read_record
from switchboard.errors import Malformed, Transient
from switchboard.events import MessageAdded
from switchboard.turn.result import TurnResult

type TakeTurn = Callable[[Sequence[MessageAdded]], TurnResult]
type RecordDecision = Callable[[str, Mapping[str, str | int]], None]
type RecordError = Callable[[Exception, Mapping[str, str | int]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesBatch:
    """Takes the turns of a batch. `record_decision` and `record_error` are called in the handler's thread."""

    queue: Queue
    dead_letters: Queue
    clock: Callable[[], datetime]
    coalesce: timedelta
    record_decision: RecordDecision
    record_error: RecordError

    def answer(self, raw_records: Iterable[Mapping[str, Any]], take_turn: TakeTurn) -> list[str]:
        """Take one turn for each conversation of the batch, and return the ids of the records that must come back."""
        returned: list[str] = []
        conversations: dict[str, list[Record]] = {}
        for raw in raw_records:
            try:
                record = read_record(raw)
                _message(record)
            except Malformed as error:
                self.record_error(error, {})
                returned += self._bury(raw)
            else:
                conversations.setdefault(record.event.conversation_sid, []).append(record)
        for sid, records in list(conversations.items()):
            if wait_seconds := self._coalesces_for(records):
                self.record_decision("coalescing", {"conversation_sid": sid})
                returned += self._return(conversations.pop(sid), wait_seconds)
        if conversations:
            returned += self._take_turns(conversations, take_turn)
        return returned

    def _bury(self, raw: Mapping[str, Any]) -> list[str]:
        """Copy a record that is not an event to the dead-letter queue: it may not hold up its conversation.

        Return its id where the copy failed, and the record comes back.
        """
        try:
            self.dead_letters.copy_record(raw)
        except Transient as error:
            self.record_error(error, {})
            self._try(lambda: self.queue.return_with_backoff([raw]))
            return [raw["messageId"]]
        return []

    def _coalesces_for(self, records: Sequence[Record]) -> int:
        """Return how many seconds new records still wait for others, to be answered together with them."""
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

    def _settle(
        self, sid: str, records: Sequence[Record], turn: Future[TurnResult], *, others_think: bool
    ) -> list[str]:
        """Return the ids of the records that the turn did not acknowledge.

        The acknowledged ones are deleted now if others still think: Lambda deletes them only when the batch has ended.
        """
        try:
            result = turn.result()
        except Transient as error:
            self.record_error(error, {"conversation_sid": sid})
            return self._return(records, _backoff_seconds(records))
        except Exception as error:  # noqa: BLE001 -- the outermost edge: a failed turn must not fail the others
            self.record_error(error, {"conversation_sid": sid})
            return [record.message_id for record in records]
        facts: dict[str, str | int] = {
            "conversation_sid": sid,
            "messages": result.messages,
            "records": len(records),
            "cause": result.cause,
        }
        self.record_decision(result.outcome, facts)
        if result.duplicate_replies:
            self.record_decision("duplicate_reply", facts)
        done = [record for record in records if _message(record).message_sid in result.acknowledged]
        if others_think and done:
            self._try(lambda: self.queue.delete(done))
        return self._return([record for record in records if record not in done], result.retry_after_seconds)

    def _return(self, records: Sequence[Record], seconds: int) -> list[str]:
        if records:
            self._try(lambda: self.queue.return_after([record.receipt_handle for record in records], seconds))
        return [record.message_id for record in records]

    def _try(self, request: Callable[[], None]) -> None:
        """Make a request to SQS. Where it fails, the records come back when their visibility timeout ends."""
        try:
            request()
        except Transient as error:
            self.record_error(error, {})


def _backoff_seconds(records: Sequence[Record]) -> int:
    """Return when a turn that could not be claimed or given back is tried again: SQS counts each delivery."""
    return backoff_seconds(records[0].message_id, deliveries=max(record.receives for record in records))


def _messages(records: Sequence[Record]) -> tuple[MessageAdded, ...]:
    return tuple(_message(record) for record in records)


def _message(record: Record) -> MessageAdded:
    if not isinstance(record.event, MessageAdded):
        raise Malformed(f"SQS record {record.message_id}: the messages queue carries messages only")
    return record.event
