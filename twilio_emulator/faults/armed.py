"""Armed faults: what goes wrong, for which event, call, address or conversation, and how often.

Plain Python without I/O. The code that sends webhooks, answers REST calls or delivers messages asks `Faults.trigger`
whether something is to go wrong.
"""

import itertools
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from twilio_emulator.clock import MAX_ADVANCE


class FaultKind(StrEnum):
    """What goes wrong.

    - Webhooks: `drop_webhook`, `duplicate_webhook`, `delay_webhook`, `reorder_webhook` (sent after the next webhook of
      the same conversation).
    - REST calls: `answer` (with an error), `reset` (the connection), `timeout` (no response), `list_lag` (a list does
      not show the newest items yet).
    - Messages: `fail_delivery`, `delay_delivery`, `reorder_delivery` (it arrives after the next message to the same
      address), `skip_index` (the next message of a conversation skips an index).
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
    DELAY_DELIVERY = "delay_delivery"
    REORDER_DELIVERY = "reorder_delivery"
    SKIP_INDEX = "skip_index"


class Commit(StrEnum):
    """When a failing REST call takes effect: never, before it fails, or `seconds` later."""

    NEVER = "never"
    FIRST = "first"
    LATE = "late"


class FailureStatus(StrEnum):
    """The status of a failed delivery: `failed` at Twilio, `undelivered` at the carrier after it was sent."""

    FAILED = "failed"
    UNDELIVERED = "undelivered"


WEBHOOK_KINDS = frozenset(
    {FaultKind.DROP_WEBHOOK, FaultKind.DUPLICATE_WEBHOOK, FaultKind.DELAY_WEBHOOK, FaultKind.REORDER_WEBHOOK},
)
UNKNOWN_ERROR = 20500
UNKNOWN_DELIVERY_ERROR = 30008
LATE_DELIVERY_KINDS = frozenset({FaultKind.DELAY_DELIVERY, FaultKind.REORDER_DELIVERY})
REST_KINDS = frozenset({FaultKind.ANSWER, FaultKind.RESET, FaultKind.TIMEOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault to arm.

    `count` is how many times it triggers, `rate` with which probability (0 to 1); with both, it triggers with that
    probability until it has triggered `count` times. `seed` makes a rate repeatable. `on` is a shell pattern for what
    it applies to: an event type (`onMessageAdded`), a REST call (`POST */Messages`), an address or a conversation SID.

    `seconds` is how long a webhook, a response or a delivery is delayed, how late a commit is, or how far a list lags
    behind. `code` is Twilio's error code of a response (20429, 20500, 20503, …) or of a delivery (30003, 63016, …), and
    any will do. `status` is the status of the delivery.
    """

    kind: FaultKind
    count: int | None = None
    rate: float | None = None
    seed: int = 0
    on: str = "*"
    seconds: float = 10
    code: int | None = None
    commit: Commit = Commit.NEVER
    status: FailureStatus = FailureStatus.FAILED

    def __post_init__(self) -> None:
        if self.count is None and self.rate is None:
            raise ValueError("a fault needs a count or a rate")
        if self.rate is not None and not 0 <= self.rate <= 1:
            raise ValueError("the rate must be between 0 and 1")
        if self.code is not None and self.code <= 0:
            raise ValueError("the code must be one of Twilio's, such as 30003: 0 means that nothing failed")
        if not 0 <= self.seconds <= MAX_ADVANCE.total_seconds():
            raise ValueError(f"the seconds must be between 0 and {MAX_ADVANCE.total_seconds():.0f}")

    @property
    def error_code(self) -> int:
        """The `code`; if none was given, that of an unknown error: 20500 of a response, 30008 of a delivery."""
        unknown = UNKNOWN_DELIVERY_ERROR if self.kind is FaultKind.FAIL_DELIVERY else UNKNOWN_ERROR
        return unknown if self.code is None else self.code


@dataclass(slots=True)
class ArmedFault:
    """A fault and the number of times it was triggered."""

    id: int
    fault: Fault
    times_triggered: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.fault.seed)  # noqa: S311 -- repeatable, not secret

    @property
    def is_spent(self) -> bool:
        """Whether it was triggered as often as it was to be: it stays among the armed ones, and strikes no more."""
        return self.fault.count is not None and self.times_triggered >= self.fault.count

    def trigger(self, subject: str) -> bool:
        """Return whether the fault applies to a subject now, and count it if it does."""
        if self.is_spent:
            return False
        if not fnmatchcase(subject, self.fault.on):
            return False
        if self.fault.rate is not None and self._random.random() >= self.fault.rate:
            return False
        self.times_triggered += 1
        return True


class Faults:
    """The armed faults, in the order in which they were armed."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.armed: list[ArmedFault] = []

    def arm(self, fault: Fault) -> ArmedFault:
        """Add a fault; it can trigger from now on."""
        armed = ArmedFault(next(self._ids), fault)
        self.armed.append(armed)
        return armed

    def remove(self, fault_id: int) -> ArmedFault | None:
        """Remove one fault and return it; None if there is none with this id."""
        found = next((each for each in self.armed if each.id == fault_id), None)
        if found:
            self.armed.remove(found)
        return found

    def clear(self) -> None:
        """Remove all faults."""
        self.armed.clear()

    def trigger(self, kinds: Collection[FaultKind], subject: str) -> Fault | None:
        """Return the first fault of these kinds that applies to a subject now, and count it; None if there is none."""
        return next((each.fault for each in self.armed if each.fault.kind in kinds and each.trigger(subject)), None)
