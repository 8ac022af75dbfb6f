"""The assistant on Bedrock's Converse API. A local HTTP server stands in for Bedrock."""

import json
import os
from collections.abc import Iterator

import boto3
import pytest

from switchboard.agents.bedrock import bedrock_model
from switchboard.agents.keys import Keys
from switchboard.agents.providers import MAX_TOKENS
from switchboard.errors import ModelMisconfigured, Permanent, Transient
from tests.assistants import answering, bakery, question
from tests.fakes.bedrock import aws_credentials, bedrock_server, content_reply, error_reply, tool_call


@pytest.fixture(autouse=True)
def _aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_credentials(monkeypatch):
        yield


def test_it_searches_the_knowledge_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    search = tool_call("search_knowledge", question="open on Saturday")
    replies = (search, content_reply({"text": "From nine."}))

    with bedrock_server(monkeypatch, *replies) as bedrock, answering(bakery, bedrock_model("a.model-1:0")) as agent:
        answer = agent.answer(question("When are you open on Saturday?"))

    assert answer.text == "From nine."
    assert len(bedrock.requests) == 2
    assert "On Saturday" in json.dumps(bedrock.requests[1][1]["messages"])


def test_it_hands_off(monkeypatch: pytest.MonkeyPatch) -> None:
    hand_off = tool_call("hand_off", reply="A colleague takes over.")

    with bedrock_server(monkeypatch, hand_off), answering(bakery, bedrock_model("a.model-1:0")) as agent:
        answer = agent.answer(question("A human, please"))

    assert answer.handoff
    assert answer.text == "A colleague takes over."


def test_it_asks_for_answers_of_limited_length_that_are_not_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

    with (
        bedrock_server(monkeypatch, content_reply({"text": "Hi."})) as bedrock,
        answering(bakery, bedrock_model(model)) as agent,
    ):
        agent.answer(question("hi"))

    [(path, body)] = bedrock.requests
    assert path.endswith("/converse")
    assert body["inferenceConfig"]["maxTokens"] == MAX_TOKENS


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "ThrottlingException"), (503, "ServiceUnavailableException"), (500, "InternalServerException")],
)
def test_an_overloaded_bedrock_is_asked_once_and_the_error_is_transient(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: str
) -> None:
    with (
        bedrock_server(monkeypatch, error_reply(status, kind)) as bedrock,
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(Transient) as raised,
    ):
        agent.answer(question("hi"))

    assert len(bedrock.requests) == 1
    assert "hi" not in str(raised.value).split()


def test_a_request_that_bedrock_refuses_is_permanent(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        bedrock_server(monkeypatch, error_reply(400, "ValidationException")),
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(Permanent, match="400"),
    ):
        agent.answer(question("hi"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "AccessDeniedException"),
        (403, "UnrecognizedClientException"),
        (403, "ExpiredTokenException"),
        (404, "ResourceNotFoundException"),
        (400, "ServiceQuotaExceededException"),
    ],
)
def test_a_bedrock_that_refuses_us_is_the_operators_to_mend(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: str
) -> None:
    with (
        bedrock_server(monkeypatch, error_reply(status, kind)),
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(ModelMisconfigured, match=f"{status}.*ASSISTANT_MODEL"),
    ):
        agent.answer(question("hi"))


def test_a_bedrock_without_credentials_is_the_operators_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the credentials of an earlier test

    with (
        bedrock_server(monkeypatch, content_reply({"text": "unheard"})),
        answering(bakery, bedrock_model("a.model-1:0")) as agent,
        pytest.raises(ModelMisconfigured, match="NoCredentialsError"),
    ):
        agent.answer(question("hi"))


def test_a_bedrock_that_cannot_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    with bedrock_server(monkeypatch, content_reply({"text": "unheard"})):
        model = bedrock_model("a.model-1:0")

    with answering(bakery, model) as agent, pytest.raises(Transient):
        agent.answer(question("hi"))


def test_a_key_in_the_secret_stands_in_for_the_role_and_is_read_again_where_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = {"AWS_BEARER_TOKEN_BEDROCK": "key-1"}
    keys = Keys(secret=lambda: secret, refresh=lambda: secret.update(AWS_BEARER_TOKEN_BEDROCK="key-2"))
    replies = (error_reply(403, "AccessDeniedException"), content_reply({"text": "Hi."}))

    with (
        bedrock_server(monkeypatch, *replies) as bedrock,
        answering(bakery, bedrock_model("a.model-1:0", keys)) as agent,
    ):
        with pytest.raises(ModelMisconfigured):
            agent.answer(question("hi"))
        assert agent.answer(question("hi")).text == "Hi."

    assert bedrock.authorizations == ["Bearer key-1", "Bearer key-2"]


def test_without_a_key_in_the_secret_the_role_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        bedrock_server(monkeypatch, content_reply({"text": "Hi."})) as bedrock,
        answering(bakery, bedrock_model("a.model-1:0", Keys(secret=lambda: {"OPENAI_API_KEY": "k"}))) as agent,
    ):
        agent.answer(question("hi"))

    assert bedrock.authorizations[0].startswith("AWS4-HMAC-SHA256 ")
