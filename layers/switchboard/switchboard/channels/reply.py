"""A reply in Markdown becomes the messages that its channel carries."""
# ruff: noqa: PLC0415 -- the imports inside keep the reader of Markdown out of cold starts whose replies have no marks

from typing import assert_never

from switchboard.channels.channel import Channel
from switchboard.channels.sms import SmsSettings, sms_parts
from switchboard.channels.spans import SpannedText
from switchboard.channels.split import MAX_PART_CHARACTERS, split_text
from switchboard.channels.unmarked import is_unmarked

_ROOM_FOR_MARKS = 100  # what a channel makes of Markdown may be a little longer


def one_message(channel: Channel) -> int | None:
    """Return how many characters of Markdown one message carries, where each message costs: None elsewhere."""
    return MAX_PART_CHARACTERS - _ROOM_FOR_MARKS if channel is Channel.WHATSAPP else None


def reply_parts(text: str, channel: Channel, *, sms: SmsSettings) -> tuple[str, ...]:
    """Return the bodies of the messages, in order; at least one, and none is empty where the text is not.

    A web chat shows Markdown, WhatsApp has marks of its own, and everything else gets plain text. Each body has at most
    1,600 characters: a phone may take part in a web chat's conversation.
    """
    spanned = SpannedText(text=text) if is_unmarked(text) else _read(text, channel)
    return sms_parts(spanned, sms) if channel is Channel.SMS else split_text(spanned)


def _read(text: str, channel: Channel) -> SpannedText:
    """Return a Markdown text as its channel shows it, with the spans that are not cut."""
    from switchboard.channels.chat import as_markdown
    from switchboard.channels.markdown import PLAIN, WHATSAPP, to_phone

    match channel:
        case Channel.CHAT:
            return as_markdown(text)
        case Channel.WHATSAPP:
            return to_phone(text, WHATSAPP)
        case Channel.SMS | Channel.OTHER:
            return to_phone(text, PLAIN)
        case _:
            assert_never(channel)
