"""Messages: added once, in order, attributed to whoever of the conversation wrote them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import conversations, deliveries, event_payloads, media, participants, validation
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Origin
from twilio_emulator.models.resources import File, Message

SYSTEM = "system"  # the author of a message that names none
MOST_BODY_BYTES = 32 * 1024


def draft(
    world: World,
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
) -> Message:
    """Return a message that could be added; its index is given when it is."""
    conversations.must_be_open(world, conversation_sid)
    check_content(body, files)
    created = date_created or world.clock()
    return _attributed(
        world,
        Message(
            sid=world.new_sid("IM"),
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


def check_content(body: str | None, files: Sequence[object]) -> None:
    """Refuse a message that says nothing (50503) or too much (50504)."""
    if not body and not files:
        raise TwilioError(50503)
    _check_length(body)


def commit(world: World, message: Message, *, origin: Origin) -> Message:
    """Add a drafted message, tell it, and send it to everybody but its author."""
    sid = message.conversation_sid
    conversations.must_be_open(world, sid)
    index = world.state.next_index[sid] + world.skips_index(sid)
    message = replace(message, index=index)
    media.attach(world, message)
    world.state.next_index[sid] = index + 1
    world.state.messages[sid][message.sid] = message
    conversations.note_message(world, sid)
    world.tell(event_payloads.message(world, "onMessageAdded", message, origin))
    deliveries.send(world, message)
    return message


def fetch(world: World, conversation_sid: str, sid: str) -> Message:
    """Return a message of the conversation."""
    message = world.state.messages[conversation_sid].get(sid)
    if message is None:
        raise not_found(f"/Conversations/{conversation_sid}/Messages/{sid}")
    return message


def parent(world: World, conversation_sid: str, sid: str) -> Message:
    """Return the message that a receipt belongs to; 50500 where there is none."""
    message = world.state.messages[conversation_sid].get(sid)
    if message is None:
        raise TwilioError(50500)
    return message


def changed(
    world: World,
    message: Message,
    *,
    author: str | None = None,
    body: str | None = None,
    attributes: str | None = None,
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
) -> Message:
    """Return a message with what is given; None leaves a field as it is."""
    conversations.must_be_open(world, message.conversation_sid)
    _check_length(body)
    return _attributed(
        world,
        replace(
            message,
            author=_author(author) or message.author,
            body=message.body if body is None else body,
            attributes=message.attributes if attributes is None else validation.attributes(attributes),
            date_created=date_created or message.date_created,
            date_updated=date_updated or world.clock(),
        ),
    )


def wished(world: World, message: Message, wish: Mapping[str, str]) -> Message:
    """Return a message with what a pre-webhook may change of it: body, author, attributes."""
    if not wish:
        return message
    return changed(
        world,
        message,
        body=wish.get("body"),
        author=wish.get("author"),
        attributes=wish.get("attributes"),
        date_updated=message.date_updated,
    )


def update(world: World, changed: Message, *, origin: Origin) -> Message:
    """Keep a changed message and tell it. What a phone received stays as it was."""
    conversations.must_be_open(world, changed.conversation_sid)
    parent(world, changed.conversation_sid, changed.sid)
    world.state.messages[changed.conversation_sid][changed.sid] = changed
    world.tell(event_payloads.message(world, "onMessageUpdated", changed, origin))
    return changed


def remove(world: World, message: Message, *, origin: Origin) -> None:
    """Delete a message; its index is not used again, and a phone keeps what it received."""
    conversations.must_be_open(world, message.conversation_sid)
    parent(world, message.conversation_sid, message.sid)
    del world.state.messages[message.conversation_sid][message.sid]
    world.state.receipts.pop(message.sid, None)
    world.tell(event_payloads.message(world, "onMessageRemoved", message, origin))


def _attributed(world: World, message: Message) -> Message:
    participant = participants.of_author(world, message.conversation_sid, message.author)
    return replace(message, participant_sid=participant.sid if participant else None)


def _check_length(body: str | None) -> None:
    if body is not None and len(body.encode()) > MOST_BODY_BYTES:
        raise TwilioError(50504)


def _author(author: str | None) -> str | None:
    if author is not None and len(author) > validation.MOST_NAME:
        raise TwilioError(50310)
    return author
