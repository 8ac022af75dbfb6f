"""The offline model and an assistant's tools: it takes them by their names, descriptions and parameters alone."""

from collections.abc import Callable
from typing import Literal

import pytest
from pydantic_ai import Agent

from switchboard.agent import HistoryEntry
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


def book_class(day: Literal["Friday", "Sunday"], course: Literal["rye-bread", "rolls"]) -> str:
    """Book a baking class for a customer who asks for it: rye bread or rolls."""
    return f"Booked: {course} on {day}."


def ask(text: str, *tools: Callable[..., object], after: str = "", history: tuple[HistoryEntry, ...] = ()) -> str:
    history = history or ((entry("assistant", after),) if after else ())
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])
    for tool in tools:
        agent.tool_plain(tool)
    with answering(Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))) as answerer:
        return answerer.answer(question(text, history=history)).text


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


@pytest.mark.parametrize(
    "text",
    [
        "Please book a class on rye bread for Friday",
        "hi, I'd like to book the rye-bread class on Friday!",
        "Can you book me in for rye bread on Friday?",
        "We love rye bread. Book us in for Friday.",
        "I need a reservation for Friday, rye bread",
    ],
)
def test_who_asks_for_a_change_and_gives_what_it_needs_gets_it(text: str) -> None:
    assert ask(text, book_class) == "Booked: rye-bread on Friday."


@pytest.mark.parametrize(
    "text",
    [
        "How much is the class on rye bread on Friday?",
        "Do I need to book the class on rye bread on Friday",
        "What if I book the class on rye bread on Friday?",
        "Don't book the class on rye bread on Friday",
        "I might book the class on rye bread on Friday",
        "I booked the class on rye bread on Friday",
        "Cancel my booking of the class on rye bread on Friday",
        "Please book the class on rye bread on Friday. Wait, do not book it.",
        "Please book the class on rye bread on Friday or Sunday",
        "Book a table for Friday",
        "rye bread class on Friday",
    ],
)
def test_a_question_a_doubt_or_a_no_changes_nothing(text: str) -> None:
    assert "Booked" not in ask(text, book_class)


def test_what_a_change_needs_may_be_given_one_by_one() -> None:
    history: tuple[HistoryEntry, ...] = ()
    said = ["Please book a class", "On Friday", "rye bread"]

    for text in said:
        reply = ask(text, book_class, history=history)
        history += (entry("customer", text), entry("assistant", reply))

    assert [each.text for each in history[1::2]] == [
        "Please write the day (Friday, Sunday) and the course (rye-bread, rolls) as well.",
        "Please write the course (rye-bread, rolls) as well.",
        "Booked: rye-bread on Friday.",
    ]


@pytest.mark.parametrize("text", ["Are you open on Friday?", "not on Friday", "maybe Friday"])
def test_what_only_mentions_an_argument_that_we_asked_for_changes_nothing(text: str) -> None:
    asking = "Please write the day (Friday, Sunday) as well."
    history = (entry("customer", "Book a class on rolls"), entry("assistant", asking))

    assert "Booked" not in ask(text, book_class, history=history)
    assert ask("Friday", book_class, history=history) == "Booked: rolls on Friday."


def test_an_amount_is_not_taken_for_a_number_of_an_order() -> None:
    with answering(bakery) as agent:
        assert "No cake has this number" not in agent.answer(question("is a cake over 100 dollars?")).text
