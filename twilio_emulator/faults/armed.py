"""How the emulator is told to misbehave: each fault a kind, a number of times or a rate, and what it strikes.

Plain Python without I/O: whoever sends webhooks, answers REST calls or delivers messages asks whether a fault strikes.
"""

import itertools
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class Kind(StrEnum):
    """What goes wrong.

    Webhooks: `drop_webhook`, `duplicate_webhook`, `delay_webhook`, `reorder_webhook` (sent after the next one of its
    conversation). REST: `answer` (an error), `reset` (the connection), `timeout` (no answer), `list_lag` (lists do not
    show the newest yet). The world: `fail_delivery`, `skip_index` (the next message skips a number).
    """

    DROP_WEBHOOK = "drop_webhook"
    DUPLICATE_WEBHOOK = "duplicate_webhook"
    DELAY_WEBHOOK = "delay_webhook"
    REORDER_WEBHOOK = "reorder_webhook"
    ANSWER = "answer"
    RESET = "reset"
    TIMEOUT = "timeout"
    LIST_LAG = "list_lag"
    FAIL_DELIVERY = "fail_delivery"
    SKIP_INDEX = "skip_index"


class Commit(StrEnum):
    """Whether a REST call that ends badly was carried out: not at all, before it ended, or a while later."""

    NEVER = "never"
    FIRST = "first"
    LATE = "late"


class Failure(StrEnum):
    """How a delivery fails: at Twilio, or at the carrier after it was sent."""

    FAILED = "failed"
    UNDELIVERED = "undelivered"


WEBHOOK_KINDS = frozenset(
    {Kind.DROP_WEBHOOK, Kind.DUPLICATE_WEBHOOK, Kind.DELAY_WEBHOOK, Kind.REORDER_WEBHOOK},
)
REST_KINDS = frozenset({Kind.ANSWER, Kind.RESET, Kind.TIMEOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault to arm.

    `count` is how often it strikes, `rate` how likely (0 to 1); with both it strikes at that rate until it has struck
    so often. `seed` makes a rate repeatable. `on` is what it strikes, as a shell pattern: an event type
    (`onMessageAdded`), a REST call (`POST */Messages`), an address or a conversation's SID.

    `seconds` is how long a webhook or an answer is held back, how late a commit is, or how far a list lags. `code` is
    Twilio's error code, of an answer (20429, 20500, 20503, …) or a delivery (30003, 63016, …), `status` the delivery's.
    """

    kind: Kind
    count: int | None = None
    rate: float | None = None
    seed: int = 0
    on: str = "*"
    seconds: float = 10
    code: int = 20500
    commit: Commit = Commit.NEVER
    status: Failure = Failure.FAILED

    def __post_init__(self) -> None:
        if self.count is None and self.rate is None:
            raise ValueError("a fault needs a count or a rate")
        if self.rate is not None and not 0 <= self.rate <= 1:
            raise ValueError("a rate is between 0 and 1")


@dataclass(slots=True)
class Armed:
    """A fault that waits; `struck` is how often it struck."""

    id: int
    fault: Fault
    struck: int = 0
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.fault.seed)  # noqa: S311 -- repeatable, not secret

    def strikes(self, subject: str) -> bool:
        """Tell whether it strikes now, and count it."""
        if self.fault.count is not None and self.struck >= self.fault.count:
            return False
        if not fnmatchcase(subject, self.fault.on):
            return False
        if self.fault.rate is not None and self._dice.random() >= self.fault.rate:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults that are armed, in the order they were."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.armed: list[Armed] = []

    def arm(self, fault: Fault) -> Armed:
        """Have a fault strike from now on."""
        armed = Armed(next(self._ids), fault)
        self.armed.append(armed)
        return armed

    def clear(self) -> None:
        """Disarm all."""
        self.armed.clear()

    def strike(self, kinds: Collection[Kind], subject: str) -> Fault | None:
        """Return the first fault of these kinds that strikes a subject."""
        return next((each.fault for each in self.armed if each.fault.kind in kinds and each.strikes(subject)), None)
