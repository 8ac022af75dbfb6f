"""Uploaded files; each can be sent with one message only."""

from dataclasses import replace

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.resources import File, Media, Message


def upload(backend: Backend, service_sid: str, *, content: bytes, content_type: str, filename: str | None) -> Media:
    """Add a file."""
    media = Media(
        file=File(sid=backend.new_sid("ME"), content_type=content_type, filename=filename, size=len(content)),
        service_sid=service_sid,
        content=content,
        message_sid=None,
        date_created=backend.clock(),
    )
    backend.state.media[media.file.sid] = media
    return media


def fetch(backend: Backend, service_sid: str, sid: str) -> Media:
    """Return a file of the service; raise 20404 if it does not exist."""
    media = backend.state.media.get(sid)
    if media is None or media.service_sid != service_sid:
        raise not_found(f"/Services/{service_sid}/Media/{sid}")
    return media


def fetch_for_message(backend: Backend, service_sid: str, sid: str) -> File:
    """Return a file to send with a message; raise 50507 if it does not exist, 50508 if it was already sent."""
    media = backend.state.media.get(sid)
    if media is None or media.service_sid != service_sid:
        raise TwilioError(50507)
    if media.message_sid is not None:
        raise TwilioError(50508)
    return media.file


def attach(backend: Backend, message: Message) -> None:
    """Record that a message contains its files; raise 50508 if one was already sent with another message."""
    for file in message.media:
        media = backend.state.media[file.sid]
        if media.message_sid is not None:
            raise TwilioError(50508)
        backend.state.media[file.sid] = replace(media, message_sid=message.sid)
