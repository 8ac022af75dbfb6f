"""EventBridge Scheduler: invoke a function at a fixed rate."""

import re
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

from local.aws.execution_environment import InvocationFailed
from local.aws.template import UnsupportedTemplate


class Invocable(Protocol):
    """The part of a function that a schedule uses."""

    def invoke(self, event: object) -> object:
        """Return what the handler returns, or raise an `InvocationFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSpec:
    """A schedule as the template declares it."""

    every: timedelta
    account_id: str
    region: str

    @classmethod
    def of(cls, expression: str, *, account_id: str, region: str) -> Self:
        """Parse `rate(1 minute)`, `rate(5 minutes)`, …; `UnsupportedTemplate` for `cron(…)` and `at(…)`."""
        found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
        if found is None:
            raise UnsupportedTemplate(f"the local stack does not support the schedule {expression}: use rate(…)")
        return cls(every=timedelta(**{f"{found[2]}s": int(found[1])}), account_id=account_id, region=region)


class Schedule:
    """Invokes a function from a thread of its own, for the first time after one interval, until `stop`."""

    def __init__(self, spec: ScheduleSpec, function: Invocable) -> None:
        self._spec = spec
        self._function = function
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._invoke_periodically, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no further invocation."""
        self._stopping.set()

    def join(self) -> None:
        """Return once the thread has ended. Call `stop` first, and end the function."""
        self._thread.join()

    def _invoke_periodically(self) -> None:
        while not self._stopping.wait(self._spec.every.total_seconds()):
            try:
                self._function.invoke(_event(self._spec))
            except InvocationFailed:
                continue  # as Scheduler does: the next invocation is due anyway


def _event(spec: ScheduleSpec) -> dict[str, object]:
    """Return the event that Scheduler sends when the schedule declares no input."""
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
