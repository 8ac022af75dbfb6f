"""Every minute → what Twilio has and we have not → the queues, as if its webhook had come."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from switchboard.bootstrap.startup import build, report_failed_start
from switchboard.bootstrap.sweeper import SweeperFunction, sweeper_function
from switchboard.errors import SwitchboardError


def start() -> SweeperFunction:
    """Build what the function works with, once a process; raise a `SwitchboardError` that says what to correct."""
    return build(sweeper_function, folder=Path(__file__).parent)


def lambda_handler(_event: object, context: Any) -> None:  # noqa: ANN401 -- Lambda's context
    """Sweep once; what the run has no requests or no time left for stays due."""
    deadline = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    try:
        sweeper = start()
    except SwitchboardError as error:
        report_failed_start(error, context)
        return
    with sweeper.telemetry.invocation(context):
        sweeper.run(deadline=deadline)
