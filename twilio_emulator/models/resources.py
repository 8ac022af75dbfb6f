"""Twilio's resources as values; a change replaces the record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar


class State(StrEnum):
    """What state a conversation is in; `CLOSED` is final."""

    INITIALIZING = "initializing"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"


class Channel(StrEnum):
    """How a participant takes part, as `messaging_binding.type` spells it."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    RCS = "rcs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Conversations service."""

    sid: str
    friendly_name: str
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """How long after the last activity a conversation changes its state; None is never."""

    inactive: timedelta | None = None
    closed: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """The address and the name that a conversation's e-mails come from."""

    address: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation; `date_inactive` and `date_closed` are when its timers fall due."""

    sid: str
    service_sid: str
    messaging_service_sid: str
    friendly_name: str | None
    unique_name: str | None
    attributes: str
    state: State
    timers: Timers
    date_inactive: datetime | None
    date_closed: datetime | None
    email: Email | None
    created_by: str
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A participant's address on a channel, and ours that it talks to."""

    channel: Channel
    address: str
    proxy_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody in a conversation: with an identity (chat), with a binding, or both."""

    sid: str
    conversation_sid: str
    identity: str | None
    binding: Binding | None
    attributes: str
    role_sid: str | None
    last_read_message_index: int | None
    last_read_timestamp: datetime | None
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Media as a message shows it."""

    sid: str
    content_type: str
    filename: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file in the media service; `message_sid` is the message it was sent with."""

    __pydantic_config__: ClassVar = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}  # in a snapshot

    file: File
    service_sid: str
    content: bytes
    message_sid: str | None
    date_created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A content template: its text, with `{{1}}` where variables go."""

    sid: str
    friendly_name: str
    language: str
    variables: dict[str, str]
    body: str
    date_created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message; `participant_sid` is None where the author is no participant, `index` is given on commit."""

    sid: str
    conversation_sid: str
    index: int
    author: str
    participant_sid: str | None
    body: str | None
    media: tuple[File, ...]
    attributes: str
    content_sid: str | None
    channel_message_sid: str | None  # of a message that came in on a channel
    date_created: datetime
    date_updated: datetime


class DeliveryStatus(StrEnum):
    """How far a message came on its way to one recipient."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Twilio's error code of a delivery, and its last status: FAILED at Twilio, UNDELIVERED by the carrier."""

    error_code: int
    status: DeliveryStatus = DeliveryStatus.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The latest status of a message for one recipient who is not on chat."""

    sid: str
    conversation_sid: str
    message_sid: str
    channel_message_sid: str
    participant_sid: str
    status: DeliveryStatus
    error_code: int | None
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message as it stands in the inbox of a phone or an identity."""

    conversation_sid: str
    message_sid: str
    body: str
    author: str
    status: DeliveryStatus
    at: datetime


class AutoCreationType(StrEnum):
    """What an auto-created conversation is connected to."""

    DEFAULT = "default"
    WEBHOOK = "webhook"
    STUDIO = "studio"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoCreation:
    """What happens to a text that belongs to no conversation yet."""

    enabled: bool = False
    type: AutoCreationType = AutoCreationType.DEFAULT
    conversation_service_sid: str | None = None
    webhook_url: str | None = None
    webhook_method: str | None = None
    webhook_filters: tuple[str, ...] | None = None
    studio_flow_sid: str | None = None
    studio_retry_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressConfiguration:
    """One of our addresses, and whether texts to it open conversations."""

    sid: str
    type: str
    address: str
    friendly_name: str
    address_country: str | None
    auto_creation: AutoCreation
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfiguration:
    """Where a service's, or the account's, webhooks go; an event that `filters` does not name goes nowhere."""

    pre_webhook_url: str | None = None
    post_webhook_url: str | None = None
    filters: tuple[str, ...] | None = None
    method: str | None = None
    target: str = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedWebhook:
    """A webhook of one conversation."""

    sid: str
    conversation_sid: str
    target: str
    url: str | None
    method: str | None
    filters: tuple[str, ...]
    triggers: tuple[str, ...]
    flow_sid: str | None
    replay_after: int | None
    date_created: datetime
    date_updated: datetime


class RoleType(StrEnum):
    """Whether a role is held in a service or in a conversation."""

    CONVERSATION = "conversation"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a user may do over the SDK; REST calls are not bound by roles."""

    sid: str
    service_sid: str
    friendly_name: str
    type: RoleType
    permissions: tuple[str, ...]
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An identity of a service."""

    sid: str
    service_sid: str
    identity: str
    friendly_name: str | None
    attributes: str
    role_sid: str
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfiguration:
    """A service's defaults."""

    default_conversation_creator_role_sid: str
    default_conversation_role_sid: str
    default_chat_service_role_sid: str
    reachability_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfiguration:
    """The account's defaults; timers as ISO-8601 durations."""

    default_chat_service_sid: str = ""
    default_messaging_service_sid: str = ""
    default_inactive_timer: str | None = None
    default_closed_timer: str | None = None
