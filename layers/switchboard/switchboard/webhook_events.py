"""The 13 post-events and 10 pre-events of Twilio Conversations, under Twilio's names: a closed union of frozen values.

A post-event (`MessageAdded`) tells what happened. A pre-event (`MessageAdd`, a `PreEvent`) asks before it happens. What
Twilio did not send is None. Times are in UTC. Source of the fields: Twilio, "Conversations webhooks".
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from switchboard import events
from switchboard.author import AuthorRole
from switchboard.events import ConversationState
from switchboard.media import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What caused an event. `source` is SDK, API or a channel (SMS), `client_identity` the chat user's of an SDK.

    `retry_count` is above 0 where Twilio sends a webhook again.
    """

    source: str | None = None
    client_identity: str | None = None
    retry_count: int | None = None


class PreEvent:
    """Twilio asks before it happens, and waits 5 s for the answer; then it goes on as if there was no webhook.

    Status 200 allows it, and may change it by a JSON body; a status of 400 or above rejects it.
    """

    __slots__ = ()


class HasAttributes:
    """An event about a resource with attributes, the JSON text that programs keep there."""

    __slots__ = ()
    attributes: str | None

    @property
    def parsed_attributes(self) -> object:
        """The attributes as a JSON value, an empty object where there are none."""
        return json.loads(self.attributes or "{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewConversation(HasAttributes):
    """What is known of a conversation before it has a SID. The addresses are sorted, each once.

    `state` is None where it is none that we know.
    """

    service_sid: str | None
    messaging_service_sid: str | None
    friendly_name: str | None
    unique_name: str | None
    attributes: str | None
    state: ConversationState | None
    addresses: tuple[str, ...]
    proxy_addresses: tuple[str, ...]
    projected_addresses: tuple[str, ...]
    author_addresses: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conversation(_NewConversation):
    conversation_sid: str
    date_created: datetime | None
    date_updated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationAdd(_NewConversation, PreEvent):
    """A conversation is about to be added, where a message begins it with that message.

    Twilio drops the message if the conversation is rejected.
    """

    message_body: str | None
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationAdded(_Conversation):
    """A conversation was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationUpdate(_Conversation, PreEvent):
    """A conversation is about to be updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationUpdated(_Conversation):
    """A conversation's name, attributes or service was updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRemove(_Conversation, PreEvent):
    """A conversation is about to be removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRemoved(_Conversation):
    """A conversation was removed, with its messages."""

    date_removed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStateUpdated(events.ConversationStateUpdated):
    """The conversation changed from `state_from` to `state` at a time. `reason` is API, TIMER or EVENT."""

    service_sid: str | None
    messaging_service_sid: str | None
    state_from: ConversationState | None
    reason: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewMessage(HasAttributes):
    """What is known of a message before it has a SID and an index."""

    service_sid: str | None
    messaging_service_sid: str | None
    conversation_sid: str
    participant_sid: str | None
    author: str
    author_role: AuthorRole
    body: str
    media: tuple[Media, ...]
    attributes: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message(_NewMessage):
    message_sid: str
    index: int
    date_created: datetime | None
    date_updated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdd(_NewMessage, PreEvent):
    """A message is about to be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded(events.MessageAdded, HasAttributes):
    """A message was added, by whomever: `author_role` tells. `at` is Twilio's DateCreated."""

    service_sid: str | None
    messaging_service_sid: str | None
    participant_sid: str | None
    attributes: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUpdate(_Message, PreEvent):
    """A message is about to be updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUpdated(_Message):
    """A message's body, author or attributes were updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRemove(_Message, PreEvent):
    """A message is about to be removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRemoved(_Message):
    """A message was removed."""

    date_removed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewParticipant(HasAttributes):
    """What is known of a participant before it has a SID: a chat user's `identity`, or the `address` of a phone.

    `messaging_type` is SMS, CHAT or WHATSAPP.
    """

    service_sid: str | None
    conversation_sid: str
    identity: str | None
    role_sid: str | None
    attributes: str | None
    address: str | None
    proxy_address: str | None
    projected_address: str | None
    messaging_type: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Participant(_NewParticipant):
    participant_sid: str
    date_created: datetime | None
    date_updated: datetime | None
    last_read_message_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdd(_NewParticipant, PreEvent):
    """A participant is about to be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdded(_Participant):
    """A participant was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantUpdate(_Participant, PreEvent):
    """A participant is about to be updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantUpdated(_Participant):
    """A participant's role or attributes were updated, or they read further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRemove(_Participant, PreEvent):
    """A participant is about to be removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRemoved(_Participant):
    """A participant was removed."""

    date_removed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryUpdated:
    """A message's way to one participant went on: `status` is sent, delivered, read, failed or undelivered.

    Twilio may tell a later status first. `error_code` is Twilio's (21610: opted out).
    """

    service_sid: str | None
    conversation_sid: str
    message_sid: str
    delivery_receipt_sid: str
    channel_message_sid: str | None
    participant_sid: str | None
    status: str
    error_code: int | None
    date_created: datetime | None
    date_updated: datetime | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class _User(HasAttributes):
    service_sid: str | None
    user_sid: str
    identity: str | None
    role_sid: str | None
    friendly_name: str | None
    attributes: str | None
    is_online: bool | None
    is_notifiable: bool | None
    date_created: datetime | None
    date_updated: datetime | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdded(_User):
    """A chat user was added to the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdate(_User, PreEvent):
    """A chat user is about to be updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdated(_User):
    """A chat user's name, role or attributes were updated, or they came online or left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOfAnotherService:
    """An authentic webhook of our account, about a Conversations service that is not ours."""

    service_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent:
    """An authentic webhook that tells what we do not know: a new event type, or a conversation's new state.

    `name` is for a log. It is no part of the event's equality: the signature does not tell where an unknown name ends.
    """

    name: str = field(compare=False)


PostEvent = (
    ConversationAdded
    | ConversationUpdated
    | ConversationStateUpdated
    | ConversationRemoved
    | MessageAdded
    | MessageUpdated
    | MessageRemoved
    | ParticipantAdded
    | ParticipantUpdated
    | ParticipantRemoved
    | DeliveryUpdated
    | UserAdded
    | UserUpdated
)
AnyPreEvent = (
    ConversationAdd
    | ConversationUpdate
    | ConversationRemove
    | MessageAdd
    | MessageUpdate
    | MessageRemove
    | ParticipantAdd
    | ParticipantUpdate
    | ParticipantRemove
    | UserUpdate
)
WebhookEvent = PostEvent | AnyPreEvent | EventOfAnotherService | UnknownEvent
