"""One account: everything it holds, what time it is, and how new SIDs are drawn."""

import heapq
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import md5

from local.twilio.models.events import Event
from local.twilio.models.records import (
    AddressConfiguration,
    Arrived,
    Conversation,
    Message,
    Participant,
    Receipt,
    ScopedWebhook,
    Service,
    WebhookConfiguration,
)


class Due(StrEnum):
    """What a timer does."""

    CONVERSATION = "conversation"


@dataclass(slots=True, kw_only=True)
class State:
    """What a snapshot holds. Keys are SIDs; children stand under their parent's SID, in the order they came."""

    seed: str
    services: dict[str, Service] = field(default_factory=dict)
    default_service_sid: str = ""
    messaging_service_sid: str = ""
    numbers: dict[str, str] = field(default_factory=dict)  # our address → its PN or XE SID
    webhooks: dict[str, WebhookConfiguration] = field(default_factory=dict)  # by service SID; "" is the account's own
    addresses: dict[str, AddressConfiguration] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    conversations_by_unique_name: dict[str, str] = field(default_factory=dict)  # `unique_name_key` → CH
    conversations_by_pair: dict[str, str] = field(default_factory=dict)  # `pair_key` → CH; closed ones are not here
    participants: dict[str, dict[str, Participant]] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    next_index: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, dict[str, Receipt]] = field(default_factory=dict)  # by message
    scoped_webhooks: dict[str, dict[str, ScopedWebhook]] = field(default_factory=dict)
    inboxes: dict[str, dict[str, Arrived]] = field(default_factory=dict)  # by address or identity, then by message
    timers: list[tuple[datetime, Due, str]] = field(default_factory=list)  # a heap
    sids_drawn: int = 0


class World:
    """The state, with what it needs from outside: a clock, a listener for events, a seed for its SIDs.

    `delivery_error` names the error with which a message to an address fails; `skips_index` tells whether the next
    message of a conversation skips a number; `timer_set` hears that something is to fall due.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        clock: Callable[[], datetime],
        happened: Callable[[Event], None],
        seed: str | None = None,
    ) -> None:
        self.account_sid = account_sid
        self.clock = clock
        self._seed = seed
        self.empty()
        self.timer_set: Callable[[], None] = lambda: None
        self.delivery_error: Callable[[str], int | None] = lambda _address: None
        self.skips_index: Callable[[str], bool] = lambda _conversation_sid: False
        self._happened = happened

    def empty(self) -> None:
        """Forget everything."""
        self.state = State(seed=self._seed if self._seed is not None else secrets.token_hex())

    def new_sid(self, prefix: str) -> str:
        """Draw a SID that was not drawn before; the same seed draws the same ones."""
        self.state.sids_drawn += 1
        digest = md5(f"{self.state.seed}:{self.state.sids_drawn}".encode(), usedforsecurity=False)
        return f"{prefix}{digest.hexdigest()}"

    def tell(self, event: Event) -> None:
        """Tell the listener, unless the event came from a REST call that wants no webhooks."""
        if event.origin.fires:
            self._happened(event)

    def schedule(self, at: datetime, due: Due, sid: str) -> None:
        """Have something looked at once its time has come; what has changed until then is left alone."""
        heapq.heappush(self.state.timers, (at, due, sid))
        self.timer_set()


def unique_name_key(service_sid: str, unique_name: str) -> str:
    """Return the key of a unique name; it is unique within its service."""
    return f"{service_sid} {unique_name}"


def pair_key(address: str, proxy_address: str) -> str:
    """Return the key of an address pair; addresses hold no spaces."""
    return f"{address} {proxy_address}"
