"""What happened, as Twilio told us: a closed union of typed, frozen events.

The same types describe a webhook and a message that the REST API lists. Only `twilio/` knows the raw forms.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from switchboard.author import AuthorRole
from switchboard.media import VOICE_MESSAGE, Media


class Owner(StrEnum):
    """Who answers a conversation's customer."""

    ASSISTANT = "assistant"
    HUMAN = "human"


class ConversationState(StrEnum):
    """Twilio's states of a conversation. `closed` is final."""

    INITIALIZING = "initializing"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What we write into the attributes of each reply, to find the reply again in a list of messages."""

    turn: str
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded:
    """A message was added to a conversation. `index` orders messages: Twilio may skip numbers, and never goes back.

    `again` is True of a copy for the dead-letter queue. Put back on the messages queue, it asks for the answer that the
    message did not get.
    """

    conversation_sid: str
    message_sid: str
    index: int
    author_role: AuthorRole
    author: str
    body: str
    media: tuple[Media, ...] = ()
    at: datetime
    marker: Marker | None = None
    again: bool = False

    @property
    def text(self) -> str:
        """The message as an assistant reads it: its body, and a line for each file."""
        return "\n".join([self.body, *(media.line for media in self.media)]).strip()

    @property
    def is_voice_note(self) -> bool:
        """Whether it has sound, and no words."""
        return {media.kind for media in self.media} == {VOICE_MESSAGE} and not self.body.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Twilio accepted a message of ours and gave it this SID and index."""

    message_sid: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStateUpdated:
    """The conversation changed to `state`."""

    conversation_sid: str
    state: ConversationState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSet:
    """A human set the conversation's attributes to say who answers from `at` on."""

    conversation_sid: str
    owner: Owner
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """The carrier did not deliver a message. `error_code` is Twilio's (21610: opted out, 63016: window closed)."""

    conversation_sid: str
    message_sid: str
    delivery_receipt_sid: str
    status: str
    error_code: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """The webhook is authentic, and nothing follows from it. `name` is what it is counted under.

    Where somebody made a mistake, `detail` says which, in words of ours, and `conversation_sid` where.
    """

    name: str
    conversation_sid: str = ""
    detail: str = ""


LifecycleEvent = MessageAdded | ConversationStateUpdated | OwnerSet | DeliveryFailed
Event = LifecycleEvent | Ignored


def event_id(event: LifecycleEvent) -> str:
    """Return an id that is the same for every webhook that tells of the same event: its type and its resource."""
    match event:
        case MessageAdded():
            return f"MessageAdded-{event.message_sid}"
        case ConversationStateUpdated():
            return f"State-{event.state}-{event.conversation_sid}-{event.at.timestamp():.3f}"
        case OwnerSet():
            return f"Owner-{event.owner}-{event.conversation_sid}-{event.at.timestamp():.3f}"
        case DeliveryFailed():
            return f"Delivery-{event.status}-{event.delivery_receipt_sid}"
