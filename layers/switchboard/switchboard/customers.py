"""Who a customer is without telling it: a key of their address, and the address without its channel."""

import hashlib
import hmac
import re

KEY_CHARACTERS = 32  # hexadecimal digits: 128 bits

_CHANNEL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:(?=\+)|(?:whatsapp|messenger|fbm|rcs|sms|mms|gbm|apple|instagram|line|telegram|viber):)",
    re.IGNORECASE,
)


def address_of(author: str) -> str:
    """Return a customer's phone number or identity, without the channel that stands before it: `whatsapp:+1…`."""
    return _CHANNEL.sub("", author, count=1) if _CHANNEL.match(author) else author


def key_of(author: str, *, secret: bytes) -> str:
    """Return a customer's key: the same on every channel of their number, and nobody can tell the number from it."""
    return hmac.new(secret, f"customer {address_of(author)}".encode(), hashlib.sha256).hexdigest()[:KEY_CHARACTERS]
