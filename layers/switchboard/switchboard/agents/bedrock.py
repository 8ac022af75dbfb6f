"""A model on Amazon Bedrock, over the Converse API, with a client of our own."""

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError
from pydantic_ai import ModelSettings
from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider

from switchboard.agents.providers import CONNECT_TIMEOUT_SECONDS, MAX_TOKENS, READ_TIMEOUT_SECONDS
from switchboard.errors import Misconfigured

# pydantic-ai's own client waits 300 s and retries: after our deadline its thread would live on until then.
_CLIENT = Config(
    read_timeout=READ_TIMEOUT_SECONDS, connect_timeout=CONNECT_TIMEOUT_SECONDS, retries={"total_max_attempts": 1}
)


def bedrock_model(name: str) -> Model:
    """Return a model by its Bedrock name, an inference profile's included. boto3 reads AWS_ENDPOINT_URL.

    Without `max_tokens`, pydantic-ai streams in secret, and needs the permission InvokeModelWithResponseStream.
    """
    try:
        client = boto3.client("bedrock-runtime", config=_CLIENT)
    except NoRegionError:
        raise Misconfigured("AWS_REGION is not set, and Bedrock is called in a region") from None
    provider = BedrockProvider(bedrock_client=client)
    return BedrockConverseModel(name, provider=provider, settings=ModelSettings(max_tokens=MAX_TOKENS, cache=True))
