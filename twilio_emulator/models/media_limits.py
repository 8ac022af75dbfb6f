"""What a channel takes of files, both ways, and what it drops.

The limits are those of Twilio's pages "Conversations Limits" (media limits) and "Guidance on WhatsApp Media Messages"
(images). A megabyte has 1,048,576 bytes, as in Twilio's limits of Flex. Twilio says that a file which SMS does not take
"will not be fanned out", and names no code for it: the codes here are those whose pages describe the case.
"""

from collections.abc import Sequence
from dataclasses import replace

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models.resources import Channel, File, Message

_MEGABYTE = 1024 * 1024

# What a customer sends. By RCS and Messenger, Twilio documents no limit.
_MAX_INBOUND_FILES = {Channel.SMS: 10, Channel.WHATSAPP: 1}
_MAX_INBOUND_FILE_BYTES = {Channel.SMS: 2 * _MEGABYTE, Channel.WHATSAPP: 16 * _MEGABYTE}
_MAX_INBOUND_MESSAGE_BYTES = {Channel.SMS: 5 * _MEGABYTE, Channel.WHATSAPP: 16 * _MEGABYTE}

# What a customer receives. By SMS a file must have less than 5 MB, on the others at most so many.
_MAX_OUTBOUND_FILE_BYTES = {
    Channel.SMS: 5 * _MEGABYTE - 1,
    Channel.WHATSAPP: 16 * _MEGABYTE,
    Channel.RCS: 16 * _MEGABYTE,
}
_MAX_WHATSAPP_IMAGE_BYTES = 5 * _MEGABYTE
_TYPES = frozenset(  # JPG, PNG, MP3, AMR, MP4 and PDF
    {"image/jpeg", "image/jpg", "image/png", "audio/mpeg", "audio/mp3", "audio/amr", "video/mp4", "application/pdf"}
)
_ONE_FILE_WITHOUT_TEXT = frozenset({Channel.SMS, Channel.WHATSAPP})

TOO_LARGE = 11751  # "Media exceeds messaging provider size limit"
IMAGE_TOO_LARGE = 63034  # "Media exceeds size limit", of 5 MB
_WRONG_TYPE = {
    Channel.SMS: 12300,  # "Invalid Content-Type"
    Channel.WHATSAPP: 63021,  # "Channel invalid content error"
}


def check_inbound(channel: Channel | None, sizes: Sequence[int]) -> None:
    """Raise Twilio's error if a customer's channel, None for a web chat, does not carry files of these sizes, in bytes.

    No phone sends such a message, so that Twilio has no code for too many files; here it is 20422.
    """
    if channel not in _MAX_INBOUND_FILES:
        return
    most = _MAX_INBOUND_FILES[channel]
    if len(sizes) > most:
        raise TwilioError(INVALID_PARAMETER, f"Invalid body: media must have at most {most} on {channel}")
    if max(sizes, default=0) > _MAX_INBOUND_FILE_BYTES[channel] or sum(sizes) > _MAX_INBOUND_MESSAGE_BYTES[channel]:
        raise TwilioError(50512)


def delivery_error(channel: Channel, files: Sequence[File]) -> int | None:
    """Return the error code of a delivery that a channel refuses because of a file; None if it takes them all."""
    return next((code for file in files if (code := _error_of(channel, file))), None)


def as_received(channel: Channel, message: Message) -> Message:
    """Return a message as it reaches a phone: SMS and WhatsApp show one file, here the first, and drop the text."""
    if not message.media or channel not in _ONE_FILE_WITHOUT_TEXT:
        return message
    return replace(message, body=None, media=message.media[:1])


def _error_of(channel: Channel, file: File) -> int | None:
    kind = file.content_type.partition(";")[0].strip().lower()
    if channel in _WRONG_TYPE and kind not in _TYPES:
        return _WRONG_TYPE[channel]
    if channel is Channel.WHATSAPP and kind.startswith("image/") and file.size > _MAX_WHATSAPP_IMAGE_BYTES:
        return IMAGE_TOO_LARGE
    if file.size > _MAX_OUTBOUND_FILE_BYTES.get(channel, file.size):
        return TOO_LARGE
    return None
