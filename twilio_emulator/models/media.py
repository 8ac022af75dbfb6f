"""The media service: files that wait for a message, and are sent with one message at most."""

from dataclasses import replace

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models.backend import World
from twilio_emulator.models.resources import File, Media, Message


def upload(world: World, service_sid: str, *, content: bytes, content_type: str, filename: str | None) -> Media:
    """Keep a file."""
    media = Media(
        file=File(sid=world.new_sid("ME"), content_type=content_type, filename=filename, size=len(content)),
        service_sid=service_sid,
        content=content,
        message_sid=None,
        date_created=world.clock(),
    )
    world.state.media[media.file.sid] = media
    return media


def fetch(world: World, service_sid: str, sid: str) -> Media:
    """Return a file of the service."""
    media = world.state.media.get(sid)
    if media is None or media.service_sid != service_sid:
        raise not_found(f"/Services/{service_sid}/Media/{sid}")
    return media


def to_send(world: World, service_sid: str, sid: str) -> File:
    """Return a file for a message: 50507 where there is none, 50508 where it was sent already."""
    media = world.state.media.get(sid)
    if media is None or media.service_sid != service_sid:
        raise TwilioError(50507)
    if media.message_sid is not None:
        raise TwilioError(50508)
    return media.file


def attach(world: World, message: Message) -> None:
    """Note that a message carries its files; 50508 where another one got there first."""
    for file in message.media:
        media = world.state.media[file.sid]
        if media.message_sid is not None:
            raise TwilioError(50508)
        world.state.media[file.sid] = replace(media, message_sid=message.sid)
