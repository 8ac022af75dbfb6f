"""Each provider's API over the wire, in good and bad minutes. A local HTTP server stands in for the provider."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from itertools import cycle

import pytest
from pydantic_ai.models import Model

from switchboard.agents.keys import Keys
from switchboard.agents.model_run import ModelUse
from switchboard.agents.models import model_named
from switchboard.errors import ModelMisconfigured, Permanent, SwitchboardError, Transient
from switchboard.media import Media
from tests.assistants import answering, bakery, question
from tests.fakes.bedrock import aws_credentials
from tests.fakes.model_server import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Hangs,
    ModelServer,
    Says,
    Sends,
    Step,
    chat,
    model_server,
)

MODELS = ("bedrock:a.model-1:0", "openai:a-model", "openai-chat:a-model", "anthropic:a-model", "google:a-model")
ANSWER = Says(text="From nine.")
SEARCH = Says(tool="search_knowledge", arguments={"question": "open on Saturday"})
ERROR = json.dumps({"error": {"message": "you wrote: secret words"}, "message": "you wrote: secret words"}).encode()
HTML = b"<html><body>502 Bad Gateway: secret words</body></html>"

FAULTS: dict[str, tuple[Step, type[SwitchboardError]]] = {
    "400": (Sends(status=400, body=ERROR), Permanent),
    "401": (Sends(status=401, body=ERROR), ModelMisconfigured),
    "403": (Sends(status=403, body=ERROR), ModelMisconfigured),
    "404": (Sends(status=404, body=ERROR), ModelMisconfigured),
    "429": (Sends(status=429, body=ERROR), Transient),
    "500": (Sends(status=500, body=ERROR), Transient),
    "503 in HTML": (Sends(status=503, body=HTML, content_type="text/html"), Transient),
    "200 in HTML": (Sends(body=HTML, content_type="text/html"), Transient),
    "no body": (Sends(), Transient),
    "malformed JSON": (Sends(body=b'{"id": "secret words'), Transient),
    "JSON of another kind": (Sends(body=b'{"secret": "words"}'), Transient),
    "a list": (Sends(body=b'["secret words"]'), Transient),
    "cut off": (Sends(body=json.dumps(chat(ANSWER)).encode()[:60], cut=True), Transient),
    "slow": (Hangs(), Transient),
    "an empty answer": (Says(), Transient),
    "a filtered answer": (Says(text="secret words", filtered=True), Transient),
    "reasoning alone": (Says(text="<think>secret words</think>"), Transient),
}


# Some answers that are no model's lack its counts too, which pydantic-ai warns of.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic_ai._warnings.UsageLimitUnavailableWarning")


@pytest.fixture(autouse=True)
def _aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_credentials(monkeypatch):
        yield


def keys_of(server: ModelServer) -> Keys:
    return Keys(
        environment={
            "OPENAI_API_KEY": "key-1",
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "ANTHROPIC_API_KEY": "key-1",
            "ANTHROPIC_BASE_URL": server.url,
            "GOOGLE_API_KEY": "key-1",
            "GOOGLE_GEMINI_BASE_URL": server.url,
        }
    )


def model_of(server: ModelServer, name: str, monkeypatch: pytest.MonkeyPatch) -> Model:
    with monkeypatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        return model_named(name, keys=keys_of(server))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_uses_a_tool_and_answers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with model_server(SEARCH, ANSWER) as server, answering(bakery, model_of(server, name, monkeypatch)) as agent:
        answer = agent.answer(question("When are you open on Saturday?"))

    assert answer.text == "From nine."
    assert len(server.requests) == 2
    assert "On Saturday" in json.dumps(server.requests[1][2])


@pytest.mark.parametrize("name", MODELS)
def test_a_model_sees_a_picture_and_a_pdf(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    files = {"image/png": b"\x89PNG\r\n\x1a\n a picture", "application/pdf": b"%PDF-1.7 a bill"}
    media = tuple(Media(content_type=content_type, sid="ME1") for content_type in files)
    asked = replace(question("What is it?"), media=media, read_media=lambda each, _: files[each.content_type])

    with model_server(ANSWER) as server, answering(bakery, model_of(server, name, monkeypatch)) as agent:
        agent.answer(asked)

    sent = json.dumps(server.requests[0][2])
    assert all(b64encode(content).decode() in sent for content in files.values())


@pytest.mark.parametrize("name", MODELS)
def test_tokens_are_counted_the_cached_ones_apart(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    uses: list[ModelUse] = []
    with (
        model_server(SEARCH, ANSWER) as server,
        answering(bakery, model_of(server, name, monkeypatch), report=uses.append) as agent,
    ):
        agent.answer(question("When are you open on Saturday?"))

    [use] = uses
    assert (use.requests, use.fell_back) == (2, "")
    assert (use.input_tokens, use.cached_tokens, use.output_tokens) == (
        2 * INPUT_TOKENS,
        2 * CACHED_TOKENS,
        2 * OUTPUT_TOKENS,
    )


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", MODELS)
def test_a_fault_of_a_model_says_who_must_act_and_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    step, expected = FAULTS[fault]
    seconds = 0.3 if isinstance(step, Hangs) else 20

    with (
        model_server(step) as server,
        answering(bakery, model_of(server, name, monkeypatch)) as agent,
        pytest.raises(SwitchboardError) as raised,
    ):
        agent.answer(question("hi", timeout_seconds=seconds))

    assert type(raised.value) is expected
    assert "secret" not in str(raised.value)
    if isinstance(step, Sends) and step.status != HTTPStatus.OK:
        assert len(server.requests) == 1


@pytest.mark.parametrize(("fault", "name"), [*zip(FAULTS, cycle(MODELS), strict=False)])
def test_the_fallback_model_takes_over_from_a_model_with_a_fault(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    step, _ = FAULTS[fault]
    seconds = 6 if isinstance(step, Hangs) else 20

    with (
        model_server(step) as first,
        model_server(ANSWER) as second,
        answering(
            bakery,
            model_of(first, name, monkeypatch),
            fallback_model=model_of(second, "openai-chat:another-model", monkeypatch),
        ) as agent,
    ):
        answer = agent.answer(question("hi", timeout_seconds=seconds))

    assert answer.text == "From nine."
    assert (len(first.requests), len(second.requests)) == (1, 1)


@pytest.mark.parametrize("name", MODELS)
def test_any_model_can_be_the_fallback_model(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with (
        model_server(SEARCH, Sends(status=500, body=ERROR)) as first,
        model_server(ANSWER) as second,
        answering(
            bakery,
            model_of(first, "anthropic:a-model", monkeypatch),
            fallback_model=model_of(second, name, monkeypatch),
        ) as agent,
    ):
        answer = agent.answer(question("When are you open on Saturday?"))

    assert answer.text == "From nine."
    assert "On Saturday" in json.dumps(second.requests[0][2])


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith("bedrock:")])  # it has a role, no key
def test_a_key_that_is_refused_is_read_again_and_the_next_attempt_sends_the_new_one(name: str) -> None:
    secret = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), "old-key")

    def refresh() -> None:
        secret.update(dict.fromkeys(secret, "new-key"))

    with model_server(Sends(status=401, body=ERROR), ANSWER) as server:
        keys = Keys(environment=keys_of(server).environment, secret=lambda: secret, refresh=refresh)
        with answering(bakery, model_named(name, keys=keys)) as agent:
            with pytest.raises(ModelMisconfigured):
                agent.answer(question("hi"))
            answer = agent.answer(question("hi"))

    sent = [headers for _, headers, _ in server.requests]
    assert answer.text == "From nine."
    assert [set(re.findall(r"\b(?:old|new)-key\b", str(headers))) for headers in sent] == [{"old-key"}, {"new-key"}]


@pytest.mark.parametrize(
    ("name", "marks"),
    [("bedrock:us.anthropic.claude-haiku-5-5-v1:0", "cachePoint"), ("anthropic:claude-haiku-5-5", "cache_control")],
)
def test_the_prompt_is_cached_where_the_provider_has_to_be_asked(
    monkeypatch: pytest.MonkeyPatch, name: str, marks: str
) -> None:
    with model_server(ANSWER) as server, answering(bakery, model_of(server, name, monkeypatch)) as agent:
        agent.answer(question("hi"))

    [(_, _, body)] = server.requests
    assert marks in json.dumps(body["system"])
    assert marks in json.dumps(body["tools"] if "tools" in body else body["toolConfig"])
