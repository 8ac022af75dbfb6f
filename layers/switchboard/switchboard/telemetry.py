"""What an operator sees: one structured log line a decision, and a metric of the same name that counts it.

Logs hold no message body, address or identity: only the facts that callers name, and of an unexpected error its type
and stack, not its text.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from switchboard.errors import Misconfigured, SwitchboardError

type Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Decisions and errors, logged and counted. Not thread-safe: a function reports from its handler's thread.

    Steps are only logged, so any thread may report them.
    """

    logger: Logger
    metrics: Metrics
    name_invocation: Callable[[object, object], None]

    @contextmanager
    def invocation(self, context: object) -> Iterator[None]:
        """Put Lambda's request id and whether it is a cold start on every log line; write the counts at the end."""
        self.name_invocation({}, context)
        try:
            yield
        finally:
            if self.metrics.metric_set:
                self.metrics.flush_metrics()

    def record_decision(self, decision: str, facts: Facts) -> None:
        """Log and count a decision. `decision` comes from a closed set; facts are logged, not counted."""
        self.logger.info(decision, extra=facts)
        self.metrics.add_metric(name=decision, unit=MetricUnit.Count, value=1)

    def record_step(self, facts: Facts) -> None:
        """Log a step of a turn, at the level DEBUG. Any thread may call it: nothing is counted."""
        self.logger.debug("step", extra=facts)

    def record_value(self, name: str, value: float, *, unit: MetricUnit) -> None:
        """Record a value that is watched, such as an age, as a metric of its own."""
        self.metrics.add_metric(name=name, unit=unit, value=value)

    def record_error(self, error: Exception, facts: Facts) -> None:
        """Log an error that no decision was made for, and count it as `failed`."""
        detail = str(error) if isinstance(error, SwitchboardError) else ""
        self.logger.error(
            "failed", extra={**facts, "error": type(error).__name__, "detail": detail, "stack": _stack(error)}
        )
        self.metrics.add_metric(name="failed", unit=MetricUnit.Count, value=1)


def telemetry(*, level: str | None = None) -> Telemetry:
    """Return the function's telemetry. Powertools reads the service's name from POWERTOOLS_SERVICE_NAME.

    Without `level` it reads POWERTOOLS_LOG_LEVEL; raise `Misconfigured` where that is not a level.
    """
    try:
        logger = Logger(location=None, level=level)
    except ValueError as error:
        raise Misconfigured(f"POWERTOOLS_LOG_LEVEL: {error}. Use DEBUG, INFO, WARNING or ERROR") from None
    return Telemetry(logger=logger, metrics=Metrics(), name_invocation=logger.inject_lambda_context(_do_nothing))


def _do_nothing(_event: object, _context: object) -> None:
    """Stand in for a handler: Powertools names the invocation where it decorates one."""


def _stack(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
