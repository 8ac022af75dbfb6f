"""What happens behind the phones of a running stack, as the page asks for it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from local.activity import Activity, LogLine
from local.stack import LocalStack
from tests.stacks import Running, running
from tests.waiting import wait_until

PHONE = "+12025550180"
QUESTION = "When are you open on Saturday?"
STEPS = ["claim", "gather", "gate", "think", "freeze", "send", "record", "settle"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Running]:
    with running() as started:
        yield started


def view(stack: Running, sid: str, turn: str = "") -> dict[str, Any]:
    """Return what the stream tells first."""
    with stack.http.stream("GET", f"{stack.stack.url}/_page/behind/{sid}/live", params={"turn": turn}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told: dict[str, Any] = json.loads(next(answer.iter_lines()).removeprefix("data: "))
        return told


def get(stack: Running, sid: str, path: str) -> dict[str, Any]:
    told: dict[str, Any] = stack.http.get(f"{stack.stack.url}/_page/behind/{sid}/{path}").json()
    return told


def answered(stack: Running, phone: str = PHONE, text: str = QUESTION) -> tuple[str, dict[str, Any]]:
    """Have a customer write; return their conversation once its last turn is settled, and the view of it."""
    sid = stack.phone(phone).text(text)["conversation_sid"]

    def settled() -> dict[str, Any]:
        told = view(stack, sid)
        is_over = told["axis"] and not told["axis"]["is_live"] and told["turns"][0]["title"] == text
        return told if is_over and told["turns"][0]["outcome"] else {}

    return sid, wait_until(settled, what="the turn's end")


@pytest.fixture(scope="module")
def turn(stack: Running) -> tuple[str, dict[str, Any]]:
    return answered(stack)


def bar(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in told["axis"]["bars"] if each["name"] == name)
    return found


def test_a_text_is_shown_from_the_webhook_to_settle_with_the_model_inside(turn: tuple[str, dict[str, Any]]) -> None:
    _, told = turn

    names = [each["name"] for each in told["axis"]["bars"] if each["lane"] in {"turn", "queue"}]
    assert [name for name in names if name in STEPS] == STEPS
    assert bar(told, "queued")["milliseconds"] > 0
    assert "its signature is Twilio's, 200" in bar(told, "webhook")["said"]
    assert bar(told, "model")["inside"] == 1
    assert told["turns"][0]["outcome"] == "answered"


def test_the_state_of_the_conversation_is_told_in_words(turn: tuple[str, dict[str, Any]]) -> None:
    summary = {row["name"]: row["value"] for row in turn[1]["summary"]}

    assert summary["State"] == "open"
    assert summary["Owner"] == "assistant"
    assert summary["Last reply"] == "1 segment"
    assert summary["Model"] == "offline, free"


def test_the_raw_webhook_and_what_the_model_was_shown_are_there(
    stack: Running, turn: tuple[str, dict[str, Any]]
) -> None:
    sid, told = turn

    webhook = get(stack, sid, f"facts/{bar(told, 'webhook')['number']}")
    model = get(stack, sid, f"facts/{bar(told, 'model')['number']}")

    assert ["Body", QUESTION] in webhook["fields"]
    assert QUESTION in [each["text"] for each in model["shown"]]


def test_the_item_and_the_record_are_told_as_they_lie_in_the_table(
    stack: Running, turn: tuple[str, dict[str, Any]]
) -> None:
    sid, told = turn

    stored = get(stack, sid, f"stored?turn={told['axis']['key']}")

    assert stored["item"]["low_watermark"] == 1
    assert stored["record"]["said"] == [QUESTION]
    assert stored["record"]["cost"]["segments"] == 1


def test_a_webhook_again_is_signed_and_changes_nothing(stack: Running, turn: tuple[str, dict[str, Any]]) -> None:
    sid, told = turn
    number = bar(told, "webhook")["number"]

    became = stack.http.post(f"{stack.stack.url}/_page/behind/{sid}/webhooks/{number}/again").json()

    assert became["status"] == 200
    assert became["said"].startswith("Nothing more happened: the queue had this event")
    assert len(stack.phone(PHONE).inbox()) == 1


def test_a_question_again_is_answered_and_nothing_is_sent_or_stored(
    stack: Running, turn: tuple[str, dict[str, Any]]
) -> None:
    sid, told = turn
    before = get(stack, sid, "stored")

    asked = stack.http.post(f"{stack.stack.url}/_page/behind/{sid}/turns/{told['axis']['key']}/ask").json()

    assert asked["said"] == [QUESTION]
    assert asked["now"]["text"] == asked["then"]["text"] != ""
    assert len(stack.phone(PHONE).inbox()) == 1
    assert get(stack, sid, "stored") == before


def test_a_turn_becomes_an_eval_case(stack: Running, turn: tuple[str, dict[str, Any]]) -> None:
    sid, told = turn

    made = get(stack, sid, f"turns/{told['axis']['key']}/case")

    assert made["yaml"].startswith(f"- says: {QUESTION}\n")
    assert "contains:" in made["yaml"]


def test_what_is_not_kept_is_said_to_be_gone(stack: Running, turn: tuple[str, dict[str, Any]]) -> None:
    sid, _ = turn

    for path in ("facts/999999", "turns/none/case"):
        answer = stack.http.get(f"{stack.stack.url}/_page/behind/{sid}/{path}")
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_a_killed_worker_is_shown_while_its_customer_waits() -> None:
    killed: list[str] = []

    def kill_once(local_stack: LocalStack, activity: Activity) -> None:
        if not killed and isinstance(activity, LogLine) and '"step":"freeze"' in activity.text:
            killed.append(activity.function)
            local_stack.kill("agent")

    with running(on=kill_once) as stack:
        sid = stack.phone(PHONE).text(QUESTION)["conversation_sid"]
        told = wait_until(lambda: _waiting(view(stack, sid)), what="the wait for the next worker")

        assert bar(told, "crashed")["said"] == "The worker crashed after freeze: SIGKILL."
        assert bar(told, "waits")["said"].startswith("The worker is gone.")
        assert (told["axis"]["is_live"], told["turns"][0]["outcome"]) == (True, "")


def _waiting(told: dict[str, Any]) -> dict[str, Any]:
    return told if told["axis"] and "waits" in [each["name"] for each in told["axis"]["bars"]] else {}


def test_a_webhook_that_a_fault_drops_is_shown_as_lost(stack: Running) -> None:
    fault = {"kind": "drop_webhook", "on": "onMessageAdded", "count": 1}
    assert stack.http.post(f"{stack.stack.twilio_url}/_emulator/faults", json=fault).status_code == 201

    sid = stack.phone("+12025550182").text(QUESTION)["conversation_sid"]

    told = wait_until(lambda: _of_a_turn(view(stack, sid)), what="the lost webhook")
    lost = bar(told, "webhook lost")
    assert (lost["tone"], lost["said"]) == ("bad", "A message by +12025550182. A fault dropped it.")
    assert bar(told, "waits")["end"] is None


def _of_a_turn(told: dict[str, Any]) -> dict[str, Any]:
    return told if told["turns"] and told["turns"][0]["is_turn"] else {}


def test_a_stream_ends_by_itself_when_the_stack_does() -> None:
    with running() as stack:
        sid, _ = answered(stack)
        ended = threading.Event()
        first = threading.Event()

        def read() -> None:
            with stack.http.stream("GET", f"{stack.stack.url}/_page/behind/{sid}/live") as answer:
                for _line in answer.iter_lines():
                    first.set()
            ended.set()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        assert first.wait(60)
        stack.stack.page.end_streams()
        assert ended.wait(60)
        thread.join()
