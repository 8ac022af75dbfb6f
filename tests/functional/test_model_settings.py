"""The agent function with models of other providers: their keys come from a secret, and what they use is counted."""

import json
from collections.abc import Iterator

import pydantic_ai.models
import pytest

from switchboard.errors import Misconfigured
from tests.builders import message_added
from tests.fakes.model_server import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Says, Sends, model_server
from tests.functional.agent import deployed_agent, record_of
from tests.lambda_context import LambdaContext

OPENAI = {"ASSISTANT_MODEL": "openai-chat:a-model", "MODEL_SECRET_ID": "models"}
EVENT = {"Records": [record_of(message_added(body="When are you open?"))]}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pydantic_ai.models.override_allow_model_requests(allow_model_requests=True):
        yield


def test_a_key_in_the_secret_reaches_the_model_and_tokens_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A name of its own: Powertools' logger of a name keeps the standard output of the test that made it.
    settings = {**OPENAI, "POWERTOOLS_SERVICE_NAME": "counts-tokens"}
    with model_server(Says(text="From nine.")) as server:
        secret = json.dumps({"OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": server.url})
        with deployed_agent(monkeypatch, model_secret=secret, **settings) as deployed:
            deployed.app.lambda_handler(EVENT, LambdaContext())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    metrics = next(line for line in lines if "_aws" in line)
    assert deployed.texts == ["From nine."]
    assert [headers["authorization"] for _, headers, _ in server.requests] == ["Bearer a-key"]
    assert metrics["input_tokens"] == [INPUT_TOKENS]
    assert metrics["cached_tokens"] == [CACHED_TOKENS]
    assert metrics["output_tokens"] == [OUTPUT_TOKENS]
    assert [line["cached_tokens"] for line in lines if line.get("message") == "model_used"] == [CACHED_TOKENS]
    assert "a-key" not in str(lines)


def test_the_fallback_model_answers_the_customer_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {**OPENAI, "ASSISTANT_FALLBACK_MODEL": "anthropic:a-model", "POWERTOOLS_SERVICE_NAME": "falls-back"}
    with model_server(Sends(status=401)) as first, model_server(Says(text="From nine.")) as second:
        secret = {
            "OPENAI_API_KEY": "a-key",
            "OPENAI_BASE_URL": first.url,
            "ANTHROPIC_API_KEY": "another-key",
            "ANTHROPIC_BASE_URL": second.url,
        }
        with deployed_agent(monkeypatch, model_secret=json.dumps(secret), **settings) as deployed:
            returned = deployed.app.lambda_handler(EVENT, LambdaContext())["batchItemFailures"]

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert (deployed.texts, returned) == (["From nine."], [])
    [cause] = [line["cause"] for line in lines if line.get("message") == "model_fell_back"]
    assert "401" in cause


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("sk-of-somebody", "The secret of MODEL_SECRET_ID is not valid"),
        ('["sk-of-somebody"]', "The secret of MODEL_SECRET_ID is not valid"),
        ('{"OPENAI_API_KEY": 5}', "The secret of MODEL_SECRET_ID is not valid"),
        ('{"OPENAI_KEY": "sk-of-somebody"}', "ASSISTANT_MODEL is .*: OPENAI_API_KEY is not set"),
        ("", "MODEL_SECRET_ID: Secrets Manager answered ResourceNotFoundException"),
    ],
)
def test_a_wrong_secret_is_one_sentence_that_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, secret: str, sentence: str
) -> None:
    with (
        pytest.raises(Misconfigured, match=sentence) as raised,
        deployed_agent(monkeypatch, model_secret=secret, **OPENAI),
    ):
        pass

    assert "\n" not in str(raised.value)
    assert "somebody" not in str(raised.value)
