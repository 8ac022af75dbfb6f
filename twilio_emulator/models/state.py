"""The state of an account. A snapshot is this state as JSON, so that these names are part of its format."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from twilio_emulator.clock import MAX_ADVANCE
from twilio_emulator.models.resources import (
    AccountConfiguration,
    AddressConfiguration,
    Content,
    Conversation,
    InboxMessage,
    Media,
    Message,
    Participant,
    Receipt,
    Role,
    ScopedWebhook,
    Service,
    ServiceConfiguration,
    User,
    WebhookConfiguration,
)


class TimerKind(StrEnum):
    """What a timer is for: the state of a conversation, or a delivery."""

    CONVERSATION = "conversation"
    DELIVERY = "delivery"


@dataclass(slots=True, kw_only=True)
class AccountState:
    """Dictionaries with SIDs as keys, unless a comment says otherwise.

    A child resource is stored under the SID of its parent. Dictionaries keep the order in which items were added.
    """

    seed: str
    sids_drawn: int = 0
    clock_ahead: Annotated[timedelta, Field(ge=timedelta(), le=MAX_ADVANCE)] = timedelta()
    configuration: AccountConfiguration = field(default_factory=AccountConfiguration)
    numbers: dict[str, str] = field(default_factory=dict)  # address of the account → its PN or XE SID
    webhooks: dict[str, WebhookConfiguration] = field(default_factory=dict)  # by service; "" for the account
    addresses: dict[str, AddressConfiguration] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)

    services: dict[str, Service] = field(default_factory=dict)
    service_configurations: dict[str, ServiceConfiguration] = field(default_factory=dict)
    roles: dict[str, dict[str, Role]] = field(default_factory=dict)
    users: dict[str, dict[str, User]] = field(default_factory=dict)
    users_by_identity: dict[str, str] = field(default_factory=dict)  # key: service SID, space, identity
    muted: set[str] = field(default_factory=set)  # participants with notification level muted
    media: dict[str, Media] = field(default_factory=dict)

    conversations: dict[str, Conversation] = field(default_factory=dict)
    conversations_by_unique_name: dict[str, str] = field(default_factory=dict)  # key: `unique_name_key`
    conversations_by_pair: dict[str, str] = field(default_factory=dict)  # key: `pair_key`; without closed ones
    memberships: dict[str, dict[str, str]] = field(default_factory=dict)  # identity or address → CH → MB
    participants: dict[str, dict[str, Participant]] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    next_index: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, dict[str, Receipt]] = field(default_factory=dict)  # by message
    scoped_webhooks: dict[str, dict[str, ScopedWebhook]] = field(default_factory=dict)

    inboxes: dict[str, dict[str, InboxMessage]] = field(default_factory=dict)  # identity or address → message
    to_be_overtaken: dict[str, list[str]] = field(default_factory=dict)  # address → deliveries, keys of their timers
    last_inbound: dict[str, datetime] = field(default_factory=dict)  # key: `pair_key`
    opted_out: set[str] = field(default_factory=set)  # `pair_key`s
    typing: dict[str, dict[str, datetime]] = field(default_factory=dict)  # conversation → identity or address → until
    timers: list[tuple[datetime, TimerKind, str]] = field(default_factory=list)  # a heap


def unique_name_key(service_sid: str, unique_name: str) -> str:
    """Return the key of a unique name; names are unique within a service."""
    return f"{service_sid} {unique_name}"


def pair_key(address: str, proxy_address: str) -> str:
    """Return the key of an address pair; addresses contain no spaces."""
    return f"{address} {proxy_address}"
