"""The agent function logs the steps of its turns at DEBUG: of which conversation and turn, and never with words."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.builders import CONVERSATION, message_added
from tests.functional.agent import deployed_agent, record_of
from tests.lambda_context import LambdaContext

QUESTION = "When are you open on Saturday?"
STEPS = ["claim", "gate", "think", "freeze", "send", "record", "settle"]


def answer(monkeypatch: pytest.MonkeyPatch, *, level: str) -> list[str]:
    """Answer one message, and return the texts that were sent."""
    service = f"agent-at-{level}"  # Powertools' logger of a name keeps the standard output of the test that made it
    with deployed_agent(monkeypatch, POWERTOOLS_SERVICE_NAME=service, POWERTOOLS_LOG_LEVEL=level) as deployed:
        deployed.app.lambda_handler({"Records": [record_of(message_added(body=QUESTION))]}, LambdaContext())
        return deployed.texts


def test_each_step_is_a_line_with_its_conversation_and_turn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = answer(monkeypatch, level="DEBUG")

    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines()]
    steps = [line for line in lines if line.get("message") == "step"]
    assert [line["step"] for line in steps] == STEPS
    assert {line["level"] for line in steps} == {"DEBUG"}
    assert {line["conversation_sid"] for line in steps} == {CONVERSATION}
    assert len({line["turn"] for line in steps}) == 1
    assert not [text for text in (QUESTION, *texts, "+1202") if text in printed]


def test_no_step_is_logged_at_info(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer(monkeypatch, level="INFO")

    assert '"step"' not in capsys.readouterr().out


def test_turns_that_run_side_by_side_log_whole_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployed_agent(
        monkeypatch, POWERTOOLS_SERVICE_NAME="agent-side-by-side", POWERTOOLS_LOG_LEVEL="DEBUG"
    ) as deployed:
        facts = {"conversation_sid": CONVERSATION, "step": "claim"}
        with ThreadPoolExecutor(max_workers=8) as threads:
            list(threads.map(lambda _: deployed.function.telemetry.record_step(facts), range(200)))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len([line for line in lines if line["message"] == "step"]) == 200
