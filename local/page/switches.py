"""The switches of "Break it": each breaks one thing for some time or some times, counts, and ends by itself."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from local.aws.ministack import Throttling
from local.aws.trouble import Trouble
from twilio_emulator.faults.armed import ArmedFault, Commit, FailureStatus, Fault, FaultKind, Faults

RECEIVED = "onMessageAdded"  # the webhook of a customer's message, and of every other one
POST_OF_MESSAGE = "POST */Messages"
EVERYTHING = "*"
AFTER_READ_TIMEOUT = 10.0  # seconds: our client waits eight for Twilio's answer
OVERTAKEN_WITHIN = 20.0  # seconds: a webhook that nothing overtakes is sent then
SLOW_SECONDS = 4.0  # of each request to the model: two of them fit into the shortest AgentTimeout
MODEL_STATUSES = (503, 429)  # what a provider answers that is away, or has too much to do
REFUSED_BY_TWILIO = frozenset({21610, 63016})  # delivery errors that Twilio finds itself; carriers find the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What whoever turns a switch on may choose, as far as the switch looks at it."""

    count: int = 1
    seconds: float = 60
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a switch stands: it ends after `left` more strikes, or `seconds_left`; `struck` stays when it has ended."""

    is_on: bool
    struck: int = 0
    left: int | None = None
    seconds_left: int | None = None


class Switch(Protocol):
    """Something that can be broken."""

    async def turn_on(self, options: Options) -> None:
        """Break it; what was on before ends."""

    async def turn_off(self) -> None:
        """Mend it."""

    async def state(self) -> State:
        """Return how it stands."""


class FaultSwitch:
    """A fault of the emulator's, for a number of times, or with a rate of 1 for a time."""

    def __init__(self, faults: Faults, fault_of: Callable[[Options], Fault]) -> None:
        self._faults = faults
        self._fault_of = fault_of
        self._armed: ArmedFault | None = None
        self._end: asyncio.TimerHandle | None = None

    async def turn_on(self, options: Options) -> None:
        """Arm the fault, and have it end after `seconds` where it has no count."""
        await self.turn_off()
        armed = self._armed = self._faults.arm(self._fault_of(options))
        if armed.fault.count is None:
            self._end = asyncio.get_running_loop().call_later(options.seconds, self._faults.remove, armed.id)

    async def turn_off(self) -> None:
        """Remove the fault."""
        if self._armed:
            self._faults.remove(self._armed.id)
        if self._end:
            self._end.cancel()
            self._end = None

    async def state(self) -> State:
        """Return how it stands; somebody else may have removed the fault."""
        if self._armed is None:
            return State(is_on=False)
        struck, count = self._armed.times_triggered, self._armed.fault.count
        if not self.has(self._armed) or struck == count:
            return State(is_on=False, struck=struck)
        if count is not None:
            return State(is_on=True, struck=struck, left=count - struck)
        now = asyncio.get_running_loop().time()
        left = self._end.when() - now if self._end else 0.0
        return State(is_on=True, struck=struck, seconds_left=math.ceil(max(0.0, left)))

    def has(self, armed: ArmedFault) -> bool:
        """Tell whether a fault is this switch's, and armed."""
        return armed is self._armed and any(each is armed for each in self._faults.armed)


class ModelSwitch:
    """The model answers with a status, or slowly, for a time."""

    def __init__(self, trouble: Trouble, *, slow_seconds: float = 0) -> None:
        self._trouble = trouble
        self._slow_seconds = slow_seconds
        self._struck = 0

    async def turn_on(self, options: Options) -> None:
        """Break the model; the other switch of the model ends."""
        status = 0 if self._slow_seconds else options.code or MODEL_STATUSES[0]
        if status and status not in MODEL_STATUSES:
            raise ValueError(f"the code must be one of {', '.join(map(str, MODEL_STATUSES))}")
        self._trouble.break_model(seconds=options.seconds, status=status, slow_seconds=self._slow_seconds)

    async def turn_off(self) -> None:
        """Mend the model."""
        if self._is_on():
            self._trouble.mend_model()

    async def state(self) -> State:
        """Return how it stands."""
        model = self._trouble.model
        if model is None or not self._is_on():
            return State(is_on=False, struck=self._struck)
        self._struck = self._trouble.model_struck
        return State(is_on=True, struck=self._struck, seconds_left=math.ceil(model.seconds_left))

    def _is_on(self) -> bool:
        model = self._trouble.model
        return model is not None and model.slow_seconds == self._slow_seconds


class KillSwitch:
    """The agent's process is killed in the middle of the next turn, when it asks its model."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble

    async def turn_on(self, _options: Options) -> None:
        """Kill the next one."""
        self._trouble.arm_kill()

    async def turn_off(self) -> None:
        """Kill nobody."""
        self._trouble.disarm_kill()

    async def state(self) -> State:
        """Return how it stands."""
        is_on = self._trouble.kill_is_armed
        return State(is_on=is_on, struck=self._trouble.killed, left=1 if is_on else None)


class Tables(Protocol):
    """The part of the local AWS that throttles its tables. Its calls block."""

    def throttle_tables(self, seconds: float) -> Throttling:
        """Refuse the functions' requests to DynamoDB for so long; 0 ends it."""

    def throttling(self) -> Throttling:
        """Return how it stands with that."""


class ThrottleSwitch:
    """DynamoDB throttles the functions for a time. While it is off, nobody is asked how it stands."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._last = Throttling(seconds_left=0, struck=0)

    async def turn_on(self, options: Options) -> None:
        """Throttle the tables."""
        self._last = await run_in_threadpool(self._tables.throttle_tables, options.seconds)

    async def turn_off(self) -> None:
        """Serve the functions again."""
        if self._last.seconds_left:
            self._last = await run_in_threadpool(self._tables.throttle_tables, 0)

    async def state(self) -> State:
        """Return how it stands."""
        if self._last.seconds_left:
            self._last = await run_in_threadpool(self._tables.throttling)
        left = math.ceil(self._last.seconds_left)
        return State(is_on=left > 0, struck=self._last.struck, seconds_left=left or None)


def switches_of(faults: Faults, trouble: Trouble, tables: Tables) -> Mapping[str, Switch]:
    """Return every switch by its name in the page's requests."""
    return {
        "kill": KillSwitch(trouble),
        "model_away": ModelSwitch(trouble),
        "model_slow": ModelSwitch(trouble, slow_seconds=SLOW_SECONDS),
        "lose": FaultSwitch(faults, lambda chosen: _webhooks(FaultKind.DROP_WEBHOOK, chosen)),
        "double": FaultSwitch(faults, lambda chosen: _webhooks(FaultKind.DUPLICATE_WEBHOOK, chosen)),
        "delay": FaultSwitch(faults, lambda chosen: _webhooks(FaultKind.DELAY_WEBHOOK, chosen)),
        "reorder": FaultSwitch(
            faults, lambda chosen: _webhooks(FaultKind.REORDER_WEBHOOK, chosen, seconds=OVERTAKEN_WITHIN)
        ),
        "timeout": FaultSwitch(faults, _timeout_after_commit),
        "too_many": FaultSwitch(faults, lambda _: Fault(kind=FaultKind.ANSWER, code=20429, rate=1, on=EVERYTHING)),
        "server_error": FaultSwitch(faults, lambda _: Fault(kind=FaultKind.ANSWER, code=20500, rate=1, on=EVERYTHING)),
        "undelivered": FaultSwitch(faults, _undelivered),
        "throttle": ThrottleSwitch(tables),
    }


def _webhooks(kind: FaultKind, chosen: Options, *, seconds: float = 10) -> Fault:
    return Fault(kind=kind, count=chosen.count, on=RECEIVED, seconds=seconds)


def _timeout_after_commit(chosen: Options) -> Fault:
    return Fault(
        kind=FaultKind.TIMEOUT,
        count=chosen.count,
        on=POST_OF_MESSAGE,
        seconds=AFTER_READ_TIMEOUT,
        commit=Commit.FIRST,
    )


def _undelivered(chosen: Options) -> Fault:
    status = FailureStatus.FAILED if chosen.code in REFUSED_BY_TWILIO else FailureStatus.UNDELIVERED
    return Fault(kind=FaultKind.FAIL_DELIVERY, count=chosen.count, code=chosen.code, status=status)
