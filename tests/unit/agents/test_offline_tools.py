"""The offline model and an assistant's tools: it takes them by their names, descriptions and parameters alone."""

from collections.abc import Callable

import pytest
from pydantic_ai import Agent

from switchboard.agents import offline
from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from tests.assistants import KNOWLEDGE, answering, bakery, entry, question


def book_tasting(email: str, persons: int) -> str:
    """Book a tasting of wedding cakes for some persons."""
    return f"Booked for {persons}, {email}."


def find_recipe(query: str) -> str:
    """Find a recipe."""
    return f"A recipe for: {query}"


def subscribe_newsletter(phone: str) -> dict[str, str]:
    """Subscribe a customer to the newsletter."""
    return {"subscribed": phone}


def ask(text: str, *tools: Callable[..., object], after: str = "") -> str:
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])
    for tool in tools:
        agent.tool_plain(tool)
    with answering(Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))) as answerer:
        return answerer.answer(question(text, history=(entry("assistant", after),) if after else ())).text


@pytest.mark.parametrize(
    ("text", "returned"),
    [
        ("How far is my cake C-202?", "Your cake is ready."),
        ("any news on my cake c-201", "Your cake is in the oven."),
        ("C-202?", "Your cake is ready."),
        ("what became of cake C-999", "No cake has this number."),
    ],
)
def test_a_question_with_the_arguments_of_a_tool_calls_it(text: str, returned: str) -> None:
    with answering(bakery) as agent:
        assert agent.answer(question(text)).text == returned


def test_an_argument_that_is_missing_is_asked_for_and_then_the_tool_is_called() -> None:
    with answering(bakery) as agent:
        asking = agent.answer(question("Is my cake ready?")).text
        history = (entry("customer", "Is my cake ready?"), entry("assistant", asking))
        answer = agent.answer(question("it is C-202", history=history)).text

    assert asking == "Please write the cake id as well."
    assert answer == "Your cake is ready."


def test_arguments_that_only_our_question_explains_call_its_tool() -> None:
    asking = ask("Please book a tasting", book_tasting)

    assert ask("ana@example.com, for 4", book_tasting, after=asking) == "Booked for 4, ana@example.com."


def test_a_question_that_the_knowledge_answers_calls_no_other_tool() -> None:
    with answering(bakery) as agent:
        assert "$45" in agent.answer(question("What does a birthday cake cost?")).text


def test_two_questions_may_call_two_tools() -> None:
    with answering(bakery) as agent:
        answer = agent.answer(question("How far is my cake C-202?", "When are you open on Saturday?")).text

    assert answer.split("\n\n")[0] == "Your cake is ready."
    assert "8 am" in answer


@pytest.mark.parametrize(
    ("text", "returned"),
    [
        ("Book a tasting for 4, mail is ana@example.com", "Booked for 4, ana@example.com."),
        ("Please book a tasting", "Please write the email and the persons as well."),
        ("do you have a recipe for rye bread?", "A recipe for: do you have a recipe for rye bread?"),
        ("subscribe me to the newsletter: +1 202 555 0110", '{"subscribed": "+1 202 555 0110"}'),
        ("Do you sell cars?", offline.UNKNOWN),
    ],
)
def test_arguments_are_taken_by_the_types_and_names_of_the_parameters(text: str, returned: str) -> None:
    assert ask(text, book_tasting, find_recipe, subscribe_newsletter) == returned
