"""A batch of records, with fakes of SQS and of the table: what SQS was asked, and what was reported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from switchboard.aws.sqs.messages_batch import MessagesBatch, TakeTurn
from switchboard.aws.sqs.queue import Queue, encoded
from switchboard.conversation import Conversation
from switchboard.events import LifecycleEvent, MessageAdded
from switchboard.notices import Notice
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.result import TurnResult
from tests.builders import NOON, Clock, message_added, sid
from tests.fakes.event_bus import EventBusInMemory

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass
class SqsInMemory:
    """Keeps the requests that SQS received."""

    deleted: list[str] = field(default_factory=list)
    dead_letters: list[dict[str, str]] = field(default_factory=list)
    refuses: bool = False
    visible_after: dict[str, int] = field(default_factory=dict)
    on_delete: Callable[[], None] = lambda: None

    def send_message(self, **message: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "SendMessage")
        self.dead_letters.append(message)

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's
        assert QueueUrl
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]
        self.on_delete()
        return {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's
        assert QueueUrl
        self.visible_after |= {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in Entries}
        return {}


@dataclass
class Conversations(ConversationsInMemory):
    """The table, as a batch uses it beside its turns. Its calls named in `fails` raise."""

    fails: Mapping[str, Exception] = field(default_factory=dict)
    on_read: Callable[[], object] = lambda: None

    def read_unclaimed(self, sid: str) -> Conversation:
        self._fail("read_unclaimed")
        self.on_read()
        return ConversationsInMemory.read_unclaimed(self, sid)

    def let_go_first(self, suspect: Conversation) -> None:
        self._fail("let_go_first")
        ConversationsInMemory.let_go_first(self, suspect)

    def _fail(self, name: str) -> None:
        if name in self.fails:
            raise self.fails[name]


@dataclass
class Harness:
    sqs: SqsInMemory = field(default_factory=SqsInMemory)
    conversations: Conversations = field(default_factory=Conversations)
    clock: Clock = field(default_factory=Clock)
    decisions: list[str] = field(default_factory=list)
    facts: list[Mapping[str, str | int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    error_facts: list[Mapping[str, str | int]] = field(default_factory=list)
    bus: EventBusInMemory = field(default_factory=EventBusInMemory)
    bus_error: Exception | None = None
    shown: list[tuple[str, datetime]] = field(default_factory=list)
    deleted_before_publishing: list[str] = field(default_factory=list)

    def answer(
        self, records: list[dict[str, Any]], take_turn: TakeTurn, *, seconds: int = 60, coalesce_seconds: int = 0
    ) -> list[str]:
        """Answer a batch in a process that has so many seconds."""
        batch = MessagesBatch(
            queue=Queue(client=cast("SQSClient", self.sqs), url="https://sqs/messages.fifo"),
            dead_letters=Queue(client=cast("SQSClient", self.sqs), url="https://sqs/dead-letters.fifo"),
            conversations=self.conversations,
            clock=self.clock,
            coalesce=timedelta(seconds=coalesce_seconds),
            publish=self._publish,
            show_owner=lambda sid, until: self.shown.append((sid, until)),
            record_decision=self._record_decision,
            record_error=self._record_error,
        )
        return batch.answer(records, take_turn, lease_until=self.clock() + timedelta(seconds=seconds))

    def _publish(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        self.deleted_before_publishing = list(self.sqs.deleted)
        if self.bus_error:
            raise self.bus_error
        return self.bus.publish(notices)

    def _record_decision(self, decision: str, facts: Mapping[str, str | int]) -> None:
        self.decisions.append(decision)
        self.facts.append(facts)

    def _record_error(self, error: Exception, facts: Mapping[str, str | int]) -> None:
        self.errors.append(type(error).__name__)
        self.error_facts.append(facts)


def record(number: int, event: LifecycleEvent, *, receives: int = 1, age_seconds: float = 0) -> dict[str, Any]:
    sent_at = NOON - timedelta(seconds=age_seconds)
    return {
        "messageId": f"record-{number}",
        "receiptHandle": f"handle-{number}",
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "MessageGroupId": event.conversation_sid,
            "SentTimestamp": str(round(sent_at.timestamp() * 1000)),
        },
        "body": encoded(event),
    }


def of_conversation(number: int, index: int = 0) -> MessageAdded:
    return message_added(conversation_sid=sid("CH", number), index=index)


def answered(messages: Sequence[MessageAdded], _done_by: datetime) -> TurnResult:
    return TurnResult(outcome="answered", acknowledged=frozenset(message.message_sid for message in messages))
