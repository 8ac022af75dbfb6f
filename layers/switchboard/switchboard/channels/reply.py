"""A reply in Markdown becomes the messages that its channel carries."""

from typing import assert_never

from switchboard.channels.channel import Channel
from switchboard.channels.chat import as_markdown
from switchboard.channels.markdown import PLAIN, WHATSAPP, to_phone
from switchboard.channels.sms import SmsSettings, sms_parts
from switchboard.channels.split import MAX_PART_CHARACTERS, split_text

_ROOM_FOR_MARKS = 100  # what a channel makes of Markdown may be a little longer


def one_message(channel: Channel) -> int | None:
    """Return how many characters of Markdown one message carries, where each message costs: None elsewhere."""
    return MAX_PART_CHARACTERS - _ROOM_FOR_MARKS if channel is Channel.WHATSAPP else None


def reply_parts(text: str, channel: Channel, *, sms: SmsSettings) -> tuple[str, ...]:
    """Return the bodies of the messages, in order; at least one, and none is empty where the text is not.

    A web chat shows Markdown, WhatsApp has marks of its own, and everything else gets plain text. Each body has at most
    1,600 characters: a phone may take part in a web chat's conversation.
    """
    match channel:
        case Channel.CHAT:
            return split_text(as_markdown(text))
        case Channel.WHATSAPP:
            return split_text(to_phone(text, WHATSAPP))
        case Channel.SMS:
            return sms_parts(to_phone(text, PLAIN), sms)
        case Channel.OTHER:
            return split_text(to_phone(text, PLAIN))
        case _:
            assert_never(channel)
