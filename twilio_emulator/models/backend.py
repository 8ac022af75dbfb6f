"""The state of one account, and what its models share: the clock, new SIDs, events and timers."""

import heapq
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5

from twilio_emulator.models.events import Event
from twilio_emulator.models.resources import DeliveryFailure
from twilio_emulator.models.state import AccountState, TimerKind


@dataclass(frozen=True, slots=True)
class LateDelivery:
    """When a delivery happens that a fault makes late.

    It happens `after` that time on the emulator's clock. If `may_be_overtaken`, it happens sooner: as soon as a message
    that was sent to the same address later has arrived.
    """

    after: timedelta
    may_be_overtaken: bool


class Backend:
    """The state of an account, with its connections to the rest of the emulator.

    - `on_event` is called with every event that fires webhooks.
    - `delivery_delay` is how long a message takes to reach its recipient.
    - `delivery_failure` returns how the next delivery to an address fails, or None if it succeeds.
    - `late_delivery` returns how late the next delivery to an address is, or None if it is in time.
    - `skips_index` returns whether the next message of a conversation skips an index.
    - `on_timer_scheduled` is called when a timer was added.
    - `on_phone_changed` is called with an address or identity, and the SID of a message that changed for them; with
      an empty SID after a change of who is typing.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        clock: Callable[[], datetime],
        on_event: Callable[[Event], None],
        seed: str | None = None,
    ) -> None:
        self.account_sid = account_sid
        self.clock = clock
        self.delivery_delay = timedelta()
        self.delivery_failure: Callable[[str], DeliveryFailure | None] = lambda _address: None
        self.late_delivery: Callable[[str], LateDelivery | None] = lambda _address: None
        self.skips_index: Callable[[str], bool] = lambda _conversation_sid: False
        self.on_timer_scheduled: Callable[[], None] = lambda: None
        self.on_phone_changed: Callable[[str, str], None] = lambda _address, _message_sid: None
        self._on_event = on_event
        self._pending: list[Event] | None = None
        self._seed = seed
        self.clear()

    def clear(self, *, seed: str | None = None) -> None:
        """Delete the whole state; a new seed, if given, replaces the current one."""
        self._seed = seed if seed is not None else self._seed
        self.state = AccountState(seed=self._seed if self._seed is not None else secrets.token_hex())

    def new_sid(self, prefix: str) -> str:
        """Return a new SID; the same seed gives the same sequence of SIDs."""
        self.state.sids_drawn += 1
        digest = md5(f"{self.state.seed}:{self.state.sids_drawn}".encode(), usedforsecurity=False)
        return f"{prefix}{digest.hexdigest()}"

    def emit(self, event: Event) -> None:
        """Pass an event to `on_event`, unless it comes from a REST call without the webhook header."""
        if not event.origin.fires_webhooks:
            return
        if self._pending is not None:
            self._pending.append(event)
            return
        self._on_event(event)

    @contextmanager
    def emit_together(self) -> Iterator[None]:
        """Emit the events of the block after its end, and none of them if the block raises."""
        pending: list[Event] = []
        self._pending = pending
        try:
            yield
        finally:
            self._pending = None
        for event in pending:
            self._on_event(event)

    def schedule(self, at: datetime, kind: TimerKind, key: str) -> None:
        """Add a timer; when it is due, its handler checks whether there is still something to do."""
        heapq.heappush(self.state.timers, (at, kind, key))
        self.on_timer_scheduled()
