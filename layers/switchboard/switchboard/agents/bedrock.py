"""A model on Amazon Bedrock, over the Converse API, with a client of our own."""

from contextlib import suppress
from typing import Any, override

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.session import Session
from botocore.tokens import FrozenAuthToken
from pydantic_ai import ModelSettings
from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider

from switchboard.agents.keys import Keys
from switchboard.agents.providers import CONNECT_TIMEOUT_SECONDS, MAX_TOKENS, READ_TIMEOUT_SECONDS
from switchboard.errors import Misconfigured, SwitchboardError

KEY = "AWS_BEARER_TOKEN_BEDROCK"

# pydantic-ai's own client waits 300 s and retries: after our deadline its thread would live on until then.
_CLIENT = Config(
    read_timeout=READ_TIMEOUT_SECONDS, connect_timeout=CONNECT_TIMEOUT_SECONDS, retries={"total_max_attempts": 1}
)
_REFUSED = {401, 403}


def bedrock_model(name: str, keys: Keys | None = None) -> Model:
    """Return a model by its Bedrock name, an inference profile's included. boto3 reads AWS_ENDPOINT_URL.

    Where the secret has a Bedrock API key, it stands in for the role. One in the environment boto3 reads by itself.
    Without `max_tokens`, pydantic-ai streams in secret, and needs the permission InvokeModelWithResponseStream.
    """
    try:
        client = _with_key(keys) if keys and keys.secret().get(KEY) else boto3.client("bedrock-runtime", config=_CLIENT)
    except NoRegionError:
        raise Misconfigured("AWS_REGION is not set, and Bedrock is called in a region") from None
    provider = BedrockProvider(bedrock_client=client)
    return BedrockConverseModel(name, provider=provider, settings=ModelSettings(max_tokens=MAX_TOKENS, cache=True))


def _with_key(keys: Keys) -> Any:  # noqa: ANN401 -- boto3 types no client
    """Return a client that sends the key as it is now, and has it read again where Bedrock refuses it."""

    def refresh_key(http_response: AWSResponse, **_event: object) -> None:
        if http_response.status_code in _REFUSED:
            with suppress(SwitchboardError):  # Bedrock's refusal is what the turn is told
                keys.refresh()

    config = _CLIENT.merge(Config(signature_version="bearer"))
    client = boto3.Session(botocore_session=_KeySession(keys)).client("bedrock-runtime", config=config)
    client.meta.events.register("after-call.bedrock-runtime", refresh_key)
    return client


class _KeySession(Session):
    """A session whose token is the key."""

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    @override
    def get_auth_token(self, **_: object) -> Any:
        return self

    def get_frozen_token(self) -> FrozenAuthToken:
        """Return the key of this moment; botocore asks at each request."""
        return FrozenAuthToken(self._keys.get(KEY))
