"""Which files a channel carries to its customer (Twilio: "Conversations Limits", "WhatsApp media messages")."""

from switchboard.channels.channel import Channel

_MEGABYTE = 1024 * 1024
MAX_BYTES = 16 * _MEGABYTE  # of any: Twilio takes 150 MB of a web chat, but an upload has to fit into a turn's time
MAX_SMS_BYTES = 5 * _MEGABYTE - 1
MAX_WHATSAPP_IMAGE_BYTES = 5 * _MEGABYTE
_PHONE_TYPES = frozenset({"image/jpeg", "image/png", "audio/mpeg", "audio/amr", "video/mp4", "application/pdf"})


def carries(channel: Channel, *, content_type: str, size: int) -> bool:
    """Tell whether a channel carries a file of this type and size, in bytes. An empty file is carried by none."""
    if not 0 < size <= _max_bytes(channel, content_type):
        return False
    return channel is Channel.CHAT or content_type in _PHONE_TYPES


def most_bytes(channel: Channel) -> int:
    """Return how many bytes the largest file has that a channel carries."""
    return max(_max_bytes(channel, content_type) for content_type in ("image/png", "video/mp4"))


def _max_bytes(channel: Channel, content_type: str) -> int:
    match channel:
        case Channel.SMS:
            return MAX_SMS_BYTES
        case Channel.WHATSAPP if content_type.startswith("image/"):
            return MAX_WHATSAPP_IMAGE_BYTES
        case Channel.WHATSAPP | Channel.CHAT:
            return MAX_BYTES
        case Channel.OTHER:
            return 0
