"""A worker's lease ends with its process: nobody works on after Lambda has ended it, and nobody waits longer."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import message_added
from tests.functional.agent import deployed_agent, record_of
from tests.lambda_context import LambdaContext


def test_a_lease_lasts_as_long_as_the_invocation_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime.now(UTC)
    with deployed_agent(monkeypatch) as deployed:
        deployed.app.lambda_handler({"Records": [record_of(message_added())]}, LambdaContext(remaining_ms=40_000))

    claim = next(request for request in deployed.to_aws if request.operation == "UpdateItem")
    until = datetime.fromtimestamp(int(claim.parameters["ExpressionAttributeValues"][":lease_until"]["N"]) / 1000, UTC)
    assert before + timedelta(seconds=39) < until < datetime.now(UTC) + timedelta(seconds=40)
