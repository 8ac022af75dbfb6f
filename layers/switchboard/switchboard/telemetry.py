"""What an operator sees: one structured line a decision, and a count of the same decisions under the same names.

Never a message body, an address or an identity: only what callers name as facts, and of an unexpected error its type
and the lines it came through, not its text.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from switchboard.errors import SwitchboardError

type Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Decisions, logged and counted. Not for threads: a function reports from its handler."""

    logger: Logger
    metrics: Metrics

    def decided(self, decision: str, facts: Facts) -> None:
        """Log and count a decision; `decision` comes from a closed set, facts are only logged."""
        self.logger.info(decision, extra=facts)
        self.metrics.add_metric(name=decision, unit=MetricUnit.Count, value=1)

    def failed(self, error: Exception, facts: Facts) -> None:
        """Log and count an error that nobody decided on."""
        text = str(error) if isinstance(error, SwitchboardError) else ""
        what = {"error": type(error).__name__, "detail": text, "came_through": _frames(error)}
        self.logger.error("failed", extra={**facts, **what})
        self.metrics.add_metric(name="failed", unit=MetricUnit.Count, value=1)

    def flush(self) -> None:
        """Write the counts of this invocation."""
        if self.metrics.metric_set:
            self.metrics.flush_metrics()


def telemetry() -> Telemetry:
    """Return the function's telemetry; Powertools names the service from POWERTOOLS_SERVICE_NAME."""
    return Telemetry(logger=Logger(location=None), metrics=Metrics())


def _frames(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
