"""LifecycleQueue → what happened to a conversation, applied: owner, end, what a human hands back."""

from collections.abc import Mapping
from typing import Any

from switchboard import bootstrap


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Apply a batch of lifecycle events, each on its own; those that failed come back."""
    returned = bootstrap.lifecycle().apply_each(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}
