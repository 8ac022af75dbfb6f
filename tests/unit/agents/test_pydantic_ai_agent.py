"""A pydantic-ai agent behind the `Agent` protocol: what it is shown, its deadline, and the class of its errors."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Event

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agent import Answer
from switchboard.agents.assistant import HANDOFF, NO_REPLY, Assistant, Deps
from switchboard.agents.history import WITHOUT_WORDS
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.pydantic_ai_agent import LIMITS
from switchboard.agents.watching import TRACEBACKS
from switchboard.content import Content
from switchboard.effects import MAX_TOLD_TOKENS
from switchboard.errors import Permanent, Transient
from switchboard.tokens import estimate_tokens
from tests.assistants import KNOWLEDGE, TURN, answering, entry, question
from tests.builders import sid

SECRET = "my card number is 4111"


def assistant(*tools: Callable[..., object]) -> Assistant:
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF, NO_REPLY], instructions="Be kind.", tools=tools)
    return Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))


def replies_with(text: str) -> FunctionModel:
    async def respond(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart(text)])

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
        *(entry("customer", "one"), entry("customer", "two"), entry("assistant", "first reply")),
        *(entry("customer", "four"), entry("assistant", "last reply")),
    )

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("five", "six", history=history))

    assert "\n".join(recording.lines()).split("\n") == [
        *("one", "", "two", "> first reply", "four", "> last reply", "five", "", "six"),
    ]


def test_the_instructions_reach_the_model_also_where_there_is_a_history() -> None:
    recording = RecordingModel()

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("two", history=(entry("customer", "one"), entry("assistant", "reply"))))

    last = recording.messages[-1]
    assert isinstance(last, ModelRequest)
    assert last.instructions == "Be kind."


def test_messages_without_text_are_not_an_empty_prompt() -> None:
    recording = RecordingModel()

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("", " "))

    assert recording.lines() == [WITHOUT_WORDS]


def test_a_message_without_words_beside_others_is_told_of() -> None:
    recording = RecordingModel()

    with answering(assistant(), recording.model) as agent:
        agent.answer(question("", "Is this far?"))

    assert recording.lines() == [f"{WITHOUT_WORDS}\n\nIs this far?"]


def test_an_assistant_may_say_nothing() -> None:
    async def say_nothing(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        assert "waits for nothing" in str(next(t.description for t in info.output_tools if t.name == "no_reply"))
        return ModelResponse(parts=[ToolCallPart("no_reply", {})])

    with answering(assistant(), FunctionModel(say_nothing)) as agent:
        answer = agent.answer(question("thanks!"))

    assert answer == Answer(no_reply=True)


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


def test_a_bug_in_a_tool_is_told_with_its_place_and_without_its_text() -> None:
    def book_table() -> str:
        """Book."""
        return {"free": "no"}[SECRET]

    line = book_table.__code__.co_firstlineno + 2
    with answering(assistant(book_table), calls("book_table")) as agent, pytest.raises(Permanent) as raised:
        agent.answer(question(SECRET))

    place = f"test_pydantic_ai_agent.py:{line} in book_table"
    assert shown_text(raised.value) == f"{TURN}: the agent failed with KeyError at {place}"


def test_a_traceback_is_logged_for_whoever_attached_a_handler_and_for_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def book_table() -> str:
        """Book."""
        return {"free": "no"}[SECRET]

    shown = StringIO()
    handler, logger = logging.StreamHandler(shown), logging.getLogger(TRACEBACKS)
    caplog.set_level(logging.DEBUG)

    with answering(assistant(book_table), calls("book_table")) as agent:
        with pytest.raises(Permanent):
            agent.answer(question("one"))
        before = caplog.text
        logger.addHandler(handler)
        try:
            with pytest.raises(Permanent):
                agent.answer(question("two"))
        finally:
            logger.removeHandler(handler)

    assert SECRET not in before
    assert shown.getvalue().startswith(f"{TURN}: the agent failed\nTraceback (most recent call last):\n")
    assert "in book_table\n" in shown.getvalue()
    assert shown.getvalue().endswith(f"KeyError: '{SECRET}'\n")


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


def test_what_tools_returned_is_told_with_the_answer() -> None:
    def stock() -> dict[str, int]:
        return {"rye": 3}

    with answering(assistant(stock), calls("stock")) as agent:
        answer = agent.answer(question("rye?"))

    assert answer.calls == ('The assistant called stock with {}. It returned {"rye":3}',)


def test_how_the_model_answered_is_not_told_as_a_call() -> None:
    async def respond(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart(str(HANDOFF.name), {"reply": "A colleague."})])

    with answering(assistant(), FunctionModel(respond)) as agent:
        assert agent.answer(question("rye?")) == Answer(text="A colleague.", handoff=True)


def test_a_result_of_any_length_is_told_in_a_limited_number_of_tokens() -> None:
    def stock() -> str:
        return "rye " * 100_000

    with answering(assistant(stock), calls("stock")) as agent:
        answer = agent.answer(question("rye?"))

    assert estimate_tokens(answer.calls[0]) <= MAX_TOLD_TOKENS


def test_an_answer_with_content_is_one_of_an_output_function() -> None:
    def ask_which(name: str) -> Answer:
        """Ask which of two."""
        return Answer(text=f"{name}: yes or no?", content=Content(sid=sid("HX", 1), variables={"1": name}))

    async def respond(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"name": "Anna"})])

    agent = Agent(deps_type=Deps, output_type=[str, ask_which])
    with answering(Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE)), FunctionModel(respond)) as answers:
        answer = answers.answer(question("hi"))

    assert answer == Answer(text="Anna: yes or no?", content=Content(sid=sid("HX", 1), variables={"1": "Anna"}))


def test_what_fills_the_places_of_content_is_held_to_the_rules() -> None:
    def ask_which(name: str) -> Answer:
        """Ask which of two."""
        return Answer(text="Yes or no?", content=Content(sid=sid("HX", 1), variables={"1": name}))

    async def respond(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"name": SECRET})])

    agent = Agent(deps_type=Deps, output_type=[str, ask_which])
    shop = Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE), secret_phrases=(SECRET,))
    with answering(shop, FunctionModel(respond)) as answers, pytest.raises(Permanent, match="were refused"):
        answers.answer(question("hi"))
