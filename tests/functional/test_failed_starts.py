"""The lifecycle and the sweeper function when they cannot be built: each try says why, and nothing is lost.

AWS is moto. `test_agent_function.py` and `test_webhook_function.py` have the other two.
"""

import json

import boto3
import pytest
from moto import mock_aws

from switchboard.bootstrap.lifecycle import lifecycle_function
from switchboard.bootstrap.sweeper import sweeper_function
from tests import functions
from tests.builders import sid
from tests.lambda_context import LambdaContext

SETTINGS = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
    "TWILIO_SECRET_ID": "twilio",
    "SYSTEM_AUTHORS": "system",
    "CONVERSATIONS_TABLE": "conversations",
    "EVENT_BUS_NAME": "notices",
    "MESSAGES_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/messages.fifo",
    "LIFECYCLE_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/lifecycle.fifo",
    "LIFECYCLE_DEAD_LETTER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/dead-letters.fifo",
    "MAX_EVENT_AGE_MINUTES": "60",
    "SWEEP_REQUESTS": "60",
    "HAND_BACK_AFTER_MINUTES": "0",
}
SECRET = json.dumps({"auth_tokens": ["a-token"], "account_sid": sid("AC", 1), "service_sid": sid("IS", 1)})
RECORDS = {"Records": [{"messageId": number, "receiptHandle": f"handle-{number}"} for number in ("1", "2")]}
ALL_COME_BACK = {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}


@pytest.mark.parametrize(
    ("variable", "value"), [("CONVERSATIONS_TABLE", ""), ("TWILIO_SECRET_ID", "another"), ("VISITOR_IDENTITIES", "(")]
)
@pytest.mark.parametrize(("name", "result"), [("lifecycle", ALL_COME_BACK), ("sweeper", None)])
def test_each_try_counts_a_failure_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    result: object,
    variable: str,
    value: str,
) -> None:
    service = f"{name}-without-{variable}"
    for setting, given in {**SETTINGS, "POWERTOOLS_SERVICE_NAME": service, variable: value}.items():
        monkeypatch.setenv(setting, given)
    lifecycle_function.cache_clear()
    sweeper_function.cache_clear()

    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name="twilio", SecretString=SECRET)
        results = [functions.load(name).lambda_handler(RECORDS, LambdaContext()) for _ in range(2)]

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert results == [result, result]
    assert [line["detail"].startswith(variable) for line in lines if "detail" in line] == [True, True]
    assert [line["failed"] for line in lines if "failed" in line] == [[1.0], [1.0]]
