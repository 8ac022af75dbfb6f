"""What happened, as Twilio told us: a closed union of typed, frozen events.

The same types describe a webhook and what the REST API lists; only `twilio/` knows the raw forms.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

OUR_AUTHOR = "switchboard"  # the author of all our replies

_CHANNEL_ADDRESS = re.compile(r"\+|(?:whatsapp|rcs|messenger):")
VISITOR_IDENTITY = r"visitor-[0-9a-f]{32}"


class Speaker(StrEnum):
    """Whose words a Twilio message carries."""

    US = "us"
    SYSTEM = "system"
    CUSTOMER = "customer"
    COLLEAGUE = "colleague"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What we write into the attributes of our own replies, to find them again."""

    turn: str
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded:
    """A message stands in the conversation. `index` orders it; numbers may be skipped, never go back."""

    conversation_sid: str
    message_sid: str
    index: int
    speaker: Speaker
    author: str
    body: str
    media_content_types: tuple[str, ...] = ()
    at: datetime
    marker: Marker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Twilio took a message of ours and gave it this place."""

    message_sid: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStateUpdated:
    """The conversation changed to `state` (Twilio's word: `active`, `inactive`, `closed`, …)."""

    conversation_sid: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSet:
    """A colleague's desk wrote into the conversation's attributes who is to speak from `at` on."""

    conversation_sid: str
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """The carrier did not deliver a message; `error_code` is Twilio's (21610: opted out, 63016: window closed)."""

    conversation_sid: str
    message_sid: str
    delivery_receipt_sid: str
    status: str
    error_code: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Authentic, and none of our business; `name` is what it is counted under."""

    name: str


LifecycleEvent = MessageAdded | ConversationStateUpdated | OwnerSet | DeliveryFailed
Event = LifecycleEvent | Ignored


def who_speaks(*, author: str, participant_sid: str | None, visitor_identities: Sequence[str]) -> Speaker:
    """Tell whose words these are, from Author and ParticipantSid alone: a REST copy has no Source.

    `visitor_identities` are regular expressions of the identities that web-chat customers carry.
    """
    if author == OUR_AUTHOR:
        return Speaker.US
    if not participant_sid:
        return Speaker.SYSTEM
    if _CHANNEL_ADDRESS.match(author) or any(re.fullmatch(pattern, author) for pattern in visitor_identities):
        return Speaker.CUSTOMER
    return Speaker.COLLEAGUE
