"""The pane "Break it" over HTTP: each switch breaks what it says, and nothing is lost or answered twice afterwards."""

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from local.activity import LogLine
from tests.stacks import OUR_WHATSAPP, Phone, Running, running
from tests.waiting import wait_until

# Shorter than on AWS, as in test_crashes.py.
QUICK = {("AgentFunction", "Timeout"): 18, ("MessagesQueue", "VisibilityTimeout"): 2}
QUESTION = "When are you open on Saturday?"
OTHER = "What does a birthday cake cost?"
TWO_MINUTES, TEN_MINUTES, A_DAY = 120, 600, 86400


@pytest.fixture(scope="module")
def stack() -> Iterator[Running]:
    with running(changes=QUICK) as started:
        yield started


@pytest.fixture(autouse=True)
def _mended(stack: Running) -> Iterator[None]:
    yield
    stack.http.delete(f"{url(stack)}/switches").raise_for_status()


def url(stack: Running) -> str:
    return f"{stack.stack.url}/_page/breaking"


def turn_on(stack: Running, name: str, **chosen: float) -> Mapping[str, Any]:
    answer = stack.http.post(f"{url(stack)}/switches/{name}", json=chosen)
    state: dict[str, Any] = answer.raise_for_status().json()
    return state


def turn_off(stack: Running, name: str) -> Mapping[str, Any]:
    state: dict[str, Any] = stack.http.delete(f"{url(stack)}/switches/{name}").raise_for_status().json()
    return state


def state(stack: Running) -> dict[str, Any]:
    """Return the first state that the stream tells."""
    with stack.http.stream("GET", f"{url(stack)}/events") as told:
        for line in told.iter_lines():
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return found
    raise AssertionError("the stream told nothing")


def has_struck(stack: Running, name: str) -> None:
    wait_until(lambda: state(stack)["switches"][name]["struck"] > 0, what=f"{name} to strike")


def move_clock(stack: Running, seconds: float) -> float:
    answer = stack.http.post(f"{url(stack)}/clock", json={"seconds": seconds}).raise_for_status()
    ahead: float = answer.json()["ahead_seconds"]
    return ahead


def letters(stack: Running, conversation_sid: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.http.get(f"{url(stack)}/letters").raise_for_status().json()
    return [letter for letter in found if letter["conversation_sid"] == conversation_sid]


def is_answered_once(stack: Running, phone: Phone, conversation_sid: str, *, messages: int = 1) -> None:
    """Wait until the queues are empty, and see each message in one turn, which was answered, and each reply once."""

    def answered() -> list[str]:
        return [sid["S"] for turn in stack.turns(conversation_sid) for sid in turn["message_sids"]["L"]]

    wait_until(lambda: len(answered()) >= messages, what="the turns' ends")
    wait_until(lambda: stack.queued() == 0, what="empty queues")
    turns = stack.turns(conversation_sid)
    assert len(answered()) == len(set(answered())) == messages
    assert {turn["outcome"]["S"] for turn in turns} == {"answered"}
    assert len(phone.inbox()) == len(turns)


@pytest.mark.parametrize(
    ("number", "name", "chosen"),
    [
        (10, "kill", {}),
        (11, "model_slow", {"seconds": 3}),
        (12, "double", {"count": 1}),
        (13, "too_many", {"seconds": 3}),
        (14, "throttle", {"seconds": 3}),
        (15, "model_away", {"seconds": 3, "code": 503}),
        (16, "model_away", {"seconds": 3, "code": 429}),
    ],
)
def test_a_text_that_meets_it_is_answered_once(
    stack: Running, number: int, name: str, chosen: dict[str, float]
) -> None:
    assert turn_on(stack, name, **chosen)["is_on"]
    phone = stack.phone(f"+120255501{number}")

    sid = phone.text(QUESTION)["conversation_sid"]

    has_struck(stack, name)
    is_answered_once(stack, phone, sid)
    wait_until(lambda: not state(stack)["switches"][name]["is_on"], what="its end")


@pytest.mark.parametrize(("number", "name"), [(20, "timeout"), (21, "server_error")])
def test_a_reply_of_which_twilio_says_nothing_is_looked_for_and_read_once(
    stack: Running, number: int, name: str
) -> None:
    turn_on(stack, name, count=1, seconds=3)
    phone = stack.phone(f"+120255501{number}")

    sid = phone.text(QUESTION)["conversation_sid"]

    has_struck(stack, name)
    is_answered_once(stack, phone, sid)


@pytest.mark.parametrize(("number", "name"), [(30, "delay"), (31, "reorder")])
def test_webhooks_that_come_late_or_in_the_wrong_order_lose_and_double_nothing(
    stack: Running, number: int, name: str
) -> None:
    phone = stack.phone(f"+120255501{number}")
    sid = phone.text(QUESTION)["conversation_sid"]
    phone.wait_for_replies()
    turn_on(stack, name, count=1)

    phone.text(OTHER)
    phone.text(QUESTION)

    has_struck(stack, name)
    is_answered_once(stack, phone, sid, messages=3)


def test_a_text_whose_webhook_is_lost_is_found_by_the_sweeper(stack: Running) -> None:
    turn_on(stack, "lose", count=1)
    phone = stack.phone("+12025550132")

    sid = phone.text(QUESTION)["conversation_sid"]

    has_struck(stack, "lose")
    move_clock(stack, TWO_MINUTES)  # its check is due
    stack.stack.functions["sweeper"].invoke({})
    assert state(stack)["switches"]["lose"] == {"is_on": False, "struck": 1, "left": None, "seconds_left": None}
    is_answered_once(stack, phone, sid)


def test_a_reply_that_fails_on_its_way_is_told_to_humans(stack: Running) -> None:
    turn_on(stack, "undelivered", count=1, code=30007)
    phone = stack.phone("+12025550133")

    sid = phone.text(QUESTION)["conversation_sid"]

    has_struck(stack, "undelivered")
    wait_until(lambda: "delivery_failed" in decisions(stack, sid), what="the decision")
    assert phone.inbox() == []


def decisions(stack: Running, conversation_sid: str) -> list[str]:
    lines = [each.text for each in stack.activities if isinstance(each, LogLine) and conversation_sid in each.text]
    return [json.loads(line)["message"] for line in lines if line.startswith("{")]


def test_what_is_off_breaks_nothing(stack: Running) -> None:
    for name in state(stack)["switches"]:
        turn_on(stack, name, count=1, seconds=60, code=503 if name == "model_away" else 30007)
    assert all(each["is_on"] for name, each in state(stack)["switches"].items() if name != "model_away")
    for name in state(stack)["switches"]:
        assert not turn_off(stack, name)["is_on"]
    phone = stack.phone("+12025550134")

    sid = phone.text(QUESTION)["conversation_sid"]

    is_answered_once(stack, phone, sid)
    assert not any(each["is_on"] for each in state(stack)["switches"].values())


def test_the_end_of_everything_ends_faults_that_were_armed_elsewhere_too(stack: Running) -> None:
    turn_on(stack, "double", count=3)
    turn_on(stack, "throttle", seconds=60)
    turn_on(stack, "kill")
    fault = {"kind": "drop_webhook", "rate": 0.5}
    stack.http.post(f"{stack.stack.twilio_url}/_emulator/faults", json=fault).raise_for_status()
    assert [each["kind"] for each in state(stack)["others"]] == ["drop_webhook"]

    stack.http.delete(f"{url(stack)}/switches").raise_for_status()

    now = state(stack)
    assert (now["others"], {each["is_on"] for each in now["switches"].values()}) == ([], {False})


def test_the_agent_that_is_killed_now_starts_again(stack: Running) -> None:
    before = stack.stack.functions["agent"].pids
    turn_on(stack, "model_slow", seconds=60)
    phone = stack.phone("+12025550135")
    sid = phone.text(QUESTION)["conversation_sid"]
    has_struck(stack, "model_slow")

    stack.http.post(f"{url(stack)}/kill").raise_for_status()

    turn_off(stack, "model_slow")
    is_answered_once(stack, phone, sid)
    assert not set(before) & set(stack.stack.functions["agent"].pids)


def test_a_turn_a_day_later_is_a_day_later_for_the_functions_too_and_for_a_new_process(stack: Running) -> None:
    phone = stack.phone("+12025550136")
    sid = phone.text(QUESTION)["conversation_sid"]
    phone.wait_for_replies()
    before = state(stack)["ahead_seconds"]

    assert move_clock(stack, A_DAY) == before + A_DAY

    stack.stack.kill("agent")
    phone.text(OTHER)
    is_answered_once(stack, phone, sid, messages=2)
    first, second = [int(turn["at"]["N"]) / 1000 for turn in stack.turns(sid)]
    assert A_DAY <= second - first < A_DAY + 300


def test_a_day_after_the_customers_last_word_whatsapp_takes_no_answer(stack: Running) -> None:
    turn_on(stack, "model_away", seconds=300, code=503)
    phone = stack.phone("whatsapp:+12025550137", to=OUR_WHATSAPP)
    sid = phone.text(QUESTION)["conversation_sid"]
    has_struck(stack, "model_away")

    move_clock(stack, A_DAY)
    turn_off(stack, "model_away")

    (turn,) = wait_until(lambda: stack.turns(sid), what="the turn's end")
    assert (turn["outcome"]["S"], turn["rule"]["S"]) == ("refused", "window_closed")
    assert phone.inbox() == []
    (letter,) = wait_until(lambda: letters(stack, sid), what="its dead letter")
    assert letter["why"].startswith("WhatsApp's window was closed")


def test_a_dead_letter_says_whose_it_is_and_why_and_its_redrive_is_answered_once(stack: Running) -> None:
    phones = [stack.phone("+12025550138"), stack.phone("+12025550139")]
    turn_on(stack, "model_away", seconds=300, code=503)
    sids = [phone.text(OTHER)["conversation_sid"] for phone in phones]
    wait_until(lambda: all("retry" in decisions(stack, sid) for sid in sids), what="the first try of both")
    move_clock(stack, TEN_MINUTES)
    found = [wait_until(lambda sid=sid: letters(stack, sid), what="its dead letter") for sid in sids]  # type: ignore[misc]
    turn_off(stack, "model_away")

    put_back = stack.http.post(f"{url(stack)}/redrive", json={"conversation_sid": sids[0]}).raise_for_status().json()

    assert [(each["author"], each["body"], each["why"][:17]) for (each,) in found] == [
        (phone.address, OTHER, "No answer in time") for phone in phones
    ]
    assert put_back == {"put_back": 1, "left": 0}
    wait_until(lambda: len(phones[0].inbox()) == 2, what="the answer")  # after the fallback sentence
    wait_until(lambda: stack.queued() == 0)
    assert [len(phone.inbox()) for phone in phones] == [2, 1]
    assert [len(letters(stack, sid)) for sid in sids] == [0, 1]
    state_before = state(stack)
    assert stack.http.post(f"{url(stack)}/redrive").raise_for_status().json()["put_back"] == state_before["letters"]
    wait_until(lambda: len(phones[1].inbox()) == 2, what="the answer")
    assert letters(stack, sids[1]) == []


def test_what_is_no_message_is_a_dead_letter_that_says_so(stack: Running) -> None:
    agent = stack.environment("AgentFunction")
    sqs, dead = stack.stack.client("sqs"), agent["MESSAGES_DEAD_LETTER_QUEUE_URL"]
    group = {"MessageGroupId": "none", "MessageDeduplicationId": "none"}
    sqs.send_message(QueueUrl=dead, MessageBody="<b>not an event</b>", **group)

    (letter,) = letters(stack, "")

    assert (letter["body"], letter["author"]) == ("<b>not an event</b>", "")
    assert letter["why"].startswith("Not a message")
    (received,) = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1)["Messages"]  # it was only read
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=received["ReceiptHandle"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("switches/nothing", {}, 404),
        ("switches/model_away", {"code": 200}, 400),
        ("switches/lose", {"count": 0}, 400),
        ("switches/lose", {"often": 1}, 400),
        ("switches/undelivered", {"code": 0}, 400),
        ("clock", {"seconds": -1}, 400),
        ("redrive", [], 400),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(stack: Running, path: str, body: object, status: int) -> None:
    answer = stack.http.post(f"{url(stack)}/{path}", json=body)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_the_stream_tells_each_change_and_ends_with_the_stack(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[dict[str, Any]] = []

    def listen(stack: Running) -> None:
        with httpx.stream("GET", f"{url(stack)}/events", timeout=120) as stream:
            told.extend(json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))

    with running() as stack:
        listener = threading.Thread(target=listen, args=(stack,))
        listener.start()
        wait_until(lambda: told, what="the first state")
        turn_on(stack, "double", count=1)
        wait_until(lambda: told[-1]["switches"]["double"]["is_on"], what="the change")
    listener.join(timeout=30)

    assert not listener.is_alive()
    assert "Cancel" not in capfd.readouterr().err
