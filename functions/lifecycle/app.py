"""LifecycleQueue → what happened to a conversation, applied: its owner, its end, what a human hands back."""

from collections.abc import Mapping
from typing import Any

from switchboard.bootstrap.lifecycle import lifecycle_function


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Apply a batch of lifecycle events, each on its own; those that failed come back."""
    lifecycle = lifecycle_function()
    with lifecycle.telemetry.invocation(context):
        returned = lifecycle.batch.apply_each(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}
