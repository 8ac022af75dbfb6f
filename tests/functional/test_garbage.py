"""What a model writes, on the wire, and what a phone gets: through the whole agent function, from queue to Twilio."""

from collections.abc import Iterator

import pytest

from tests.builders import message_added
from tests.fakes.bedrock import (
    Reply,
    aws_credentials,
    bedrock_server,
    content_reply,
    error_reply,
    text_reply,
    tool_call,
)
from tests.functional.agent import ENVIRONMENT, deployed_agent, record_of
from tests.lambda_context import LambdaContext

GOOD = text_reply("From nine.")
FALLBACK = ENVIRONMENT["FALLBACK_SENTENCE"]
BESIDE = tool_call("search_knowledge", beside="<thinking>hm</thinking>We open at nine.", question="open?")
HALF_CALL = (200, {**tool_call("hand_off", reply="A colleague will be there. They ha")[1], "stopReason": "max_tokens"})


@pytest.fixture(autouse=True)
def _aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_credentials(monkeypatch):
        yield


@pytest.mark.parametrize(
    ("replies", "text"),
    [
        ([text_reply("<thinking>El usuario ha saludado.</thinking>\n¡Hola!")], "¡Hola!"),
        ([text_reply("El usuario ha saludado.</think>\n¡Hola!")], "¡Hola!"),
        ([content_reply({"text": "<think>El us"}, {"text": "uario</think>¡Hola!"})], "¡Hola!"),
        ([text_reply("<thinking>The user wants to know when", "max_tokens"), GOOD], "From nine."),
        ([text_reply("<thinking>hm</thinking>"), GOOD], "From nine."),
        ([text_reply("We open at nine. We sell mountain bik", "max_tokens")], "We open at nine."),
        ([text_reply("we sell mountain bik", "max_tokens"), GOOD], "From nine."),
        ([text_reply("we sell mountain bik", "max_tokens")], FALLBACK),
        ([text_reply("It", "content_filtered"), GOOD], "From nine."),
        ([text_reply("It", "guardrail_intervened"), GOOD], "From nine."),
        ([text_reply("{{", "malformed_model_output"), GOOD], "From nine."),
        ([content_reply(), GOOD], "From nine."),
        ([content_reply(), content_reply(), GOOD], "From nine."),
        ([BESIDE, content_reply()], "We open at nine."),
        ([HALF_CALL], "A colleague will be there."),
        ([text_reply("Log in at https://evil.example/a"), GOOD], "From nine."),
        ([text_reply("Log in at https://evil.example/a")], FALLBACK),
        ([error_reply(503, "ServiceUnavailableException"), GOOD], "From nine."),
    ],
)
def test_a_phone_gets_one_whole_sentence_and_no_garbage(
    monkeypatch: pytest.MonkeyPatch, replies: list[Reply], text: str
) -> None:
    settings = {"ASSISTANT_MODEL": "bedrock:a.model-1:0", "ALLOWED_LINK_HOSTS": "shop.example.com"}
    with bedrock_server(monkeypatch, *replies), deployed_agent(monkeypatch, **settings) as deployed:
        event = {"Records": [record_of(message_added(body="When are you open?"))]}
        for _ in replies:  # what is to be tried again comes back
            if not deployed.app.lambda_handler(event, LambdaContext())["batchItemFailures"]:
                break

    assert deployed.texts == [text]
