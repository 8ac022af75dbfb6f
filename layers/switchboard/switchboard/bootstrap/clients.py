"""The clients that more than one function needs: AWS, the Twilio secret, Twilio, the table."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from switchboard.aws.secrets import ModelSecretReader, TwilioSecretReader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

MAX_CONVERSATIONS_PER_BATCH = 10  # each may hold a connection to each service


# Short timeouts: a function has seconds, and botocore's defaults are minutes.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=MAX_CONVERSATIONS_PER_BATCH,
)


def sqs_client() -> "SQSClient":
    """Return a client of SQS."""
    return boto3.client("sqs", config=_CONFIG)


def dynamodb_client() -> "DynamoDBClient":
    """Return a client of DynamoDB."""
    return boto3.client("dynamodb", config=_CONFIG)


def events_client() -> Any:  # noqa: ANN401 -- boto3 makes its client classes at run time
    """Return a client of EventBridge. It does not try again: a sweep does."""
    return boto3.client("events", config=_CONFIG.merge(Config(read_timeout=2, retries={"total_max_attempts": 1})))


def twilio_secret(secret_id: str) -> TwilioSecretReader:
    """Return the reader of the Twilio secret."""
    return TwilioSecretReader(
        client=boto3.client("secretsmanager", config=_CONFIG), secret_id=secret_id, clock=time.monotonic
    )


def model_secret(secret_id: str) -> ModelSecretReader:
    """Return the reader of the secret with the keys of models' providers."""
    return ModelSecretReader(
        client=boto3.client("secretsmanager", config=_CONFIG), secret_id=secret_id, clock=time.monotonic
    )


def now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
