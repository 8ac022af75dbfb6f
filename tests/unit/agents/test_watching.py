"""What a developer sees of a run: what the model was shown and answered, and nothing where nobody watches."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import override

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agents.assistant import Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.model_requests import MAX_CHARACTERS
from switchboard.agents.watching import MODEL_REQUESTS, TOOL_CALLS, ModelAsked, ToolCall
from switchboard.errors import SwitchboardError
from tests.assistants import KNOWLEDGE, TURN, answering, question
from tests.builders import CONVERSATION


class Watcher(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.seen += record.args or ()


@contextmanager
def watching(name: str) -> Iterator[list[object]]:
    watcher, logger = Watcher(), logging.getLogger(name)
    logger.addHandler(watcher)
    try:
        yield watcher.seen
    finally:
        logger.removeHandler(watcher)


def look_up(order: str) -> str:
    return f"{order} was shipped"


def assistant() -> Assistant:
    agent = Agent(deps_type=Deps, output_type=str, instructions="Be kind.", tools=[look_up])
    return Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))


async def respond(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    last = messages[-1].parts[-1]
    if isinstance(last, ToolReturnPart):
        return ModelResponse(parts=[TextPart("It was shipped.")])
    return ModelResponse(parts=[ToolCallPart("look_up", {"order": "BH-1"})])


def ask(text: str = "Where is BH-1?", model: FunctionModel | None = None) -> None:
    with answering(assistant(), model or FunctionModel(respond)) as agent:
        agent.answer(replace(question(text), conversation=CONVERSATION))


def test_each_request_to_the_model_is_shown_with_its_words() -> None:
    with watching(MODEL_REQUESTS) as seen:
        ask()

    first, second = (each for each in seen if isinstance(each, ModelAsked))
    assert (first.turn, first.conversation, first.failed) == (TURN, CONVERSATION, "")
    assert first.shown == [
        {"part": "instructions", "text": "Be kind."},
        {"part": "user-prompt", "text": "Where is BH-1?"},
    ]
    assert first.answered == [{"part": "tool-call", "tool": "look_up", "text": '{"order":"BH-1"}'}]
    assert first.tools == ["look_up"]
    assert second.shown[-1] == {"part": "tool-return", "tool": "look_up", "text": "BH-1 was shipped"}
    assert second.answered == [{"part": "text", "text": "It was shipped."}]
    assert second.output_tokens > 0


def test_a_request_that_fails_is_shown_with_the_type_of_its_error_alone() -> None:
    async def fail(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise ConnectionError("a secret")

    with watching(MODEL_REQUESTS) as seen, pytest.raises(SwitchboardError):
        ask(model=FunctionModel(fail))

    assert [each.failed for each in seen if isinstance(each, ModelAsked)] == ["ConnectionError"]


def test_a_long_text_is_shown_in_part() -> None:
    with watching(MODEL_REQUESTS) as seen:
        ask("x" * 20_000)

    asked = next(each for each in seen if isinstance(each, ModelAsked))
    assert len(asked.shown[1]["text"]) == MAX_CHARACTERS + 1


def test_a_tool_call_says_in_which_turn_it_was() -> None:
    with watching(TOOL_CALLS) as seen:
        ask()

    (call,) = (each for each in seen if isinstance(each, ToolCall))
    assert (call.turn, call.conversation, str(call)) == (
        TURN,
        CONVERSATION,
        "look_up(order='BH-1') → 'BH-1 was shipped'",
    )


def test_nothing_is_shown_where_nobody_watches(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask()

    assert "BH-1" not in caplog.text
