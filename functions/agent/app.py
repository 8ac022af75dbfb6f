"""MessagesQueue → one turn a conversation, conversations side by side → replies through Twilio."""

import gc

gc.disable()  # what a start makes stays: looking for garbage in it takes up to a tenth of a cold start

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from switchboard.bootstrap.agent import AgentFunction, agent_function, declared_assistant, messages_queue
from switchboard.bootstrap.startup import build, report_failed_start, return_all
from switchboard.errors import SwitchboardError

FOLDER = Path(__file__).parent


def start() -> AgentFunction:
    """Build what the function works with, once a process; raise a `SwitchboardError` that says what to correct."""
    try:
        return build(lambda: agent_function(declared_assistant(FOLDER), FOLDER / "prices.toml"), folder=FOLDER)
    finally:
        if not gc.isenabled():  # the first start, whether it failed or not
            gc.freeze()
            gc.enable()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 -- Lambda's context
    """Answer a batch of messages; the records whose turn is not settled come back."""
    lease_until = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    try:
        agent = start()
    except SwitchboardError as error:  # no turn was claimed: it costs no conversation an attempt
        report_failed_start(error, context)
        returned = return_all(event["Records"], messages_queue)
    else:
        with agent.telemetry.invocation(context):
            returned = agent.answer(event["Records"], lease_until=lease_until)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}
