"""From the settings ASSISTANT_MODEL and ASSISTANT_FALLBACK_MODEL to models.

A cold start imports the providers of the ones that are configured, and no other.
"""
# ruff: noqa: PLC0415 -- the imports inside keep boto3 and the offline model out of other models' cold starts

from collections.abc import Callable, Mapping

from pydantic_ai.models import Model

from switchboard.agents.keys import Keys
from switchboard.agents.providers import anthropic_model, google_model, openai_chat_model, openai_model
from switchboard.errors import Misconfigured, SwitchboardError

OFFLINE = "offline"
ASSISTANT_MODEL = "ASSISTANT_MODEL"
ASSISTANT_FALLBACK_MODEL = "ASSISTANT_FALLBACK_MODEL"

# Providers that a developer's tool adds, by name: `make chat` and `make run` add a scripted model. Empty on AWS.
DEVELOPER_PROVIDERS: dict[str, Callable[[str], Model]] = {}


def knows_summaries(name: str) -> bool:
    """Tell whether the model of this name can write a summary; rules and scripts cannot."""
    return name.partition(":")[0] not in {OFFLINE, *DEVELOPER_PROVIDERS}


def model_named(name: str, *, keys: Keys | None = None, setting: str = ASSISTANT_MODEL) -> Model:
    """Return the model that a setting names: `offline`, or a provider and the model's name there, such as `openai:…`.

    Raises `Misconfigured` for a provider that nobody knows, that is not installed, or that has no key. Whether it has a
    model of this name, only a request shows.
    """
    if name == OFFLINE:
        return _offline()
    provider, _, model = name.partition(":")
    if provider in DEVELOPER_PROVIDERS and model:
        return DEVELOPER_PROVIDERS[provider](model)
    if provider not in _PROVIDERS or not model.strip():
        known = ", ".join(f"{each}:…" for each in _PROVIDERS)
        raise Misconfigured(f"{setting} is {name!r}: it takes {OFFLINE}, or a provider and its model: {known}")
    try:
        return _PROVIDERS[provider](model, keys or Keys())
    except ImportError:
        extra = _EXTRAS.get(provider, provider)
        raise Misconfigured(
            f"{setting} is {name!r}, and that provider's package is not installed: add {extra} to PROVIDERS in the "
            f"Makefile, run `make lock`, and build again"
        ) from None
    except Misconfigured as error:
        raise Misconfigured(f"{setting} is {name!r}: {error}") from None
    except SwitchboardError:
        raise
    except Exception as error:  # noqa: BLE001 -- each provider's package has errors of its own
        text = next(iter(str(error).splitlines()), type(error).__name__)
        raise Misconfigured(f"{setting} is {name!r}, and cannot be used: {text}") from None


def _offline() -> Model:
    from switchboard.agents.offline import OfflineModel

    return OfflineModel()


def _bedrock(model: str, keys: Keys) -> Model:
    from switchboard.agents.bedrock import bedrock_model

    return bedrock_model(model, keys)


_PROVIDERS: Mapping[str, Callable[[str, Keys], Model]] = {
    "bedrock": _bedrock,
    "openai": openai_model,
    "openai-chat": openai_chat_model,
    "anthropic": anthropic_model,
    "google": google_model,
}
_EXTRAS = {"openai-chat": "openai"}  # of layers/switchboard/pyproject.toml, where one has another name
