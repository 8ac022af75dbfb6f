"""Twilio's resources as immutable values; a change replaces the value."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar


class State(StrEnum):
    """The state of a conversation; `CLOSED` is final."""

    INITIALIZING = "initializing"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"


class Channel(StrEnum):
    """The channel of a participant, as in `messaging_binding.type`."""

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
    """How long after its last activity a conversation becomes inactive or closed; None means never."""

    inactive: timedelta | None = None
    closed: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """The sender of a conversation's emails."""

    address: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation; `date_inactive` and `date_closed` are when its timers are due."""

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
    """A participant's address on a channel, and the account's address that they write to."""

    channel: Channel
    address: str
    proxy_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A participant with an identity (web chat) or a binding (SMS, WhatsApp, …)."""

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
    """A file as it appears in a message."""

    sid: str
    content_type: str
    filename: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An uploaded file; `message_sid` is the message that it was sent with."""

    __pydantic_config__: ClassVar = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}  # the format in a snapshot

    file: File
    service_sid: str
    content: bytes
    message_sid: str | None
    date_created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A content template; in `body`, `{{1}}` stands for the variable 1."""

    sid: str
    friendly_name: str
    language: str
    variables: dict[str, str]
    body: str
    date_created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message; `participant_sid` is None if its author is not a participant."""

    sid: str
    conversation_sid: str
    index: int
    author: str
    participant_sid: str | None
    body: str | None
    media: tuple[File, ...]
    attributes: str
    content_sid: str | None
    channel_message_sid: str | None  # set on an inbound message
    date_created: datetime
    date_updated: datetime


class DeliveryStatus(StrEnum):
    """The delivery status of a message for one recipient."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """The error code and the status of a failed delivery: FAILED at Twilio, UNDELIVERED at the carrier."""

    error_code: int
    status: DeliveryStatus = DeliveryStatus.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The delivery receipt of a message for one recipient on a channel; web-chat participants have none."""

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
class InboxMessage:
    """A message that an address or identity received."""

    conversation_sid: str
    message_sid: str
    body: str
    author: str
    status: DeliveryStatus
    at: datetime
    media: tuple[File, ...] = ()


class AutoCreationType(StrEnum):
    """What Twilio adds to an auto-created conversation: nothing, a webhook or a Studio flow."""

    DEFAULT = "default"
    WEBHOOK = "webhook"
    STUDIO = "studio"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoCreation:
    """Whether and how a message without a conversation opens one."""

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
    """The configuration of an address of the account."""

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
    """The webhooks of a service or of the account; only the events in `filters` are sent."""

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
    """The scope of a role."""

    CONVERSATION = "conversation"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The permissions of a user in Twilio's SDK; they do not apply to REST calls."""

    sid: str
    service_sid: str
    friendly_name: str
    type: RoleType
    permissions: tuple[str, ...]
    date_created: datetime
    date_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The user of an identity in a service."""

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
    """The configuration of a service."""

    default_conversation_creator_role_sid: str
    default_conversation_role_sid: str
    default_chat_service_role_sid: str
    reachability_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfiguration:
    """The configuration of the account; timers are ISO 8601 durations."""

    default_chat_service_sid: str = ""
    default_messaging_service_sid: str = ""
    default_inactive_timer: str | None = None
    default_closed_timer: str | None = None
