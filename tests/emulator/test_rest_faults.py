from collections import Counter

import pytest
import requests

from tests.emulator.emulator_server import SERVICE, EmulatorServer
from tests.waiting import wait_until

POSTS = "POST */Messages"


def post(twilio: EmulatorServer, conversation_sid: str, body: str = "hello") -> requests.Response:
    path = f"/v1/Services/{SERVICE}/Conversations/{conversation_sid}/Messages"
    return twilio.request("POST", path, data={"Author": "switchboard", "Body": body}, timeout=1)


def bodies(twilio: EmulatorServer, conversation_sid: str) -> list[str]:
    return [message.body for message in twilio.service.conversations(conversation_sid).messages.list()]


@pytest.mark.parametrize(("code", "status"), [(20429, 429), (20500, 500), (20503, 503), (50391, 409)])
def test_an_error_response_leaves_nothing_behind(twilio: EmulatorServer, code: int, status: int) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("answer", on=POSTS, code=code)

    answer = post(twilio, sid)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert bodies(twilio, sid) == ["hi"]
    assert post(twilio, sid).status_code == 201


def test_an_error_response_can_hide_that_the_message_was_added(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("answer", on=POSTS, code=20500, commit="first")

    answer = post(twilio, sid)

    assert answer.status_code == 500
    assert bodies(twilio, sid) == ["hi", "hello"]


@pytest.mark.parametrize(("commit", "existing"), [("never", ["hi"]), ("first", ["hi", "hello"])])
def test_a_connection_is_reset_before_or_after_the_message_was_sent(
    twilio: EmulatorServer, commit: str, existing: list[str]
) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("reset", on=POSTS, commit=commit)

    with pytest.raises(requests.ConnectionError):
        post(twilio, sid)

    assert bodies(twilio, sid) == existing


@pytest.mark.parametrize(("commit", "existing"), [("never", ["hi"]), ("first", ["hi", "hello"])])
def test_a_call_times_out_before_or_after_the_message_was_sent(
    twilio: EmulatorServer, commit: str, existing: list[str]
) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("timeout", on=POSTS, commit=commit)

    with pytest.raises(requests.ReadTimeout):
        post(twilio, sid)

    assert bodies(twilio, sid) == existing


def test_a_message_is_added_a_while_after_its_call_timed_out(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("timeout", on=POSTS, commit="late", seconds=40)
    with pytest.raises(requests.ReadTimeout):
        post(twilio, sid)
    assert bodies(twilio, sid) == ["hi"]

    twilio.advance_clock(seconds=40)

    wait_until(lambda: bodies(twilio, sid) == ["hi", "hello"])
    assert [row["body"] for row in twilio.inbox()] == ["hello"]


def test_a_lagging_list_does_not_show_the_newest_yet(twilio: EmulatorServer) -> None:
    sid = twilio.text("old")["conversation_sid"]
    twilio.advance_clock(seconds=30)
    twilio.text("new")
    twilio.arm("list_lag", on="GET */Messages", rate=1, seconds=20)

    assert bodies(twilio, sid) == ["old"]

    twilio.advance_clock(seconds=20)
    assert bodies(twilio, sid) == ["old", "new"]


def test_a_failed_delivery_changes_the_receipt_and_the_call_succeeds(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("fail_delivery", code=30003)

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert message.delivery["failed"] == "all"
    assert twilio.inbox() == []


def test_a_fault_makes_a_message_skip_an_index(twilio: EmulatorServer) -> None:
    sid = twilio.text("one")["conversation_sid"]
    twilio.arm("skip_index", on=sid)

    twilio.text("two")

    assert [message.index for message in twilio.service.conversations(sid).messages.list()] == [0, 2]


def test_a_fault_with_a_rate_triggers_about_that_often(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("answer", on="GET *", rate=0.5, seed=3, code=20429)

    path = f"/v1/Services/{SERVICE}/Conversations/{sid}"
    statuses = Counter(twilio.request("GET", path).status_code for _ in range(40))

    assert set(statuses) == {200, 429}
    assert 10 < statuses[429] < 30
