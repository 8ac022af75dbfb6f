"""A schedule: what EventBridge Scheduler does for a function that is to run every so often."""

import re
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

from local.aws.execution_environment import InvocationFailed


class Invocable(Protocol):
    """What a schedule needs of a function."""

    def invoke(self, event: object) -> object:
        """Return what the handler returns, or raise an `InvocationFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSpec:
    """A schedule as the template describes it."""

    every: timedelta
    account_id: str
    region: str

    @classmethod
    def of(cls, expression: str, *, account_id: str, region: str) -> Self:
        """Read `rate(1 minute)`, `rate(5 minutes)`, …; `ValueError` for other expressions."""
        found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
        if found is None:
            raise ValueError(f"the local stack knows rate(…) schedules alone, and no {expression}")
        return cls(every=timedelta(**{f"{found[2]}s": int(found[1])}), account_id=account_id, region=region)


class Ticks:
    """A thread that invokes a function every so often, for the first time when the first interval is over."""

    def __init__(self, spec: ScheduleSpec, function: Invocable) -> None:
        self._spec = spec
        self._function = function
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Invoke it no more."""
        self._stopping.set()

    def join(self) -> None:
        """Return once the last invocation has ended: after `stop`, and the function's end."""
        self._thread.join()

    def _tick(self) -> None:
        while not self._stopping.wait(self._spec.every.total_seconds()):
            try:
                self._function.invoke(_event(self._spec))
            except InvocationFailed:
                continue  # the next one comes anyway


def _event(spec: ScheduleSpec) -> dict[str, object]:
    """Return what Scheduler sends where the schedule names no input."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": spec.account_id,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": spec.region,
        "resources": [f"arn:aws:scheduler:{spec.region}:{spec.account_id}:schedule/default/local"],
        "detail": "{}",
    }
