"""What a customer's phone or web chat shows: what they wrote and what they received, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twilio_emulator.control import delivery_errors
from twilio_emulator.models import typing
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.resources import DeliveryStatus, File, InboxMessage, Message, Receipt

_LAST = 2**31  # an index that orders a text of Twilio's own behind the message that it answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message of a thread. `sent` tells whether the customer wrote it; `at` is when it was sent or has arrived.

    A message to the customer that is not there has the status `sent` while it is on its way, `failed` or `undelivered`
    if it never comes.
    """

    conversation_sid: str
    message_sid: str
    index: int
    sent: bool
    author: str
    body: str
    at: datetime
    status: DeliveryStatus
    error_code: int | None
    media: Sequence[File]

    def as_json(self) -> dict[str, object]:
        """Return the entry as the control API shows it."""
        return {
            "conversation_sid": self.conversation_sid,
            "message_sid": self.message_sid,
            "index": None if self.index == _LAST else self.index,
            "direction": "sent" if self.sent else "received",
            "author": self.author,
            "body": self.body,
            "at": timestamp(self.at),
            "status": self.status,
            "error_code": self.error_code,
            "error": delivery_errors.in_words(self.error_code),
            "media": [
                {
                    "sid": file.sid,
                    "content_type": file.content_type,
                    "filename": file.filename,
                    "size": file.size,
                    "url": f"/_emulator/media/{file.sid}",
                }
                for file in self.media
            ],
        }


def timestamp(moment: datetime) -> str:
    """Return a time as the control API shows it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def thread(backend: Backend, address: str) -> list[Entry]:
    """Return the messages of an address or identity, oldest first: over all its conversations, closed ones too."""
    return sorted(_entries(backend, address), key=lambda entry: (entry.at, entry.index))


def seconds_typing(backend: Backend, address: str) -> float:
    """Return for how long somebody else still shows as typing in a conversation of this customer; 0 if nobody does."""
    conversations = backend.state.memberships.get(address, {})
    left = (
        until
        for conversation_sid in conversations
        for who, until in typing.who(backend, conversation_sid).items()
        if who != address
    )
    return max(left, default=timedelta()).total_seconds()


def _entries(backend: Backend, address: str) -> Iterator[Entry]:
    state = backend.state
    inbox = state.inboxes.get(address, {})
    for conversation_sid, participant_sid in state.memberships.get(address, {}).items():
        for message in state.messages.get(conversation_sid, {}).values():
            if message.author == address:
                yield _written(message)
            elif message.sid not in inbox:
                receipts = state.receipts.get(message.sid, {}).values()
                yield from (_missing(message, each) for each in receipts if each.participant_sid == participant_sid)
    for received in inbox.values():
        there = state.messages.get(received.conversation_sid, {}).get(received.message_sid)
        yield _received(received, index=there.index if there else _LAST)


def _written(message: Message) -> Entry:
    return Entry(
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        index=message.index,
        sent=True,
        author=message.author,
        body=message.body or "",
        at=message.date_created,
        status=DeliveryStatus.DELIVERED,
        error_code=None,
        media=message.media,
    )


def _missing(message: Message, receipt: Receipt) -> Entry:
    return Entry(
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        index=message.index,
        sent=False,
        author=message.author,
        body=message.body or "",
        at=receipt.date_updated,
        status=receipt.status,
        error_code=receipt.error_code,
        media=message.media,
    )


def _received(received: InboxMessage, *, index: int) -> Entry:
    return Entry(
        conversation_sid=received.conversation_sid,
        message_sid=received.message_sid,
        index=index,
        sent=False,
        author=received.author,
        body=received.body,
        at=received.at,
        status=received.status,
        error_code=None,
        media=received.media,
    )
