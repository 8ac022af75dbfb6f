"""Events in and out of the FIFO queues, as JSON. The message group is the conversation.

The webhook function loads this module at its cold start, so it uses no validating library. Only we write the bodies.
"""

import json
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from switchboard.author import AuthorRole
from switchboard.errors import Malformed, Transient
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    DeliveryFailed,
    LifecycleEvent,
    Marker,
    MessageAdded,
    Owner,
    OwnerSet,
    event_id,
)
from switchboard.media import Media

if TYPE_CHECKING:
    # For development only: boto3 makes its client classes at run time.
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
    )

MAX_BATCH_ENTRIES = 10  # of one batch request
BATCH_TRIES = 2  # a batch request succeeds although some of its entries fail
MIN_BACKOFF_SECONDS = 2
MAX_BACKOFF_SECONDS = 60

_TYPES = {
    **dict.fromkeys(("conversation_sid", "message_sid", "author", "body", "delivery_receipt_sid", "status"), str),
    "index": int,
    "again": bool,
}
_EVENTS = {kind.__name__: kind for kind in (MessageAdded, ConversationStateUpdated, OwnerSet, DeliveryFailed)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One SQS record that carries an event."""

    message_id: str
    receipt_handle: str
    receives: int
    sent_at: datetime
    event: LifecycleEvent


def read_record(raw: Mapping[str, Any]) -> Record:
    """Return a record of a Lambda SQS batch; raise `Malformed` where its body is not an event."""
    try:
        return Record(
            message_id=raw["messageId"],
            receipt_handle=raw["receiptHandle"],
            receives=int(raw["attributes"]["ApproximateReceiveCount"]),
            sent_at=datetime.fromtimestamp(int(raw["attributes"]["SentTimestamp"]) / 1000, UTC),
            event=_decoded(json.loads(raw["body"])),
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Malformed(f"SQS record {raw.get('messageId')} does not carry an event ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A FIFO queue of events."""

    client: "SQSClient"
    url: str

    def send(self, event: LifecycleEvent) -> None:
        """Queue an event, once in five minutes however often Twilio tells it. Raise `Transient` where SQS refuses."""
        self._send(event, event_id(event))

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        """Queue messages that were delivered before; a repeat with the same `since` adds nothing."""
        for message in messages:
            self._send(message, f"{event_id(message)}-{since.timestamp():.3f}")

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        """Queue messages as they are, for a dead-letter queue; a repeat for the same turn adds nothing.

        A message that was redriven and fails again within SQS's five minutes has failed in another turn.
        """
        for message in messages:
            self._send(message, f"{event_id(message)}-{turn}")

    def copy_record(self, raw: Mapping[str, Any]) -> None:
        """Queue a record that carries no event, as it is, for a dead-letter queue; a repeat adds nothing."""
        with _transient_errors():
            self.client.send_message(
                QueueUrl=self.url,
                MessageBody=raw["body"],
                MessageGroupId=_group(raw),
                MessageDeduplicationId=raw["messageId"],
            )

    def delete(self, records: Sequence[Record]) -> None:
        """Delete records before their batch ends; one that is gone already is skipped."""
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(n), "ReceiptHandle": record.receipt_handle} for n, record in enumerate(records)
        ]
        _in_batches(entries, partial(self.client.delete_message_batch, QueueUrl=self.url))

    def return_with_backoff(self, raw_records: Sequence[Mapping[str, Any]]) -> None:
        """Make records visible again after 2 to 60 s: a wait that doubles with each delivery, less at most half of it.

        The records of one conversation come back together: as its first one, which was delivered most often.
        """
        seconds: dict[str, int] = {}
        for raw in raw_records:
            group = _group(raw)
            deliveries = int(raw.get("attributes", {}).get("ApproximateReceiveCount", 1))
            backoff = backoff_seconds(raw["messageId"], deliveries=deliveries)
            seconds[group] = max(seconds.get(group, 0), backoff)
        self._return([(raw["receiptHandle"], seconds[_group(raw)]) for raw in raw_records])

    def return_after(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Make records visible again after some seconds; one that the queue does not know is skipped."""
        self._return([(receipt_handle, seconds) for receipt_handle in receipt_handles])

    def _return(self, records: Sequence[tuple[str, int]]) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(n), "ReceiptHandle": receipt_handle, "VisibilityTimeout": seconds}
            for n, (receipt_handle, seconds) in enumerate(records)
        ]
        _in_batches(entries, partial(self.client.change_message_visibility_batch, QueueUrl=self.url))

    def _send(self, event: LifecycleEvent, deduplication_id: str) -> None:
        with _transient_errors():
            self.client.send_message(
                QueueUrl=self.url,
                MessageBody=encoded(event),
                MessageGroupId=event.conversation_sid,
                MessageDeduplicationId=deduplication_id,
            )


def _in_batches(entries: Sequence[Any], request: Callable[..., Mapping[str, Any]]) -> None:
    """Make a batch request for each ten entries, and once more for those that SQS failed on for no fault of ours."""
    for start in range(0, len(entries), MAX_BATCH_ENTRIES):
        left = entries[start : start + MAX_BATCH_ENTRIES]
        for _ in range(BATCH_TRIES):
            with _transient_errors():
                answer = request(Entries=left)
            failed = {failure["Id"] for failure in answer.get("Failed", ()) if not failure["SenderFault"]}
            left = [entry for entry in left if entry["Id"] in failed]
            if not left:
                break
        else:
            raise Transient(f"SQS failed on {len(left)} entries of a batch")


def _group(raw: Mapping[str, Any]) -> str:
    """Return a raw record's message group, which every record of a FIFO queue has."""
    return str(raw.get("attributes", {}).get("MessageGroupId") or raw["messageId"])


def backoff_seconds(record_id: str, *, deliveries: int) -> int:
    """Return 2 to 60 s. The record's id is the jitter, so that conversations come back at different times."""
    longest = min(MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS << (deliveries - 1))
    shortest = max(MIN_BACKOFF_SECONDS, longest // 2)
    return shortest + zlib.crc32(f"{record_id} {deliveries}".encode()) % (longest - shortest + 1)


def encoded(event: LifecycleEvent) -> str:
    """Return the body of a record that carries the event."""
    values = {name: getattr(event, name) for name in event.__slots__}
    if not values.get("again"):  # so that a function of the version before still reads what nobody redrives
        values.pop("again", None)
    if isinstance(event, MessageAdded):  # and what has no files
        values["media_content_types"] = [media.content_type for media in event.media]
        if not event.media:
            del values["media"]
    return json.dumps({"type": type(event).__name__, **values}, default=_plain)


def _plain(value: datetime | Marker | Media) -> object:
    return value.isoformat() if isinstance(value, datetime) else asdict(value)


def _media(values: Mapping[str, Any]) -> Media:
    media = Media(**values)
    if not (isinstance(media.content_type, str) and isinstance(media.sid, str) and isinstance(media.size, int | None)):
        raise ValueError("a value of a file has another type")  # noqa: TRY004 -- read_record's caller is told
    return media


def _decoded(values: dict[str, Any]) -> LifecycleEvent:
    """Return an event; raise one of the errors that `read_record` catches for an unknown type, field or value."""
    kind = _EVENTS[values.pop("type")]
    if wrong := [name for name, type_ in _TYPES.items() if type(values.get(name, type_())) is not type_]:
        raise ValueError(f"{wrong[0]} has another type")
    values["at"] = datetime.fromisoformat(values["at"])
    if values["at"].tzinfo is None:
        raise ValueError("the time has no time zone")
    if kind is MessageAdded:
        values["author_role"] = AuthorRole(values["author_role"])
        types, media = values.pop("media_content_types"), values.pop("media", None)
        values["media"] = tuple(_media(file) for file in media or [{"content_type": each} for each in types])
        values["marker"] = Marker(**values["marker"]) if values["marker"] else None
    if kind is OwnerSet:
        values["owner"] = Owner(values["owner"])
    if kind is ConversationStateUpdated:
        values["state"] = ConversationState(values["state"])
    return kind(**values)


@contextmanager
def _transient_errors() -> Generator[None]:
    try:
        yield
    except ClientError as error:
        raise Transient(f"SQS answered {error.response['Error']['Code']}") from None
    except BotoCoreError as error:
        raise Transient(f"SQS could not be asked ({type(error).__name__})") from None
