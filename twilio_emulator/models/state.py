"""What an account holds, and a snapshot keeps."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from twilio_emulator.clock import FURTHEST
from twilio_emulator.models.resources import (
    AccountConfiguration,
    AddressConfiguration,
    Arrived,
    Content,
    Conversation,
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


class Due(StrEnum):
    """What a timer looks at: a conversation's state, or a delivery on its way."""

    CONVERSATION = "conversation"
    DELIVERY = "delivery"


@dataclass(slots=True, kw_only=True)
class AccountState:
    """Keys are SIDs unless a comment says otherwise; children stand under their parent's, in the order they came."""

    seed: str
    sids_drawn: int = 0
    clock_ahead: Annotated[timedelta, Field(ge=timedelta(), le=FURTHEST)] = timedelta()
    configuration: AccountConfiguration = field(default_factory=AccountConfiguration)
    numbers: dict[str, str] = field(default_factory=dict)  # our address → its PN or XE SID
    webhooks: dict[str, WebhookConfiguration] = field(default_factory=dict)  # by service; "" is the account's own
    addresses: dict[str, AddressConfiguration] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)

    services: dict[str, Service] = field(default_factory=dict)
    service_configurations: dict[str, ServiceConfiguration] = field(default_factory=dict)
    roles: dict[str, dict[str, Role]] = field(default_factory=dict)
    users: dict[str, dict[str, User]] = field(default_factory=dict)
    users_by_identity: dict[str, str] = field(default_factory=dict)  # IS and identity, with a space between
    muted: set[str] = field(default_factory=set)  # participants who chose so
    media: dict[str, Media] = field(default_factory=dict)

    conversations: dict[str, Conversation] = field(default_factory=dict)
    conversations_by_unique_name: dict[str, str] = field(default_factory=dict)  # by `unique_name_key`
    conversations_by_pair: dict[str, str] = field(default_factory=dict)  # by `pair_key`; closed ones are not here
    memberships: dict[str, dict[str, str]] = field(default_factory=dict)  # identity or address → CH → MB
    participants: dict[str, dict[str, Participant]] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    next_index: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, dict[str, Receipt]] = field(default_factory=dict)  # under their message
    scoped_webhooks: dict[str, dict[str, ScopedWebhook]] = field(default_factory=dict)

    inboxes: dict[str, dict[str, Arrived]] = field(default_factory=dict)  # identity or address → message → what arrived
    last_inbound: dict[str, datetime] = field(default_factory=dict)  # by `pair_key`
    opted_out: set[str] = field(default_factory=set)  # `pair_key`s
    typing: dict[str, dict[str, datetime]] = field(default_factory=dict)  # conversation → who → until when
    timers: list[tuple[datetime, Due, str]] = field(default_factory=list)  # a heap


def unique_name_key(service_sid: str, unique_name: str) -> str:
    """Return the key of a unique name; it is unique within its service."""
    return f"{service_sid} {unique_name}"


def pair_key(address: str, proxy_address: str) -> str:
    """Return the key of an address pair; addresses hold no spaces."""
    return f"{address} {proxy_address}"
