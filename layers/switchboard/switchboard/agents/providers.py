"""Models of OpenAI, Anthropic and Google, each with an HTTP client of our own. Nothing is imported before it is needed.

The SDKs wait up to ten minutes for a model and ask twice more: after our deadline, their requests would live on.
"""
# ruff: noqa: PLC0415 -- the imports inside are this file's point

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx2
from pydantic_ai import ModelSettings
from pydantic_ai.models import Model

from switchboard.agents.keys import Keys
from switchboard.errors import Misconfigured, SwitchboardError

if TYPE_CHECKING:
    from pydantic_ai.providers.openai import OpenAIProvider

READ_TIMEOUT_SECONDS = 25
CONNECT_TIMEOUT_SECONDS = 3
MAX_TOKENS = 1000  # of an answer, unless the assistant says otherwise
MAX_TOKENS_WITH_THOUGHTS = 4000  # where the thoughts that a model has by default count too

# Of a `<think>` that is never closed, pydantic-ai takes the tag out and leaves the reasoning, which would be sent. It
# looks for these instead, which no model writes by itself, and agents/guard.py reads the tags that models do write.
_TAGS_OF_NO_MODEL = ("<|begin of what pydantic-ai sends back|>", "<|end of what pydantic-ai sends back|>")
# Stands in each header for the key, which may change: no SDK is told the key itself.
_KEY = "the-key-of-this-moment"
_REFUSED = {401, 403}


def openai_model(name: str, keys: Keys) -> Model:
    """Return a model over OpenAI's Responses API."""
    from pydantic_ai.models.openai import OpenAIResponsesModel

    return with_reasoning_tags(
        OpenAIResponsesModel(name, provider=_openai(keys), settings=settings_of(MAX_TOKENS_WITH_THOUGHTS))
    )


def openai_chat_model(name: str, keys: Keys) -> Model:
    """Return a model over OpenAI's Chat Completions API, which many other servers speak too, at OPENAI_BASE_URL."""
    from pydantic_ai.models.openai import OpenAIChatModel

    return with_reasoning_tags(
        OpenAIChatModel(name, provider=_openai(keys), settings=settings_of(MAX_TOKENS_WITH_THOUGHTS))
    )


def anthropic_model(name: str, keys: Keys) -> Model:
    """Return a model over Anthropic's Messages API."""
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    http_client = _client(keys, "ANTHROPIC_API_KEY")
    provider = AnthropicProvider(api_key=_KEY, base_url=keys.base_url("ANTHROPIC_BASE_URL"), http_client=http_client)
    return with_reasoning_tags(AnthropicModel(name, provider=provider, settings=settings_of(MAX_TOKENS)))


def google_model(name: str, keys: Keys) -> Model:
    """Return a model over Google's Gemini API."""
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    http_client = _client(keys, "GOOGLE_API_KEY", "GEMINI_API_KEY")
    provider = GoogleProvider(api_key=_KEY, base_url=keys.base_url("GOOGLE_GEMINI_BASE_URL"), http_client=http_client)
    return with_reasoning_tags(GoogleModel(name, provider=provider, settings=settings_of(MAX_TOKENS_WITH_THOUGHTS)))


def with_reasoning_tags(model: Model) -> Model:
    """Return a model whose text keeps its tags of reasoning, for the guard to read."""
    model.profile = {**model.profile, "thinking_tags": _TAGS_OF_NO_MODEL}
    return model


def settings_of(max_tokens: int) -> ModelSettings:
    """Return what each request is made with: a prompt is cached where the provider can, and asked for once."""
    return ModelSettings(max_tokens=max_tokens, timeout=READ_TIMEOUT_SECONDS, max_retries=0, cache=True)


def _openai(keys: Keys) -> "OpenAIProvider":
    from pydantic_ai.providers.openai import OpenAIProvider

    base_url = keys.base_url("OPENAI_BASE_URL")
    http_client = _client(keys, "OPENAI_API_KEY", is_required=base_url is None)  # a server of one's own may need none
    return OpenAIProvider(api_key=_KEY, base_url=base_url, http_client=http_client)


def _client(keys: Keys, *names: str, is_required: bool = True) -> httpx2.AsyncClient:
    """Return a client that sends the key as it is now, and has it read again where the provider refuses it."""
    if is_required and not keys.get(*names):
        raise Misconfigured(
            f"{names[0]} is not set: put it into the secret that the parameter ModelSecretArn names, "
            f"or, on one machine, into the environment"
        )

    async def send_key(request: httpx2.Request) -> None:
        key = keys.get(*names)
        for header, value in [*request.headers.items()]:
            if _KEY in value:
                request.headers[header] = value.replace(_KEY, key or "none")

    async def refresh_key(response: httpx2.Response) -> None:
        if response.status_code in _REFUSED:
            with suppress(SwitchboardError):  # the provider's refusal is what the turn is told
                await asyncio.to_thread(keys.refresh)

    timeout = httpx2.Timeout(READ_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
    return httpx2.AsyncClient(timeout=timeout, event_hooks={"request": [send_key], "response": [refresh_key]})
