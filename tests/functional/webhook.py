"""The webhook function with its two queues and its secret. AWS is moto."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from switchboard.bootstrap.webhook import webhook_function
from tests import functions
from tests.lambda_context import LambdaContext
from tests.signing import ACCOUNT, SERVICE, TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The deployed function: what it answers, and what it queued."""

    handle: Callable[[dict[str, Any], object], dict[str, Any]]
    sqs: Any
    secrets: Any
    messages: str
    lifecycle: str

    def post(self, event: dict[str, Any], *, request_id: str = "") -> int:
        context = LambdaContext(aws_request_id=request_id) if request_id else LambdaContext()
        return int(self.handle(event, context)["statusCode"])

    def queued(self, url: str) -> list[dict[str, Any]]:
        received = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
        )
        return [
            {**json.loads(record["Body"]), "group": record["Attributes"]["MessageGroupId"]}
            for record in received.get("Messages", [])
        ]

    def rotate(self, *tokens: str) -> None:
        self.secrets.put_secret_value(SecretId="twilio", SecretString=_secret(*tokens))


@contextmanager
def deployed_webhook(**environment: str) -> Iterator[Deployed]:
    """Yield the function, with these variables besides those it needs."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "POWERTOOLS_SERVICE_NAME": "webhook",
            "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
            "TWILIO_SECRET_ID": "twilio",
            "SYSTEM_AUTHORS": "system",
            **environment,
        }.items():
            patch.setenv(name, value)
        sqs = boto3.client("sqs")
        urls = {}
        for name in ("messages", "lifecycle"):
            created = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})
            urls[name] = created["QueueUrl"]
            patch.setenv(f"{name.upper()}_QUEUE_URL", urls[name])
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="twilio", SecretString=_secret(TOKEN))
        webhook_function.cache_clear()
        yield Deployed(
            handle=functions.load("webhook").lambda_handler,
            sqs=sqs,
            secrets=secrets,
            messages=urls["messages"],
            lifecycle=urls["lifecycle"],
        )
        webhook_function.cache_clear()


def _secret(*tokens: str) -> str:
    return json.dumps({"auth_tokens": tokens, "account_sid": ACCOUNT, "service_sid": SERVICE})
