"""MessagesQueue → one turn a conversation, conversations side by side → replies through Twilio."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from assistant import assistant
from switchboard.bootstrap.agent import agent_function


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 -- Lambda's context
    """Answer a batch of messages; the records whose turn is not settled come back."""
    lease_until = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    agent = agent_function(assistant)
    with agent.telemetry.invocation(context):
        returned = agent.answer(event["Records"], lease_until=lease_until)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}
