"""Which model a setting names, and how a call to it ends."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.test import TestModel

import switchboard
from switchboard.agents.models import model_named
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


def test_a_provider_whose_package_is_not_installed_is_an_error_that_says_so() -> None:
    with pytest.raises(Misconfigured, match="lacks that provider's package"):
        model_named("cohere:command-r")


def test_the_offline_model_imports_no_provider() -> None:
    program = (
        "import sys; from switchboard.agents.models import model_named; model_named('offline');"
        "print([name for name in ('boto3', 'openai', 'anthropic') if name in sys.modules])"
    )

    loaded = subprocess.run(  # noqa: S603 -- our own interpreter, our own words
        [sys.executable, "-c", program], env={"PYTHONPATH": LAYER}, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
