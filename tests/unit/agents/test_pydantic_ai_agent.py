"""A pydantic-ai agent behind the `Agent` protocol: what it is shown, its deadline, and the class of its errors."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.exceptions import (
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agent import Exchange
from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.pydantic_ai_agent import LIMITS, WITHOUT_WORDS
from switchboard.errors import Misconfigured, Permanent, SwitchboardError, Transient, Unknown
from tests.assistants import KNOWLEDGE, TURN, answering, question

SECRET = "my card number is 4111"


def assistant(*tools: Callable[..., object]) -> Assistant:
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF], instructions="Be kind.", tools=tools)
    return Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))


def replies_with(text: str) -> FunctionModel:
    async def respond(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart(text)])

    return FunctionModel(respond)


def raises(error: Exception) -> FunctionModel:
    async def respond(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise error

    return FunctionModel(respond)


def calls(tool: str) -> FunctionModel:
    """Call a tool without arguments, then say what it returned."""

    async def respond(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        last = messages[-1].parts[-1]
        if isinstance(last, UserPromptPart):
            return ModelResponse(parts=[ToolCallPart(tool, {})])
        return ModelResponse(parts=[TextPart(str(getattr(last, "content", "")))])

    return FunctionModel(respond)


class RecordingModel:
    """A model that keeps the messages it was sent."""

    def __init__(self) -> None:
        self.messages: list[ModelMessage] = []
        self.model = FunctionModel(self._respond)

    async def _respond(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        self.messages = messages
        return ModelResponse(parts=[TextPart("ok")])

    def lines(self) -> list[str]:
        """Return the texts of the messages; replies begin with `> `."""
        return [
            f"> {part.content}" if isinstance(part, TextPart) else str(part.content)
            for message in self.messages
            for part in message.parts
            if isinstance(part, UserPromptPart | TextPart)
        ]


def test_the_reply_of_the_model_is_the_answer() -> None:
    with answering(assistant(), replies_with("We open at **nine**.")) as agent:
        answer = agent.answer(question("when?"))

    assert answer.text == "We open at **nine**."
    assert not answer.handoff


def test_earlier_turns_reach_the_model_in_order_before_the_new_messages() -> None:
    recording = RecordingModel()
    history = (
        Exchange(said=("one", "two"), replied="first reply"),
        Exchange(said=("four",), replied="last reply"),
    )

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("five", "six", history=history))

    assert "\n".join(recording.lines()).split("\n") == [
        *("one", "", "two", "> first reply", "four", "> last reply", "five", "", "six"),
    ]


def test_the_instructions_reach_the_model_also_where_there_is_a_history() -> None:
    recording = RecordingModel()

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("two", history=(Exchange(said=("one",), replied="reply"),)))

    last = recording.messages[-1]
    assert isinstance(last, ModelRequest)
    assert last.instructions == "Be kind."


def test_messages_without_text_are_not_an_empty_prompt() -> None:
    recording = RecordingModel()

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("", " "))

    assert recording.lines() == [WITHOUT_WORDS]


def test_a_handoff_has_a_reply_and_is_marked_as_one() -> None:
    async def hand_off(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("hand_off", {"reply": "Ana takes over."})])

    with answering(assistant(), FunctionModel(hand_off)) as agent:
        answer = agent.answer(question("help"))

    assert answer.text == "Ana takes over."
    assert answer.handoff


def test_a_tool_gets_the_turn_id_as_its_idempotency_key() -> None:
    def turn_id(ctx: RunContext[Deps]) -> str:
        """Return the turn id."""
        return ctx.deps.turn

    with answering(assistant(turn_id), calls("turn_id")) as agent:
        answer = agent.answer(question("which turn?"))

    assert answer.text == TURN


def test_ten_questions_are_answered_at_the_same_time() -> None:
    all_ten = asyncio.Barrier(10)

    async def wait_for_the_others(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        await all_ten.wait()
        return ModelResponse(parts=[TextPart("done")])

    with answering(assistant(), FunctionModel(wait_for_the_others)) as agent, ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: agent.answer(question("hi")), range(10)))

    assert [answer.text for answer in answers] == ["done"] * 10


def test_a_model_that_never_answers_is_cancelled_at_the_deadline_and_the_error_is_transient() -> None:
    cancelled = Event()

    async def think_forever(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    with answering(assistant(), FunctionModel(think_forever)) as agent:
        with pytest.raises(Transient, match=f"^{TURN}: no answer within"):
            agent.answer(question("hi", timeout_seconds=0.05))

        assert cancelled.wait(20)


def http(status: int) -> ModelHTTPError:
    return ModelHTTPError(status, "model", body={"message": SECRET})


@pytest.mark.parametrize(
    "error",
    [
        http(429),
        http(500),
        http(529),
        ModelRateLimitError("model", SECRET),
        ModelUnavailableError("model", SECRET),
        ModelServerError("model", SECRET),
        ModelConnectionError("model", SECRET),
        ModelTimeoutError("model", SECRET),
        ModelRequestTimeout("model", 1.0),
        ConnectionResetError(SECRET),
        TimeoutError(SECRET),
        Unknown(SECRET),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "status_code", "")),
)
def test_an_error_that_a_retry_may_solve_is_transient_and_quotes_no_text(error: Exception) -> None:
    with answering(assistant(), raises(error)) as agent, pytest.raises(Transient) as raised:
        agent.answer(question(SECRET))

    assert re.fullmatch(rf"{TURN}: the agent failed with {kind(error)} at \w+\.py:\d+", shown_text(raised.value))


@pytest.mark.parametrize(
    "error",
    [
        http(400),
        http(401),
        http(404),
        ModelHTTPError.for_category(ModelQuotaExceededError, status_code=429, model_name="model", body=SECRET),
        UserError(SECRET),
        ValueError(SECRET),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "status_code", "")),
)
def test_an_error_that_no_retry_solves_is_permanent_and_quotes_no_text(error: Exception) -> None:
    with answering(assistant(), raises(error)) as agent, pytest.raises(Permanent) as raised:
        agent.answer(question(SECRET))

    assert re.fullmatch(rf"{TURN}: the agent failed with {kind(error)} at \w+\.py:\d+", shown_text(raised.value))


@pytest.mark.parametrize("error", [Transient("the stock service is away"), Misconfigured("STOCK_URL is not set")])
def test_our_own_errors_from_a_tool_are_raised_unchanged(error: SwitchboardError) -> None:
    def stock() -> str:
        """Return the stock."""
        raise error

    with answering(assistant(stock), calls("stock")) as agent, pytest.raises(type(error), match=str(error)):
        agent.answer(question("in stock?"))


def test_a_model_that_calls_tools_without_end_is_stopped() -> None:
    rounds = 0

    def look() -> str:
        """Look."""
        return "seen"

    async def look_again(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        nonlocal rounds
        rounds += 1
        return ModelResponse(parts=[ToolCallPart("look", {})])

    with answering(assistant(look), FunctionModel(look_again)) as agent, pytest.raises(Permanent):
        agent.answer(question("look"))

    assert rounds == LIMITS.request_limit


def test_a_tool_that_always_asks_for_a_retry_is_permanent_and_quotes_no_text() -> None:
    def refuse() -> str:
        """Refuse."""
        raise ModelRetry(SECRET)

    async def insist(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("refuse", {})])

    with answering(assistant(refuse), FunctionModel(insist)) as agent, pytest.raises(Permanent) as raised:
        agent.answer(question("hi"))

    assert SECRET not in shown_text(raised.value)


def shown_text(error: BaseException) -> str:
    """Return what an error may show in a log: its text and the texts of the errors chained to it."""
    texts = []
    chained: BaseException | None = error
    while chained is not None:
        texts.append(str(chained))
        chained = chained.__cause__ or (None if chained.__suppress_context__ else chained.__context__)
    return "\n".join(texts)


def kind(error: Exception) -> str:
    status = f" {error.status_code}" if isinstance(error, ModelHTTPError) else ""
    return f"{type(error).__name__}{status}"
