"""From the setting ASSISTANT_MODEL to a model. A cold start imports the one that is configured, and no other."""
# ruff: noqa: PLC0415 -- the imports inside are this file's point

from collections.abc import Callable

from pydantic_ai.models import Model, infer_model

from switchboard.errors import Misconfigured, SwitchboardError

OFFLINE = "offline"

# Providers that a developer's tool adds, by name: `make chat` and `make run` add a scripted model. Empty on AWS.
DEVELOPER_PROVIDERS: dict[str, Callable[[str], Model]] = {}

# Of a `<think>` that is never closed, pydantic-ai takes the tag out and leaves the reasoning, which would be sent. It
# looks for these instead, which no model writes by itself, and agents/guard.py reads the tags that models do write.
_TAGS_OF_NO_MODEL = ("<|begin of what pydantic-ai sends back|>", "<|end of what pydantic-ai sends back|>")


def model_named(name: str) -> Model:
    """Return the model that a setting names: `offline`, `bedrock:…`, or another pydantic-ai name.

    Raises `Misconfigured` for a name that nobody knows, a provider that is not installed, or one without credentials.
    Names: https://ai.pydantic.dev/models/
    """
    if name == OFFLINE:
        return _offline()
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise Misconfigured(
            f"ASSISTANT_MODEL is {name!r}: it takes `{OFFLINE}` or a pydantic-ai name such as `bedrock:…` or `openai:…`"
        )
    if provider in DEVELOPER_PROVIDERS:
        return DEVELOPER_PROVIDERS[provider](model)
    try:
        return _on_bedrock(model) if provider == "bedrock" else with_reasoning_tags(infer_model(name))
    except ImportError:
        raise Misconfigured(
            f"ASSISTANT_MODEL is {name!r}, and the layer lacks that provider's package: "
            f"add it as an extra of pydantic-ai-slim to the layer's pyproject.toml, run `make lock`, and build again"
        ) from None
    except SwitchboardError:
        raise
    except Exception as error:  # noqa: BLE001 -- each provider's package has its own errors for a missing key
        text = next(iter(str(error).splitlines()), type(error).__name__)
        raise Misconfigured(f"ASSISTANT_MODEL is {name!r}, and cannot be used: {text}") from None


def with_reasoning_tags(model: Model) -> Model:
    """Return a model whose text keeps its tags of reasoning, for the guard to read."""
    model.profile = {**model.profile, "thinking_tags": _TAGS_OF_NO_MODEL}
    return model


def _offline() -> Model:
    from switchboard.agents.offline import offline_model

    return offline_model()


def _on_bedrock(model: str) -> Model:
    from switchboard.agents.bedrock import bedrock_model

    return bedrock_model(model)
