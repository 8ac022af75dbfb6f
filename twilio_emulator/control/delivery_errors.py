"""Why a message did not reach a phone, in words, by the error code of its delivery.

The meanings are those of Twilio's error dictionary (twilio.com/docs/api/errors).
"""

from collections.abc import Mapping

_WORDS: Mapping[int, str] = {
    11751: "The file is too large for this channel.",
    12300: "This channel does not take files of this type.",
    21610: "The customer sent STOP: texts do not reach them until they send START.",
    21612: "This number cannot be reached from the sender's number.",
    21614: "The number is not a mobile number.",
    21617: "The message is longer than 1,600 characters, which this channel does not take.",
    30001: "The sender's queue is full.",
    30002: "The account is suspended.",
    30003: "The phone is switched off, or out of reach.",
    30004: "The carrier or the phone blocks these messages.",
    30005: "The number does not exist, or no longer exists.",
    30006: "The number is a landline, or its carrier takes no texts.",
    30007: "The carrier took the message for spam.",
    30008: "The carrier gave no reason.",
    30034: "The sender's number is not registered with the carriers.",
    63003: "The channel does not know this recipient.",
    63016: "The customer last wrote more than 24 hours ago: WhatsApp now takes templates only.",
    63018: "The channel's rate limit was exceeded.",
    63021: "The channel does not take this content.",
    63024: "The recipient cannot receive WhatsApp messages.",
    63034: "The image is larger than 5 MB, which WhatsApp does not take.",
    63049: "Meta chose not to deliver this message.",
}


def in_words(code: int | None) -> str | None:
    """Return a sentence for an error code; None if there is no code."""
    if code is None:
        return None
    return _WORDS.get(code, "Twilio's error dictionary says why.")
