"""Which channel a customer's address is of. It decides how a reply is written; the assistant never learns it."""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

WHATSAPP_WINDOW = timedelta(hours=24)  # after the customer's last message; later WhatsApp takes templates only

_SMS = re.compile(r"(?:(?:sms|mms):)?\+.+|[0-9]{3,8}", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):.", re.DOTALL)


class Channel(StrEnum):
    """What a reply can be made of, from least to most: `OTHER` is any address with a scheme, such as `messenger:…`."""

    SMS = "sms"
    OTHER = "other"
    WHATSAPP = "whatsapp"
    CHAT = "chat"


def channel_of(author: str) -> Channel:
    """Return the channel of a customer's address: a number or short code, `scheme:…`, or an identity of a web chat."""
    if _SMS.fullmatch(author):
        return Channel.SMS
    scheme = _SCHEME.match(author)
    if not scheme:
        return Channel.CHAT
    return Channel.WHATSAPP if scheme[1].lower() == "whatsapp" else Channel.OTHER


def narrowest(channels: Iterable[Channel]) -> Channel:
    """Return the channel that carries least: what is written for it can be read on each of them."""
    return min(channels, key=list(Channel).index)
