"""The clients that more than one function needs: AWS, the Twilio secret, Twilio, the table."""

import time
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from switchboard.aws.secrets import TwilioSecretReader

MAX_CONVERSATIONS_PER_BATCH = 10  # each may hold a connection to each service


def aws_client(service: str) -> Any:  # noqa: ANN401 -- boto3 makes its client classes at run time
    """Return a client with short timeouts: a function has seconds, and botocore's defaults are minutes."""
    config = Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"total_max_attempts": 3, "mode": "standard"},
        max_pool_connections=MAX_CONVERSATIONS_PER_BATCH,
    )
    return boto3.client(service, config=config)


def twilio_secret(secret_id: str) -> TwilioSecretReader:
    """Return the reader of the Twilio secret."""
    return TwilioSecretReader(client=aws_client("secretsmanager"), secret_id=secret_id, clock=time.monotonic)


def now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
