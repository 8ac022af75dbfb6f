"""LifecycleQueue → what happened to a conversation, applied: its owner, its end, what a human hands back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from switchboard.bootstrap.lifecycle import LifecycleFunction, lifecycle_function, lifecycle_queue
from switchboard.bootstrap.startup import build, report_failed_start, return_all
from switchboard.errors import SwitchboardError


def start() -> LifecycleFunction:
    """Build what the function works with, once a process; raise a `SwitchboardError` that says what to correct."""
    return build(lifecycle_function, folder=Path(__file__).parent)


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 -- Lambda's context
    """Apply a batch of lifecycle events, each on its own; those that failed come back."""
    until = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    try:
        lifecycle = start()
    except SwitchboardError as error:
        report_failed_start(error, context)
        returned = return_all(event["Records"], lifecycle_queue)
    else:
        with lifecycle.telemetry.invocation(context):
            returned = lifecycle.batch.apply_each(event["Records"], until=until)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}
