"""An SQS batch of messages: one turn a conversation, all at once, each record deleted or returned on its own.

A conversation whose last attempt ended without a verdict is taken alone, when the others have ended: `batch_plan.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from switchboard.aws.sqs.batch_plan import BatchPlan, plan_batch, put_off
from switchboard.aws.sqs.queue import Queue, Record, backoff_seconds, read_record
from switchboard.conversation import Conversation
from switchboard.cost import facts_of_cost
from switchboard.errors import Malformed, Transient
from switchboard.events import MessageAdded
from switchboard.notices import Notice, facts_of
from switchboard.ports import TurnStore
from switchboard.turn.result import TurnResult

type TakeTurn = Callable[[Sequence[MessageAdded], datetime], TurnResult]
# A notice is published while the others still think, or not at all: then a sweep does it. A request takes up to 3 s.
MIN_TIME_FOR_NOTICE = timedelta(seconds=8)

type Publish = Callable[[Sequence[Notice]], Sequence[Notice]]
type ShowOwner = Callable[[str, datetime], None]
type RecordDecision = Callable[[str, Mapping[str, str | int]], None]
type RecordError = Callable[[Exception, Mapping[str, str | int]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesBatch:
    """Takes the turns of a batch. `record_decision` and `record_error` are called in the handler's thread.

    `publish` tells people what a turn has decided, and `show_owner` shows at Twilio who owns its conversation, until a
    time at the latest: after its records were deleted or returned.
    """

    queue: Queue
    dead_letters: Queue
    conversations: TurnStore
    clock: Callable[[], datetime]
    coalesce: timedelta
    publish: Publish
    show_owner: ShowOwner
    record_decision: RecordDecision
    record_error: RecordError

    def answer(
        self, raw_records: Iterable[Mapping[str, Any]], take_turn: TakeTurn, *, lease_until: datetime
    ) -> list[str]:
        """Take one turn for each conversation of the batch, and return the ids of the records that must come back.

        `take_turn` is given a conversation's messages, and the time by which the turn must be done.
        """
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
        seen: dict[str, Conversation] = {}
        for sid, item in self._read_delivered_before(conversations).items():
            try:
                seen[sid] = item.result()
            except Exception as error:  # noqa: BLE001 -- the outermost edge: one item must not fail the others
                returned += self._return_failed(sid, conversations.pop(sid), error)
        plan = plan_batch(conversations, seen, now=self.clock(), lease_until=lease_until)
        return returned + self._follow(plan, conversations, take_turn, lease_until=lease_until)

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
        """Return how many seconds new records still wait for others, to be answered together with them.

        SQS counts whole seconds, so the wait is up to half a second longer or shorter.
        """
        if any(record.receives > 1 for record in records):
            return 0
        oldest = min(record.sent_at for record in records)
        return max(0, round((oldest + self.coalesce - self.clock()).total_seconds()))

    def _read_delivered_before(self, conversations: Mapping[str, Sequence[Record]]) -> dict[str, Future[Conversation]]:
        """Read the items of the conversations with a record that was delivered before; the others cost nothing."""
        sids = [sid for sid, records in conversations.items() if any(record.receives > 1 for record in records)]
        with ThreadPoolExecutor(max_workers=max(1, len(sids)), thread_name_prefix="read") as threads:
            return {sid: threads.submit(self.conversations.read_unclaimed, sid) for sid in sids}

    def _follow(
        self,
        plan: BatchPlan,
        conversations: Mapping[str, Sequence[Record]],
        take_turn: TakeTurn,
        *,
        lease_until: datetime,
    ) -> list[str]:
        returned: list[str] = []
        for sid, result in plan.returned.items():
            returned += self._settle(sid, conversations[sid], result)
        suspect = plan.last
        together = {sid: conversations[sid] for sid in plan.together}
        returned += self._take_turns(
            together, take_turn, done_by=plan.done_by, lease_until=lease_until, others_follow=suspect is not None
        )
        if suspect is None:
            return returned
        if self.clock() <= plan.done_by:
            alone = {suspect.sid: conversations[suspect.sid]}
            return returned + self._take_turns(alone, take_turn, done_by=lease_until, lease_until=lease_until)
        self._try(lambda: self.conversations.let_go_first(suspect))
        result = put_off("no time is left for a suspect")
        return returned + self._settle(suspect.sid, conversations[suspect.sid], result)

    def _take_turns(
        self,
        conversations: Mapping[str, Sequence[Record]],
        take_turn: TakeTurn,
        *,
        done_by: datetime,
        lease_until: datetime,
        others_follow: bool = False,
    ) -> list[str]:
        """Take turns at the same time, and return the ids of the records that they did not acknowledge.

        The acknowledged ones are deleted now if others still think or follow, or a notice is published: Lambda deletes
        them only when the batch has ended, and a crash would bring them back.
        """
        returned: list[str] = []
        told: dict[Future[Sequence[Notice]], str] = {}
        with ThreadPoolExecutor(max_workers=max(1, len(conversations)), thread_name_prefix="turn") as threads:
            turns = {
                threads.submit(take_turn, _messages(records), done_by): sid for sid, records in conversations.items()
            }
            thinking = len(turns)
            for turn in as_completed(turns):
                thinking -= 1
                sid = turns[turn]
                try:
                    result = turn.result()
                except Exception as error:  # noqa: BLE001 -- the outermost edge: a failed turn must not fail the others
                    returned += self._return_failed(sid, conversations[sid], error)
                else:
                    tells = result.notice is not None or result.owner_changed
                    is_last = thinking == 0 and not others_follow and not tells
                    returned += self._settle(sid, conversations[sid], result, is_last=is_last)
                    if tells and self.clock() <= lease_until - MIN_TIME_FOR_NOTICE:
                        told[threads.submit(self._tell, sid, result, lease_until)] = sid
        for notices, sid in told.items():
            self._report_told(sid, notices)
        return returned

    def _tell(self, sid: str, result: TurnResult, lease_until: datetime) -> Sequence[Notice]:
        """Tell people, then Twilio, what a turn has changed; return the notices that were published."""
        notices = self.publish([result.notice] if result.notice else [])
        if result.owner_changed:
            self.show_owner(sid, lease_until)
        return notices

    def _report_told(self, sid: str, told: Future[Sequence[Notice]]) -> None:
        try:
            notices = told.result()
        except Exception as error:  # noqa: BLE001 -- a sweep tells it; the turn has ended
            self.record_error(error, {"conversation_sid": sid})
        else:
            for notice in notices:
                self.record_decision("notified", facts_of(notice))

    def _return_failed(self, sid: str, records: Sequence[Record], error: Exception) -> list[str]:
        """Return the records of a conversation; what time may mend comes back in seconds."""
        self.record_error(error, {"conversation_sid": sid})
        if isinstance(error, Transient):
            return self._return(records, _backoff_seconds(records))
        return [record.message_id for record in records]

    def _settle(self, sid: str, records: Sequence[Record], result: TurnResult, *, is_last: bool = False) -> list[str]:
        """Report what became of a conversation; return the ids of the records that are not acknowledged."""
        facts: dict[str, str | int] = {
            "conversation_sid": sid,
            "messages": result.messages,
            "records": len(records),
            "cause": result.cause,
            **(facts_of_cost(result.cost) if result.cost else {}),
        }
        self.record_decision(result.outcome, facts)
        if result.duplicate_replies:
            self.record_decision("duplicate_reply", facts)
        if result.redrives_skipped:
            self.record_decision("redrive_skipped", {**facts, "messages": result.redrives_skipped})
        done = [record for record in records if _message(record).message_sid in result.acknowledged]
        if done and not is_last:
            self._try(lambda: self.queue.delete(done))
        return self._return([record for record in records if record not in done], result.retry_after_seconds)

    def _return(self, records: Sequence[Record], seconds: int) -> list[str]:
        if records:
            self._try(lambda: self.queue.return_after([record.receipt_handle for record in records], seconds))
        return [record.message_id for record in records]

    def _try(self, request: Callable[[], None]) -> None:
        """Make a request that only says when records come back. Where it fails, they come back at another time."""
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
