"""Every minute → what Twilio has and we have not → the queues, as if its webhook had come."""

from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.bootstrap.sweeper import sweeper_function


def lambda_handler(_event: object, context: Any) -> None:  # noqa: ANN401 -- Lambda's context
    """Sweep once; what the run has no requests or no time left for stays due."""
    deadline = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    sweeper = sweeper_function()
    with sweeper.telemetry.invocation(context):
        sweeper.run(deadline=deadline)
