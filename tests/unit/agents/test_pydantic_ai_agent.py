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


def says(text: str) -> FunctionModel:
    async def respond(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart(text)])

    return FunctionModel(respond)


def fails(error: Exception) -> FunctionModel:
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


class Heard:
    """A model that remembers what reached it."""

    def __init__(self) -> None:
        self.messages: list[ModelMessage] = []
        self.model = FunctionModel(self._respond)

    async def _respond(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        self.messages = messages
        return ModelResponse(parts=[TextPart("heard")])

    def lines(self) -> list[str]:
        """Return what was said, ours with an arrow."""
        return [
            f"> {part.content}" if isinstance(part, TextPart) else str(part.content)
            for message in self.messages
            for part in message.parts
            if isinstance(part, UserPromptPart | TextPart)
        ]


def test_the_reply_of_the_model_is_the_answer() -> None:
    with answering(assistant(), says("We open at **nine**.")) as agent:
        answer = agent.answer(question("when?"))

    assert answer.text == "We open at **nine**."
    assert not answer.handoff


def test_earlier_turns_reach_the_model_in_order_before_the_new_messages() -> None:
    heard = Heard()
    history = (
        Exchange(said=("one", "two"), replied="first reply"),
        Exchange(said=("four",), replied="last reply"),
    )

    with answering(assistant(), heard.model) as agent:
        agent.answer(question("five", "six", history=history))

    assert "\n".join(heard.lines()).split("\n") == [
        *("one", "", "two", "> first reply", "four", "> last reply", "five", "", "six"),
    ]


def test_the_instructions_reach_the_model_also_where_there_is_a_history() -> None:
    heard = Heard()

    with answering(assistant(), heard.model) as agent:
        agent.answer(question("two", history=(Exchange(said=("one",), replied="reply"),)))

    last = heard.messages[-1]
    assert isinstance(last, ModelRequest)
    assert last.instructions == "Be kind."


def test_a_message_without_words_is_no_empty_prompt() -> None:
    heard = Heard()

    with answering(assistant(), heard.model) as agent:
        agent.answer(question("", " "))

    assert heard.lines() == [WITHOUT_WORDS]


def test_a_handoff_carries_its_reply_and_says_so() -> None:
    async def hand_off(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("hand_off", {"reply": "Ana takes over."})])

    with answering(assistant(), FunctionModel(hand_off)) as agent:
        answer = agent.answer(question("help"))

    assert answer.text == "Ana takes over."
    assert answer.handoff


def test_a_tool_is_given_the_id_of_the_turn_to_key_its_work_by() -> None:
    def turn_id(ctx: RunContext[Deps]) -> str:
        """Tell."""
        return ctx.deps.turn

    with answering(assistant(turn_id), calls("turn_id")) as agent:
        answer = agent.answer(question("which turn?"))

    assert answer.text == TURN


def test_ten_conversations_are_thought_about_at_the_same_time() -> None:
    all_ten = asyncio.Barrier(10)

    async def meet(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        await all_ten.wait()
        return ModelResponse(parts=[TextPart("met")])

    with answering(assistant(), FunctionModel(meet)) as agent, ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: agent.answer(question("hi")), range(10)))

    assert [answer.text for answer in answers] == ["met"] * 10


def test_a_model_that_never_answers_is_cancelled_at_the_deadline_and_may_be_tried_again() -> None:
    cancelled = Event()

    async def think_for_ever(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    with answering(assistant(), FunctionModel(think_for_ever)) as agent:
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
def test_what_time_may_heal_is_transient_and_quotes_nobody(error: Exception) -> None:
    with answering(assistant(), fails(error)) as agent, pytest.raises(Transient) as raised:
        agent.answer(question(SECRET))

    assert re.fullmatch(rf"{TURN}: the agent failed with {kind(error)} at \w+\.py:\d+", told(raised.value))


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
def test_what_time_does_not_heal_is_permanent_and_quotes_nobody(error: Exception) -> None:
    with answering(assistant(), fails(error)) as agent, pytest.raises(Permanent) as raised:
        agent.answer(question(SECRET))

    assert re.fullmatch(rf"{TURN}: the agent failed with {kind(error)} at \w+\.py:\d+", told(raised.value))


@pytest.mark.parametrize("error", [Transient("the stock service is away"), Misconfigured("STOCK_URL is not set")])
def test_what_a_tool_decided_itself_is_left_as_it_is(error: SwitchboardError) -> None:
    def stock() -> str:
        """Tell the stock."""
        raise error

    with answering(assistant(stock), calls("stock")) as agent, pytest.raises(type(error), match=str(error)):
        agent.answer(question("in stock?"))


def test_a_model_that_goes_in_circles_is_stopped() -> None:
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


def test_a_tool_that_goes_on_refusing_ends_the_turn_and_quotes_nobody() -> None:
    def refuse() -> str:
        """Refuse."""
        raise ModelRetry(SECRET)

    async def insist(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("refuse", {})])

    with answering(assistant(refuse), FunctionModel(insist)) as agent, pytest.raises(Permanent) as raised:
        agent.answer(question("hi"))

    assert SECRET not in told(raised.value)


def told(error: BaseException) -> str:
    """Return the whole of what an error may show in a log: its text, and that of everything chained to it."""
    texts = []
    chained: BaseException | None = error
    while chained is not None:
        texts.append(str(chained))
        chained = chained.__cause__ or (None if chained.__suppress_context__ else chained.__context__)
    return "\n".join(texts)


def kind(error: Exception) -> str:
    status = f" {error.status_code}" if isinstance(error, ModelHTTPError) else ""
    return f"{type(error).__name__}{status}"
