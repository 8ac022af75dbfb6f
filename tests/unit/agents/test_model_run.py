"""The fallback model: when it takes over within an attempt, what it is given, and what the turn is told."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from switchboard.agents.assistant import HANDOFF, NO_REPLY, Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.model_run import ModelUse
from switchboard.errors import ModelMisconfigured, Permanent, SwitchboardError, Transient
from tests.assistants import KNOWLEDGE, answering, question

type Act = ModelResponse | Exception | Callable[[], Awaitable[ModelResponse]]

BOOK = ModelResponse(parts=[ToolCallPart("book", {})])
ANSWER = ModelResponse(parts=[TextPart("It is booked.")])


class Scripted:
    """A model that acts as told, then always in the last way; it counts how often it is asked."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.asked = 0
        self.model = FunctionModel(self._respond)

    async def _respond(self, _: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        self.asked += 1
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        if isinstance(act, Exception):
            raise act
        return act if isinstance(act, ModelResponse) else await act()


async def never() -> ModelResponse:
    await asyncio.Event().wait()
    raise AssertionError


class Shop:
    """An assistant with a tool that counts its bookings."""

    def __init__(self) -> None:
        self.bookings = 0
        agent = Agent(deps_type=Deps, output_type=[str, HANDOFF, NO_REPLY], tools=[self.book])
        self.assistant = Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))
        self.uses: list[ModelUse] = []

    def book(self) -> str:
        """Book."""
        self.bookings += 1
        return "booked"

    def answer(self, first: Scripted, second: Scripted, *, timeout_seconds: float = 20) -> str:
        with answering(self.assistant, first.model, fallback_model=second.model, report=self.uses.append) as agent:
            return agent.answer(question("Book it", timeout_seconds=timeout_seconds)).text


def test_a_tool_that_ran_does_not_run_again_for_the_fallback_model() -> None:
    shop, first, second = Shop(), Scripted(BOOK, TypeError("garbage")), Scripted(ANSWER)

    text = shop.answer(first, second)

    assert (text, shop.bookings) == ("It is booked.", 1)
    assert (first.asked, second.asked) == (2, 1)


def test_a_model_that_failed_is_not_asked_again_in_the_attempt_but_in_the_next_one() -> None:
    shop, first, second = Shop(), Scripted(TypeError("garbage")), Scripted(BOOK, ANSWER)

    shop.answer(first, second)
    assert (first.asked, second.asked) == (1, 2)

    shop.answer(first, second)
    assert first.asked == 2


def test_a_slow_model_has_half_of_the_time_and_the_fallback_model_the_rest() -> None:
    shop, first, second = Shop(), Scripted(never), Scripted(ANSWER)

    text = shop.answer(first, second, timeout_seconds=3)

    assert text == "It is booked."
    assert shop.uses[0].fell_back == "TimeoutError"


def test_two_slow_models_end_with_the_time() -> None:
    with pytest.raises(Transient, match="no answer within"):
        Shop().answer(Scripted(never), Scripted(never), timeout_seconds=0.4)


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (ModelResponse(parts=[]), "empty"),
        (ModelResponse(parts=[TextPart(" ")]), "empty"),
        (ModelResponse(parts=[TextPart("<think>hm</think>")]), "empty"),
        (ModelResponse(parts=[TextPart("I")], finish_reason="content_filter"), "filtered"),
        (ModelResponse(parts=[TextPart("I")], finish_reason="error"), "malformed"),
        (ModelResponse(parts=[ToolCallPart("book", '{"a')]), "malformed"),
        (ModelResponse(parts=[ToolCallPart("book", {})], finish_reason="length"), "cut off in a tool call"),
    ],
)
def test_an_answer_of_no_use_is_the_fallback_models_to_give_and_its_tokens_count(
    response: ModelResponse, fault: str
) -> None:
    response.usage = RequestUsage(input_tokens=10, cache_read_tokens=8, output_tokens=3)
    answer = ModelResponse(parts=ANSWER.parts, usage=RequestUsage(input_tokens=1, output_tokens=1))
    shop = Shop()

    text = shop.answer(Scripted(response), Scripted(answer))

    [use] = shop.uses
    assert (text, shop.bookings) == ("It is booked.", 0)
    assert use.fell_back == f"the model's answer is {fault}"
    assert (use.requests, use.input_tokens, use.cached_tokens, use.output_tokens) == (2, 11, 8, 4)


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_an_answer_that_can_be_sent_is_not_given_twice(finish: str) -> None:
    first = Scripted(ModelResponse(parts=[TextPart("Booked. And")], finish_reason=finish))  # type: ignore[arg-type]
    shop, second = Shop(), Scripted(ANSWER)

    shop.answer(first, second)

    assert second.asked == 0
    assert shop.uses[0].fell_back == ""


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (PermissionError("secret"), TypeError("secret"), Transient),
        (Permanent("never"), Transient("busy"), Transient),
        (Permanent("never"), UserError("secret"), Permanent),
        (ModelMisconfigured("the key"), TypeError("secret"), ModelMisconfigured),
        (TypeError("secret"), ModelMisconfigured("the key"), ModelMisconfigured),
    ],
)
def test_where_both_fail_the_turn_is_told_who_can_mend_it(
    first: Exception, second: Exception, expected: type[SwitchboardError]
) -> None:
    with pytest.raises(SwitchboardError) as raised:
        Shop().answer(Scripted(first), Scripted(second))

    assert isinstance(raised.value, expected)
    assert "secret" not in str(raised.value)


def test_what_an_attempt_used_is_reported_where_it_fails_too() -> None:
    shop = Shop()
    with pytest.raises(Transient):
        shop.answer(Scripted(BOOK, TypeError("secret")), Scripted(TypeError("secret")))

    [use] = shop.uses
    assert use.requests >= 1
    assert use.fell_back == "TypeError"
