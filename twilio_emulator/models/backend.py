"""One account: its state, what time it is, how new SIDs are drawn, and who hears of what happens."""

import heapq
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import md5

from twilio_emulator.models.events import Event
from twilio_emulator.models.resources import DeliveryFailure
from twilio_emulator.models.state import AccountState, Due


class World:
    """The state, with what it needs from outside: a clock, a listener for events, a seed for its SIDs.

    `delivery_takes` is how long a message is on its way to a phone; `delivery_failure` tells how one to an address
    fails, if it does; `skips_index` tells whether the next message of a conversation skips a number; `timer_set` hears
    that something is to fall due.
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
        self.delivery_takes = timedelta()
        self.delivery_failure: Callable[[str], DeliveryFailure | None] = lambda _address: None
        self.skips_index: Callable[[str], bool] = lambda _conversation_sid: False
        self.timer_set: Callable[[], None] = lambda: None
        self._happened = happened
        self._withheld: list[Event] | None = None
        self._seed = seed
        self.empty()

    def empty(self, *, seed: str | None = None) -> None:
        """Forget everything; draw the SIDs of another seed if one is given."""
        self._seed = seed if seed is not None else self._seed
        self.state = AccountState(seed=self._seed if self._seed is not None else secrets.token_hex())

    def new_sid(self, prefix: str) -> str:
        """Draw a SID that was not drawn before; the same seed draws the same ones."""
        self.state.sids_drawn += 1
        digest = md5(f"{self.state.seed}:{self.state.sids_drawn}".encode(), usedforsecurity=False)
        return f"{prefix}{digest.hexdigest()}"

    def tell(self, event: Event) -> None:
        """Tell the listener, unless the event came from a REST call that wants no webhooks."""
        if not event.origin.fires:
            return
        if self._withheld is not None:
            self._withheld.append(event)
            return
        self._happened(event)

    @contextmanager
    def told_together(self) -> Iterator[None]:
        """Tell what happens in the block after it, and nothing of it if it fails."""
        withheld: list[Event] = []
        self._withheld = withheld
        try:
            yield
        finally:
            self._withheld = None
        for event in withheld:
            self._happened(event)

    def schedule(self, at: datetime, due: Due, what: str) -> None:
        """Have something looked at once its time has come; what has changed until then is left alone."""
        heapq.heappush(self.state.timers, (at, due, what))
        self.timer_set()
