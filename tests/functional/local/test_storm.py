"""The storm on a real stack, as the page asks for it: both sides are counted by what reached the customers' phones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.assistants import copy_bakery
from tests.stacks import Running, running
from tests.waiting import wait_until

# Repeats the numbers of orders that it was asked for, in one reply for all messages that wait.
NAMES_ORDERS = """
import re

from switchboard.agent import Question


def assistant(question: Question) -> str:
    return "I look for " + ", ".join(re.findall(r"BH-[0-9]+", " ".join(question.messages)))
"""
# Shorter than in the template, so that what a killed process held comes back sooner.
SOONER = {("AgentFunction", "Timeout"): 20, ("MessagesQueue", "VisibilityTimeout"): 21}
SEED = 44  # of 24 webhooks it loses 4, doubles 4, delays 2 and reorders 2
BROKEN = {  # the switches of "Break it", and what the storm says of them
    "kill": "“Kill the agent in its next turn”",
    "model_away": "“The model is away”",
    "model_slow": "“The model is slow”",
    "throttle": "“Throttle the table”",
    "lose": "a fault of Twilio's (drop webhook)",
}
UNDER_WAY = {"preparing", "texting", "settling"}


def ask(stack: Running, method: str = "GET", path: str = "", **body: int) -> Any:  # noqa: ANN401 -- JSON
    answer = stack.http.request(method, f"{stack.stack.url}/_page/storm/{path}", json=body or None)
    return answer.raise_for_status().json()


def armed(stack: Running) -> Any:  # noqa: ANN401 -- JSON
    return stack.http.get(f"{stack.stack.twilio_url}/_emulator/faults").json()


@pytest.fixture(scope="module")
def bakery() -> Iterator[Running]:
    with running(changes=SOONER) as stack:
        yield stack


def test_in_a_storm_switchboard_loses_and_doubles_nothing_and_a_plain_handler_does(tmp_path: Path) -> None:
    folder = copy_bakery(tmp_path / "agent")
    (folder / "assistant.py").write_text(NAMES_ORDERS)
    with running(changes={**SOONER, ("AgentFunction", "CodeUri"): str(folder)}) as stack:
        ask(stack, "POST", messages=24, seed=SEED)
        wait_until(lambda: ask(stack)["phase"] not in UNDER_WAY, within_seconds=600, what="the end of the storm")

        course = ask(stack)
        assert (course["phase"], course["note"], course["is_settled"]) == ("done", "", True)
        ours, plain = course["sides"]["switchboard"], course["sides"]["plain"]
        assert {name: ours[name] for name in ("messages", "answered", "doubled", "lost", "findings")} == {
            "messages": 24,
            "answered": 24,
            "doubled": 0,
            "lost": 0,
            "findings": [],
        }
        assert plain["messages"] == plain["answered"] + plain["lost"] == 24
        assert plain["doubled"] >= 1
        assert plain["lost"] >= 4  # those whose webhooks were lost, and what ended with the process or an error
        webhooks = course["weather"][:4]
        assert [(each["plain"], each["switchboard"]) for each in webhooks] == [(4, 4), (4, 4), (2, 2), (2, 2)]
        for finding in plain["findings"]:
            order = finding["body"].rpartition("BH-")[2].rstrip("?")
            said = ask(stack, path=f"plain/conversations/{finding['conversation']}")
            assert sum(order in each["body"] for each in said if not each["is_customer"]) == finding["times"]
        assert {finding["what"] for finding in plain["findings"]} == {"doubled", "lost"}
        assert armed(stack) == []


def test_an_assistant_that_names_no_orders_is_counted_by_one_text_of_each_customer(bakery: Running) -> None:
    ask(bakery, "POST", messages=2, seed=1)
    wait_until(lambda: ask(bakery)["phase"] not in UNDER_WAY, within_seconds=600, what="the end of the storm")

    course = ask(bakery)
    assert (course["phase"], course["customers"]) == ("done", 2)
    assert course["counted_by"].startswith("This assistant does not name the demo's order numbers")
    assert course["sides"]["switchboard"]["answered"] == 2


def test_a_storm_that_is_stopped_leaves_good_weather_and_another_can_begin(bakery: Running) -> None:
    ask(bakery, "POST", messages=400)
    wait_until(lambda: armed(bakery), what="bad weather")
    second = bakery.http.post(f"{bakery.stack.url}/_page/storm/", json={})

    assert ask(bakery, "DELETE")["phase"] == "stopped"
    assert (second.status_code, second.json()) == (409, {"message": "A storm is under way: stop it first."})
    assert armed(bakery) == []
    assert ask(bakery, "POST", messages=2)["phase"] == "preparing"
    assert ask(bakery, "DELETE")["phase"] == "stopped"


@pytest.mark.parametrize(("switch", "name"), BROKEN.items())
def test_no_storm_begins_where_something_is_broken_on_purpose(bakery: Running, switch: str, name: str) -> None:
    switches = f"{bakery.stack.url}/_page/breaking/switches"
    bakery.http.post(f"{switches}/{switch}").raise_for_status()
    refused = bakery.http.post(f"{bakery.stack.url}/_page/storm/", json={})
    bakery.http.delete(switches).raise_for_status()

    sentence = f"One side only would meet {name}: end that in “Break it” first."
    assert (refused.status_code, refused.json()) == (409, {"message": sentence})
    assert ask(bakery, "POST", messages=2)["phase"] == "preparing"
    assert ask(bakery, "DELETE")["phase"] == "stopped"


def test_a_fault_that_has_struck_as_often_as_it_was_to_holds_no_storm_up(bakery: Running) -> None:
    bakery.http.post(f"{bakery.stack.url}/_page/breaking/switches/lose", json={"count": 1}).raise_for_status()
    bakery.phone("+12025550131").text("When are you open on Saturday?")
    wait_until(lambda: [each["struck"] for each in armed(bakery)] == [1], what="a lost webhook")

    assert ask(bakery, "POST", messages=2)["phase"] == "preparing"
    assert ask(bakery, "DELETE")["phase"] == "stopped"
    bakery.http.delete(f"{bakery.stack.twilio_url}/_emulator/faults")


def test_a_handler_that_cannot_start_is_told_with_the_reason(tmp_path: Path) -> None:
    folder = copy_bakery(tmp_path / "agent")
    with running(changes={**SOONER, ("AgentFunction", "CodeUri"): str(folder)}) as stack:
        (folder / "assistant.py").write_text("raise RuntimeError('no assistant here')")
        ask(stack, "POST")
        wait_until(lambda: ask(stack)["phase"] not in UNDER_WAY, what="the end of the storm")

        course = ask(stack)
    assert course["phase"] == "failed"
    assert course["note"] == "The plain handler cannot start: RuntimeError: no assistant here"


def test_the_code_of_the_plain_handler_is_shown_as_it_is(bakery: Running) -> None:
    shown = bakery.http.get(f"{bakery.stack.url}/_page/storm/naive.py")

    assert shown.text == (Path(__file__).parents[3] / "local/naive.py").read_text()
    assert shown.headers["content-type"].startswith("text/plain")
