"""`@runs_once`: a tool that changes something runs once, whatever the model says at another try."""
# ruff: noqa: ARG001, ARG002 -- a tool is given what it does not use

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.effects import runs_once
from switchboard.agents.event_loop import EventLoopThread
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.pydantic_ai_agent import PydanticAIAgent
from switchboard.effects import UNKNOWN
from switchboard.errors import Misconfigured, NotSent, Transient
from tests.unit.turn.harness import Harness

type Step = ModelResponse | Exception


@dataclass
class Shop:
    """A shop whose assistant books: `booked` is what was, `ends` the errors of the bookings, `steps` the model's."""

    harness: Harness = field(default_factory=Harness)
    steps: list[Step] = field(default_factory=list)
    booked: list[str] = field(default_factory=list)
    ends: list[BaseException | None] = field(default_factory=list)
    seen: list[list[ModelMessage]] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    found: str | None = None

    def book(self, ctx: RunContext[Deps], day: str) -> str:
        """Book a repair."""
        if self.ends and (error := self.ends.pop(0)):
            raise error
        self.booked.append(day)
        return f"booked for {day}"

    async def book_later(self, ctx: RunContext[Deps], day: str) -> str:
        """Book a repair."""
        await asyncio.sleep(0)
        return self.book(ctx, day)

    def find(self, ctx: RunContext[Deps], day: str) -> str | None:
        self.looked.append(day)
        return self.found

    def hire(self, tool: Callable[..., Any], loop: EventLoopThread) -> None:
        agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])
        agent.tool(name="book")(tool)
        agent.tool_plain(opening_times)
        assistant = Assistant(agent=agent, knowledge=Knowledge(Path("none")))
        self.harness.agent = PydanticAIAgent(assistant=assistant, model=FunctionModel(self.step), loop=loop)

    def says(self, *texts: str) -> list[str]:
        """Let the customer write, and deliver it until the turn ends. Return the outcomes."""
        self.harness.clock.move(seconds=2)
        results = self.harness.deliver_until_it_ends(*self.harness.customer_writes(*texts))
        return [result.outcome for result in results]

    async def step(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.seen.append(list(messages))
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def opening_times() -> str:
    """Say when the shop is open."""
    return "always"


def calls(*days: str, beside: Sequence[TextPart | ToolCallPart] = ()) -> ModelResponse:
    return ModelResponse(parts=[*(ToolCallPart("book", {"day": day}) for day in days), *beside])


def words(text: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart(text)])


AWAY = Transient("the model is away")


@pytest.fixture
def loop() -> Iterator[EventLoopThread]:
    with EventLoopThread() as running:
        yield running


@pytest.fixture(params=["in a thread", "on the loop"])
def shop(request: pytest.FixtureRequest, loop: EventLoopThread) -> Shop:
    shop = Shop()
    shop.hire(runs_once(shop.book if request.param == "in a thread" else shop.book_later), loop)
    return shop


@pytest.fixture(params=["in a thread", "on the loop"])
def checking_shop(request: pytest.FixtureRequest, loop: EventLoopThread) -> Shop:
    shop = Shop()
    tool: Any = shop.book if request.param == "in a thread" else shop.book_later
    shop.hire(runs_once(check=shop.find)(tool), loop)
    return shop


def test_a_model_that_books_and_then_fails_three_times_books_once_and_answers(shop: Shop) -> None:
    shop.steps = [calls("Monday"), AWAY, AWAY, AWAY, words("Done.")]

    assert shop.says("book it")[-1] == "answered"
    assert shop.booked == ["Monday"]
    assert shop.harness.replies == ["Done."]


def test_a_model_that_words_it_otherwise_at_each_try_is_not_asked_again_for_what_it_has_done(shop: Shop) -> None:
    shop.steps = [calls("Monday"), AWAY, words("Booked."), calls("Tuesday")]

    shop.says("book it")

    assert shop.booked == ["Monday"]
    returned = shop.seen[2][-1]
    assert isinstance(returned, ModelRequest)
    assert [part.content for part in returned.parts if part.part_kind == "tool-return"] == ["booked for Monday"]


def test_two_bookings_of_one_response_are_two_effects(shop: Shop) -> None:
    shop.steps = [calls("Monday", "Monday"), AWAY, words("Both.")]

    shop.says("book it twice")

    assert shop.booked == ["Monday", "Monday"]


def test_calls_with_the_same_id_are_two_effects(shop: Shop) -> None:
    same = [ToolCallPart("book", {"day": day}, tool_call_id="call_0") for day in ("Monday", "Tuesday")]
    shop.steps = [ModelResponse(parts=same), AWAY, words("Both.")]

    shop.says("book it twice")

    assert sorted(shop.booked) == ["Monday", "Tuesday"]


def test_bookings_one_after_another_are_each_made_once(shop: Shop) -> None:
    shop.steps = [calls("Monday"), AWAY, calls("Tuesday"), AWAY, AWAY, words("Both.")]

    shop.says("book Monday, then Tuesday")

    assert shop.booked == ["Monday", "Tuesday"]


def test_what_the_customer_writes_meanwhile_is_shown_after_the_result(shop: Shop) -> None:
    shop.steps = [calls("Monday"), AWAY, words("Done, and yes.")]
    first = shop.harness.customer_writes("book it")
    shop.harness.deliver(*first)
    shop.harness.clock.move(seconds=10)
    second = shop.harness.customer_writes("with a new chain?")

    result = shop.harness.deliver(*first, *second)

    assert result.outcome == "answered"
    assert len(result.acknowledged) == 2
    last = shop.seen[-1][-1]
    assert isinstance(last, ModelRequest)
    assert [part.content for part in last.parts if isinstance(part, UserPromptPart)] == ["with a new chain?"]
    assert shop.booked == ["Monday"]


def test_a_handoff_beside_a_booking_waits_for_its_result(shop: Shop) -> None:
    early = ToolCallPart("hand_off", {"reply": "It is booked."})
    shop.steps = [calls("Monday", beside=[early]), words("Booked for Monday.")]

    assert shop.says("book it") == ["answered"]
    assert shop.booked == ["Monday"]
    assert shop.harness.replies == ["Booked for Monday."]


def test_where_nobody_knows_the_model_is_told_and_a_human_gets_the_conversation(shop: Shop) -> None:
    shop.ends = [TimeoutError()]
    shop.steps = [calls("Monday"), words("A colleague looks at it.")]

    assert shop.says("book it") == ["handed_off"]
    returned = shop.seen[1][-1]
    assert isinstance(returned, ModelRequest)
    assert [part.content for part in returned.parts if part.part_kind == "tool-return"] == [UNKNOWN]
    assert shop.harness.replies == ["A colleague looks at it."]


def test_a_tool_that_refuses_its_arguments_has_changed_nothing(shop: Shop) -> None:
    shop.ends = [ModelRetry("we are closed on Sunday")]
    shop.steps = [calls("Sunday"), calls("Monday"), AWAY, words("Done.")]

    assert shop.says("book it")[-1] == "answered"
    assert shop.booked == ["Monday"]


def test_a_shop_that_was_too_busy_is_asked_again(shop: Shop) -> None:
    shop.ends = [NotSent("429")]
    shop.steps = [calls("Monday"), words("Done.")]

    assert shop.says("book it") == ["retry", "answered"]
    assert shop.booked == ["Monday"]


@pytest.mark.parametrize(("found", "booked"), [("booked before", []), (None, ["Monday"])])
def test_a_check_says_whether_it_happened(checking_shop: Shop, found: str | None, booked: list[str]) -> None:
    checking_shop.found = found
    checking_shop.ends = [TimeoutError()]
    checking_shop.steps = [calls("Monday"), words("Done.")]

    assert checking_shop.says("book it")[-1] == "answered"
    assert checking_shop.looked == ["Monday"]
    assert checking_shop.booked == booked


def test_a_tool_that_takes_longer_than_the_turn_has_is_ended_and_looked_at(loop: EventLoopThread) -> None:
    shop, waits = Shop(), asyncio.Event()

    async def book_for_ever(ctx: RunContext[Deps], day: str) -> str:
        await waits.wait()
        return "never"

    shop.hire(runs_once(check=shop.find)(book_for_ever), loop)
    shop.found = "booked after all"
    shop.steps = [calls("Monday"), words("Done.")]
    shop.harness.done_within_seconds = 15.2

    assert shop.says("book it")[-1] == "answered"
    assert set(shop.looked) == {"Monday"}  # a slow machine looks more than once


def test_outside_a_turn_a_tool_just_runs(shop: Shop) -> None:
    @runs_once
    def book(ctx: RunContext[Deps]) -> str:
        """Book."""
        return "booked"

    agent = Agent(FunctionModel(shop.step), deps_type=Deps, tools=[book])
    shop.steps = [calls_nothing(), words("Done.")]

    run = asyncio.run(agent.run("book", deps=Deps(turn="T1", knowledge=Knowledge(Path("none")))))

    assert run.output == "Done."


def test_a_tool_that_is_not_given_the_context_cannot_be_declared() -> None:
    def book() -> str:
        """Book."""
        return ""

    with pytest.raises(Misconfigured, match="book needs a first parameter ctx"):
        runs_once(book)  # type: ignore[arg-type]


def calls_nothing() -> ModelResponse:
    return ModelResponse(parts=[ToolCallPart("book", {})])


@pytest.mark.parametrize(("sees", "address"), [(True, "+12025550110"), (False, "")])
def test_a_tool_is_given_the_time_of_the_shop_and_the_address_only_where_that_is_declared(
    loop: EventLoopThread, *, sees: bool, address: str
) -> None:
    shop, given = Shop(), list[Deps]()

    def look(ctx: RunContext[Deps]) -> str:
        """Look."""
        given.append(ctx.deps)
        return "seen"

    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF], tools=[look])
    assistant = Assistant(
        agent=agent, knowledge=Knowledge(Path("none")), time_zone="Europe/Berlin", tools_see_address=sees
    )
    shop.harness.agent = PydanticAIAgent(assistant=assistant, model=FunctionModel(shop.step), loop=loop)
    shop.steps = [ModelResponse(parts=[ToolCallPart("look", {})]), words("Done.")]

    shop.says("look")

    [deps] = given
    assert (deps.address, deps.now.tzname(), deps.now) == (address, "CET", shop.harness.clock())
    assert deps.conversation == shop.harness.item.sid
    assert len(deps.customer) == 32


def test_a_time_zone_that_nobody_knows_is_one_sentence() -> None:
    with pytest.raises(Misconfigured, match="time_zone is 'Berlin': give a name such as Europe/Berlin or UTC"):
        Assistant(agent=Agent(deps_type=Deps, output_type=[str, HANDOFF]), knowledge=Knowledge(), time_zone="Berlin")
