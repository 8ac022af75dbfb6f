"""Messages, in the order of their indices, each attributed to the participant who wrote it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import conversations, deliveries, event_payloads, media, participants, validation
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import Origin
from twilio_emulator.models.resources import File, Message

SYSTEM = "system"  # the author if none is given
MAX_BODY_BYTES = 32 * 1024


def draft(
    backend: Backend,
    conversation_sid: str,
    *,
    author: str | None = None,
    body: str | None = None,
    files: Sequence[File] = (),
    attributes: str = "{}",
    content_sid: str | None = None,
    channel_message_sid: str | None = None,
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
    may_be_empty: bool = False,
) -> Message:
    """Return a new message for `commit` to add; its index is set there."""
    conversations.require_open(backend, conversation_sid)
    check_content(body, files, may_be_empty=may_be_empty)
    created = date_created or backend.clock()
    return _attributed(
        backend,
        Message(
            sid=backend.new_sid("IM"),
            conversation_sid=conversation_sid,
            index=-1,
            author=_author(author) or SYSTEM,
            participant_sid=None,
            body=body,
            media=tuple(files),
            attributes=validation.attributes(attributes),
            content_sid=content_sid,
            channel_message_sid=channel_message_sid,
            date_created=created,
            date_updated=date_updated or created,
        ),
    )


def check_content(body: str | None, files: Sequence[object], *, may_be_empty: bool = False) -> None:
    """Raise 50503 if a message is empty, 50504 if its body is too long."""
    if not body and not files and not may_be_empty:
        raise TwilioError(50503)
    _check_length(body)


def commit(backend: Backend, message: Message, *, origin: Origin) -> Message:
    """Add a draft, emit its event, and deliver it to every participant except its author."""
    sid = message.conversation_sid
    conversations.require_open(backend, sid)
    index = backend.state.next_index[sid] + backend.skips_index(sid)
    message = replace(message, index=index)
    media.attach(backend, message)
    backend.state.next_index[sid] = index + 1
    backend.state.messages[sid][message.sid] = message
    conversations.record_activity(backend, sid)
    backend.emit(event_payloads.message(backend, "onMessageAdded", message, origin))
    backend.on_phone_changed(message.author, message.sid)
    deliveries.send(backend, message)
    return message


def fetch(backend: Backend, conversation_sid: str, sid: str) -> Message:
    """Return a message of the conversation; raise 20404 if it does not exist."""
    message = backend.state.messages[conversation_sid].get(sid)
    if message is None:
        raise not_found(f"/Conversations/{conversation_sid}/Messages/{sid}")
    return message


def fetch_parent(backend: Backend, conversation_sid: str, sid: str) -> Message:
    """Return the message that a receipt belongs to; raise 50500 if it does not exist."""
    message = backend.state.messages[conversation_sid].get(sid)
    if message is None:
        raise TwilioError(50500)
    return message


def changed(
    backend: Backend,
    message: Message,
    *,
    author: str | None = None,
    body: str | None = None,
    attributes: str | None = None,
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
) -> Message:
    """Return a copy with changed fields; None leaves a field unchanged."""
    conversations.require_open(backend, message.conversation_sid)
    _check_length(body)
    return _attributed(
        backend,
        replace(
            message,
            author=_author(author) or message.author,
            body=message.body if body is None else body,
            attributes=message.attributes if attributes is None else validation.attributes(attributes),
            date_created=date_created or message.date_created,
            date_updated=date_updated or backend.clock(),
        ),
    )


def apply_pre_webhook_changes(backend: Backend, message: Message, changes: Mapping[str, str]) -> Message:
    """Return the message with the body, author and attributes that a pre-webhook returned."""
    if not changes:
        return message
    return changed(
        backend,
        message,
        body=changes.get("body"),
        author=changes.get("author"),
        attributes=changes.get("attributes"),
        date_updated=message.date_updated,
    )


def update(backend: Backend, changed: Message, *, origin: Origin) -> Message:
    """Store a changed message and emit its event; the customer's phone keeps the old text."""
    conversations.require_open(backend, changed.conversation_sid)
    fetch_parent(backend, changed.conversation_sid, changed.sid)
    backend.state.messages[changed.conversation_sid][changed.sid] = changed
    backend.emit(event_payloads.message(backend, "onMessageUpdated", changed, origin))
    backend.on_phone_changed(changed.author, changed.sid)
    return changed


def remove(backend: Backend, message: Message, *, origin: Origin) -> None:
    """Delete a message; its index is not used again, and the customer's phone keeps the message."""
    conversations.require_open(backend, message.conversation_sid)
    fetch_parent(backend, message.conversation_sid, message.sid)
    del backend.state.messages[message.conversation_sid][message.sid]
    backend.state.receipts.pop(message.sid, None)
    backend.emit(event_payloads.message(backend, "onMessageRemoved", message, origin))
    backend.on_phone_changed(message.author, message.sid)


def _attributed(backend: Backend, message: Message) -> Message:
    participant = participants.find_by_author(backend, message.conversation_sid, message.author)
    return replace(message, participant_sid=participant.sid if participant else None)


def _check_length(body: str | None) -> None:
    if body is not None and len(body.encode()) > MAX_BODY_BYTES:
        raise TwilioError(50504)


def _author(author: str | None) -> str | None:
    if author is not None and len(author) > validation.MAX_NAME_LENGTH:
        raise TwilioError(50310)
    return author
