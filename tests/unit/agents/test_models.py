"""Which model a setting names, and how a call to it ends."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.test import TestModel

import switchboard
from switchboard.agents.keys import Keys
from switchboard.agents.models import ASSISTANT_FALLBACK_MODEL, model_named
from switchboard.agents.providers import MAX_TOKENS, with_reasoning_tags
from switchboard.errors import Misconfigured

LAYER = str(Path(switchboard.__file__).parent.parent)
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def bedrock() -> BedrockConverseModel:
    model = model_named(f"bedrock:{CLAUDE}")
    assert isinstance(model, BedrockConverseModel)
    return model


def test_the_offline_model_needs_no_credentials() -> None:
    assert model_named("offline").model_name == "offline"


def test_the_name_of_a_bedrock_model_may_contain_a_colon() -> None:
    assert bedrock().model_name == CLAUDE


def test_the_tags_of_reasoning_are_left_in_the_text_for_the_guard() -> None:
    usual = TestModel().profile["thinking_tags"]

    model = with_reasoning_tags(TestModel())

    assert usual == ("<think>", "</think>")
    assert not any(tag in usual for tag in model.profile["thinking_tags"])
    assert model.profile == {**TestModel().profile, "thinking_tags": model.profile["thinking_tags"]}


def test_answers_of_bedrock_have_limited_length() -> None:
    assert (bedrock().settings or {}).get("max_tokens") == MAX_TOKENS


def test_a_call_to_bedrock_times_out_after_25_seconds_and_is_not_repeated() -> None:
    config: Any = bedrock().client.meta.config  # its options are attributes that botocore sets at run time

    assert config.read_timeout == 25
    assert config.connect_timeout == 3
    assert config.retries == {"total_max_attempts": 1, "mode": "legacy"}


@pytest.mark.parametrize("provider", ["openai", "openai-chat", "anthropic", "google"])
def test_a_call_to_another_provider_times_out_after_25_seconds_and_is_not_repeated(provider: str) -> None:
    keys = Keys(environment=dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), "a-key"))

    settings = model_named(f"{provider}:x", keys=keys).settings or {}

    assert (settings.get("timeout"), settings.get("max_retries")) == (25, 0)
    assert settings.get("cache") is True
    assert settings.get("max_tokens", 0) >= MAX_TOKENS


def test_aws_endpoint_url_replaces_bedrocks_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert bedrock().base_url == "http://127.0.0.1:4566"


def test_without_a_region_the_error_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(Misconfigured, match="AWS_REGION"):
        bedrock()


@pytest.mark.parametrize("name", ["", "test", "gpt", "bedrock:", ":x", "nobody:at-all"])
def test_an_unknown_model_name_is_an_error_that_names_the_setting(name: str) -> None:
    with pytest.raises(Misconfigured, match="ASSISTANT_MODEL"):
        model_named(name)


@pytest.mark.parametrize("name", ["offline-2", "openai:", "openai: ", "cohere:command-r", "Bedrock:x", "test:x"])
def test_a_name_of_another_form_is_an_error_that_shows_the_forms(name: str) -> None:
    with pytest.raises(
        Misconfigured, match=f"ASSISTANT_FALLBACK_MODEL is '{name}': it takes offline, or .*openai-chat:…"
    ):
        model_named(name, setting=ASSISTANT_FALLBACK_MODEL)


@pytest.mark.parametrize("provider", ["openai", "openai-chat", "anthropic", "google"])
def test_a_provider_without_a_key_is_an_error_that_names_it(provider: str) -> None:
    with pytest.raises(
        Misconfigured, match=rf"ASSISTANT_MODEL is '{provider}:x': \w+_API_KEY is not set: .*ModelSecretArn"
    ):
        model_named(f"{provider}:x", keys=Keys(environment={"OPENAI_API_KEY": " "}))


def test_a_server_of_ones_own_needs_no_key() -> None:
    keys = Keys(environment={"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"})

    assert model_named("openai-chat:llama", keys=keys).base_url == "http://127.0.0.1:11434/v1/"


def test_a_base_url_that_is_none_is_named_and_not_shown() -> None:
    keys = Keys(environment={"OPENAI_BASE_URL": "user:password@localhost"})

    with pytest.raises(Misconfigured, match="OPENAI_BASE_URL must be a URL") as raised:
        model_named("openai:x", keys=keys)

    assert "password" not in str(raised.value)


def test_the_secret_stands_before_the_environment() -> None:
    keys = Keys(environment={"A": "of the environment", "B": "b"}, secret=lambda: {"A": "of the secret", "B": ""})

    assert (keys.get("A"), keys.get("B"), keys.get("C", "A"), keys.get("C")) == (
        "of the secret",
        "b",
        "of the secret",
        "",
    )
    assert "of the environment" not in repr(keys)


@pytest.mark.parametrize(
    ("provider", "extra"), [("openai-chat", "openai"), ("anthropic", "anthropic"), ("google", "google")]
)
def test_a_provider_whose_package_is_not_installed_is_an_error_that_says_how(provider: str, extra: str) -> None:
    refused = {"openai": "openai", "anthropic": "anthropic", "google": "google.genai"}[extra]
    program = (
        f"import sys; sys.modules['{refused}'] = None; from switchboard.agents.models import model_named\n"
        f"try: model_named('{provider}:x')\n"
        f"except Exception as error: print(type(error).__name__, error)"
    )

    said = printed(program)

    assert said.startswith(
        f"Misconfigured ASSISTANT_MODEL is '{provider}:x', and that provider's package is not installed"
    )
    assert f"add {extra} to PROVIDERS in the Makefile" in said


@pytest.mark.parametrize(
    ("name", "sdks"),
    [
        ("offline", []),
        ("bedrock:x", ["boto3"]),
        ("openai:x", ["openai"]),
        ("anthropic:x", ["anthropic"]),
        ("google:x", ["google.genai"]),
    ],
)
def test_a_model_imports_its_own_sdk_and_no_other(name: str, sdks: list[str]) -> None:
    keys = dict.fromkeys(["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"], "a-key")
    program = (
        "import sys; from switchboard.agents.keys import Keys; "
        "from switchboard.agents.pydantic_ai_agent import model_named; "
        f"model_named('{name}', keys=Keys(environment={keys})); "
        "print([name for name in ('boto3', 'openai', 'anthropic', 'google.genai') if name in sys.modules])"
    )

    assert printed(program) == str(sdks)


def printed(program: str) -> str:
    """Return what a program prints in a process of its own."""
    ended = subprocess.run(  # noqa: S603 -- our own interpreter, our own words
        [sys.executable, "-c", program],
        env={"PYTHONPATH": LAYER, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.strip()
