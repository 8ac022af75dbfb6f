"""Messages: added once, in order, attributed to whoever of the conversation wrote them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from local.twilio.exceptions import INVALID_PARAMETER, TwilioError, not_found
from local.twilio.models import checks, conversations, deliveries, participants
from local.twilio.models.events import Event, Origin, fields
from local.twilio.models.records import File, Message
from local.twilio.models.world import World

SYSTEM = "system"  # the author of a message that names none
MOST_BODY_BYTES = 32 * 1024


def add(
    world: World,
    conversation_sid: str,
    *,
    origin: Origin,
    author: str | None = None,
    body: str | None = None,
    media: Sequence[File] = (),
    attributes: str = "{}",
) -> Message:
    """Add a message and send it to everybody but its author."""
    conversation = conversations.must_be_open(world, conversation_sid)
    _check_body(body)
    if not body and not media:
        raise TwilioError(INVALID_PARAMETER, "Give a Body or a MediaSid")
    author = _author(author) or SYSTEM
    attributes = checks.attributes(attributes)
    participant = participants.of_author(world, conversation_sid, author)
    now = world.clock()
    index = world.state.next_index[conversation_sid] + world.skips_index(conversation_sid)
    message = Message(
        sid=world.new_sid("IM"),
        conversation_sid=conversation_sid,
        index=index,
        author=author,
        participant_sid=participant.sid if participant else None,
        body=body,
        media=tuple(media),
        attributes=attributes,
        content_sid=None,
        date_created=now,
        date_updated=now,
    )
    world.state.next_index[conversation_sid] = index + 1
    world.state.messages[conversation_sid][message.sid] = message
    conversations.active_again(world, conversation.sid)
    _tell(world, "onMessageAdded", message, origin)
    deliveries.send(world, message)
    return message


def fetch(world: World, conversation_sid: str, sid: str) -> Message:
    """Return a message of the conversation."""
    message = world.state.messages[conversation_sid].get(sid)
    if message is None:
        raise not_found(f"/Conversations/{conversation_sid}/Messages/{sid}")
    return message


def update(
    world: World,
    message: Message,
    *,
    origin: Origin,
    author: str | None = None,
    body: str | None = None,
    attributes: str | None = None,
) -> Message:
    """Change what is given; None leaves a field as it is. What a phone received stays as it was."""
    conversations.must_be_open(world, message.conversation_sid)
    _check_body(body)
    changed = replace(
        message,
        author=_author(author) or message.author,
        body=message.body if body is None else body,
        attributes=message.attributes if attributes is None else checks.attributes(attributes),
        date_updated=world.clock(),
    )
    world.state.messages[message.conversation_sid][message.sid] = changed
    _tell(world, "onMessageUpdated", changed, origin)
    return changed


def remove(world: World, message: Message, *, origin: Origin) -> None:
    """Delete a message; its index is not used again."""
    conversations.must_be_open(world, message.conversation_sid)
    del world.state.messages[message.conversation_sid][message.sid]
    world.state.receipts.pop(message.sid, None)
    _tell(world, "onMessageRemoved", message, origin, removed=world.clock())


def _check_body(body: str | None) -> None:
    if body is not None and len(body.encode()) > MOST_BODY_BYTES:
        raise TwilioError(50504)


def _author(author: str | None) -> str | None:
    if author is not None and len(author) > checks.MOST_NAME:
        raise TwilioError(50310)
    return author


def _tell(world: World, event_type: str, message: Message, origin: Origin, *, removed: datetime | None = None) -> None:
    conversation = world.state.conversations[message.conversation_sid]
    is_new = event_type == "onMessageAdded"
    world.tell(
        Event(
            type=event_type,
            service_sid=conversation.service_sid,
            conversation_sid=conversation.sid,
            fields=fields(
                [
                    ("ConversationSid", conversation.sid),
                    ("MessageSid", message.sid),
                    ("ChatServiceSid", conversation.service_sid),
                    ("MessagingServiceSid", conversation.messaging_service_sid),
                    ("Index", message.index),
                    ("DateCreated", message.date_created),
                    ("DateUpdated", None if is_new else message.date_updated),
                    ("DateRemoved", removed),
                    ("Body", message.body),
                    ("Author", message.author),
                    ("ParticipantSid", message.participant_sid),
                    ("Attributes", message.attributes),
                    ("Media", _media(message.media)),
                ]
            ),
            origin=origin,
        )
    )


def _media(media: Sequence[File]) -> str | None:
    if not media:
        return None
    return json.dumps(
        [
            {"Sid": file.sid, "Filename": file.filename, "ContentType": file.content_type, "Size": file.size}
            for file in media
        ]
    )
