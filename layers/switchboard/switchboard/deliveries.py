"""What Twilio's error code says of a message that was not delivered, what follows from it, and which ones are kept.

The codes are Twilio's ("Error and warning dictionary"; "WhatsApp: message failures"). A message that failed is not sent
again: Twilio tells so, and a phone may show it all the same.
"""

from collections.abc import Mapping
from enum import StrEnum


class Undelivered(StrEnum):
    """Why a message did not reach its customer, as people are told."""

    WINDOW_CLOSED = "window_closed"  # WhatsApp: their last message is over 24 hours old, only a template reaches them
    UNREACHABLE = "unreachable"  # this address takes no message of ours
    BLOCKED = "blocked"  # the carrier or WhatsApp takes none from our sender: every customer is affected
    NOT_DELIVERED = "not_delivered"  # anything else, which may pass


MAX_UNDELIVERED = 20  # failed messages that a conversation keeps; each costs bytes in every write of the item
OPTED_OUT = 21610  # the customer has replied STOP: nobody is told, and nothing more is sent

REASONS: Mapping[int, Undelivered] = {
    63016: Undelivered.WINDOW_CLOSED,
    30003: Undelivered.UNREACHABLE,  # switched off, or out of reach
    30004: Undelivered.UNREACHABLE,  # the customer has blocked messages
    30005: Undelivered.UNREACHABLE,  # the number does not exist
    30006: Undelivered.UNREACHABLE,  # a landline
    63003: Undelivered.UNREACHABLE,  # no such address in this channel
    63024: Undelivered.UNREACHABLE,  # no such address on WhatsApp
    30007: Undelivered.BLOCKED,  # filtered as spam
    30034: Undelivered.BLOCKED,  # the sender is not registered (A2P 10DLC)
    63014: Undelivered.BLOCKED,  # WhatsApp has blocked the sender
    63015: Undelivered.BLOCKED,  # a sandbox that the customer has not joined
}


def reason_of(error_code: int | None) -> Undelivered:
    """Return why a message was not delivered; a code that nobody knows says only that it was not."""
    return REASONS.get(error_code or 0, Undelivered.NOT_DELIVERED)


def with_failed(
    undelivered: Mapping[str, int | None], message_sid: str, *, error_code: int | None
) -> Mapping[str, int | None]:
    """Return the failed messages, newest last, with one more; the oldest beyond `MAX_UNDELIVERED` are dropped.

    They are error codes by MessageSid. A message that is known keeps its code.
    """
    newest = [*undelivered.items(), (message_sid, error_code)][-MAX_UNDELIVERED:]
    return undelivered if message_sid in undelivered else dict(newest)
