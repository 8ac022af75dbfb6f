"""Telling people, through the whole local stack: over HTTP, on the event bus and on the SNS topic."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from local.activity import LogLine
from local.aws.event_bus import NOTICES
from local.aws.ministack import ACCOUNT_ID, REGION
from switchboard.publisher import LEFT_TO_ITS_WORKER
from tests.stacks import Running, running
from tests.waiting import wait_until

EVENTS = "events-of-the-tests"  # a queue to which a rule of the tests brings every event
FORWARDED = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")
DRIVING = "I am driving - Sent from My Car"

type Event = Mapping[str, Any]


def listen(stack: Running) -> None:
    """Bring every event of the bus to a queue, as an operator's rule does."""
    sqs, events = stack.stack.client("sqs"), stack.stack.client("events")
    sqs.create_queue(QueueName=EVENTS)
    bus = stack.environment("AgentFunction")["EVENT_BUS_NAME"]
    events.put_rule(Name=EVENTS, EventBusName=bus, EventPattern=json.dumps({"source": ["switchboard"]}))
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{EVENTS}"
    events.put_targets(Rule=EVENTS, EventBusName=bus, Targets=[{"Id": "tests", "Arn": arn}])


def received(stack: Running, queue: str) -> list[str]:
    """Return the bodies that have arrived on a queue so far, and leave them there."""
    sqs = stack.stack.client("sqs")
    url = f"{stack.stack.aws_endpoint}/{ACCOUNT_ID}/{queue}"
    return [
        each["Body"]
        for _ in range(3)
        for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", ())
    ]


def events_of(stack: Running, conversation_sid: str) -> list[Event]:
    """Return the events of a conversation, each once."""
    events = {event["id"]: event for event in map(json.loads, received(stack, EVENTS))}
    return [event for event in events.values() if event["detail"]["conversation_sid"] == conversation_sid]


def mails_of(stack: Running, conversation_sid: str) -> list[str]:
    return sorted({body for body in received(stack, NOTICES) if conversation_sid in body})


@pytest.fixture(scope="module")
def listening() -> Iterator[Running]:
    with running() as stack:
        listen(stack)
        yield stack


def test_i_want_a_human_is_one_event_on_the_bus_and_one_mail(listening: Running) -> None:
    conversation_sid = listening.phone("+12025550160").text("I want a human")["conversation_sid"]

    (event,) = wait_until(partial(events_of, listening, conversation_sid), what="an event")

    assert (event["source"], event["detail-type"]) == ("switchboard", "HumanNeeded")
    assert event["detail"]["reason"] == "handoff"
    (mail,) = wait_until(partial(mails_of, listening, conversation_sid), what="a mail")
    assert "HumanNeeded, handoff" in mail
    assert listening.errors() == []


def has_turns(stack: Running, conversation_sid: str, number: int) -> bool:
    return len(stack.turns(conversation_sid)) >= number


def test_an_autoresponder_gets_silence_and_humans_are_told_once(listening: Running) -> None:
    phone = listening.phone("+12025550161")
    conversation_sid = phone.text("hi")["conversation_sid"]
    for number in range(1, 8):
        wait_until(partial(has_turns, listening, conversation_sid, number), what="a turn's record")
        phone.text(DRIVING)
    wait_until(partial(has_turns, listening, conversation_sid, 8), what="the last turn's record")

    (event,) = wait_until(partial(events_of, listening, conversation_sid), what="an event")

    assert len(phone.inbox()) < 7
    assert listening.turns(conversation_sid)[-1]["rule"]["S"] == "loop"
    assert (event["detail-type"], event["detail"]["reason"]) == ("HumanNeeded", "loop")


def owner_shown(stack: Running, conversation_sid: str) -> dict[str, str]:
    """Return what a conversation's attributes at Twilio show, or nothing."""
    account = stack.stack.twilio_account
    url = f"{stack.stack.twilio_url}/v1/Services/{account.service_sid}/Conversations/{conversation_sid}"
    answer = stack.http.get(url, auth=(account.account_sid, account.auth_token)).raise_for_status().json()
    shown: dict[str, str] = json.loads(answer["attributes"]).get("switchboard", {})
    return shown


def owner_set(stack: Running, conversation_sid: str, value: object) -> None:
    """Set the owner attribute as a helpdesk does."""
    account = stack.stack.twilio_account
    stack.http.post(
        f"{stack.stack.twilio_url}/v1/Services/{account.service_sid}/Conversations/{conversation_sid}",
        data={"Attributes": json.dumps({"crm": 7, "switchboard": value})},
        headers={"X-Twilio-Webhook-Enabled": "true"},
        auth=(account.account_sid, account.auth_token),
    ).raise_for_status()


def test_who_waits_for_a_human_stands_in_the_attributes_until_the_hand_back(listening: Running) -> None:
    conversation_sid = listening.phone("+12025550164").text("I want a human")["conversation_sid"]
    wait_until(partial(owner_shown, listening, conversation_sid), what="an owner")
    waits = owner_shown(listening, conversation_sid)

    owner_set(listening, conversation_sid, {"owner": "assistant", "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"})
    wait_until(lambda: owner_shown(listening, conversation_sid).get("reason") == "by_human", what="the assistant")

    assert (waits["owner"], waits["reason"]) == ("human", "handoff")
    assert owner_shown(listening, conversation_sid).keys() == {"owner", "reason", "since"}
    assert {event["detail-type"] for event in events_of(listening, conversation_sid)} == {"HumanNeeded", "HandedBack"}
    assert listening.errors() == []


def test_a_wrong_owner_is_counted_with_its_conversation_and_what_is_wrong(listening: Running) -> None:
    conversation_sid = listening.phone("+12025550165").text("hi")["conversation_sid"]

    owner_set(listening, conversation_sid, {"owner": "bot"})

    def counted() -> list[dict[str, Any]]:
        lines = [line.text for line in listening.activities if isinstance(line, LogLine)]
        return [json.loads(line) for line in lines if '"message":"ignored_owner_set_wrong"' in line]

    (line,) = wait_until(counted, what="a log line")
    assert line["conversation_sid"] == conversation_sid
    assert line["detail"] == "switchboard.owner is neither assistant nor human"


def fail_delivery(stack: Running, address: str, code: int) -> None:
    fault = {"kind": "fail_delivery", "on": address, "count": 1, "code": code, "status": "undelivered"}
    stack.http.post(f"{stack.stack.twilio_url}/_emulator/faults", json=fault).raise_for_status()


def decisions_of(stack: Running, conversation_sid: str) -> list[str]:
    lines = [line.text for line in stack.activities if isinstance(line, LogLine) and conversation_sid in line.text]
    return [json.loads(line).get("message", "") for line in lines]


def undelivered_of(stack: Running, conversation_sid: str) -> list[str]:
    """Return which messages of a conversation did not arrive, as its item says: `MessageSid#error code`."""
    answer = stack.stack.client("dynamodb").get_item(
        TableName=stack.environment("AgentFunction")["CONVERSATIONS_TABLE"],
        Key={"pk": {"S": conversation_sid}, "sk": {"S": "CONVERSATION"}},
        ConsistentRead=True,
    )
    return [text["S"] for text in answer["Item"].get("undelivered", {"L": []})["L"]]


def test_a_reply_that_does_not_arrive_is_kept_with_its_turn_and_told_unless_it_is_an_opt_out(
    listening: Running,
) -> None:
    opted_out, unreachable = (listening.phone(f"+120255501{number}") for number in (67, 68))
    fail_delivery(listening, opted_out.address, 21610)
    fail_delivery(listening, unreachable.address, 30005)

    sids = [phone.text("When are you open?")["conversation_sid"] for phone in (opted_out, unreachable)]

    (event,) = wait_until(partial(events_of, listening, sids[1]), what="an event")
    assert (event["detail-type"], event["detail"]["reason"]) == ("DeliveryFailed", "unreachable")
    wait_until(lambda: "opted_out" in decisions_of(listening, sids[0]), what="the opt-out")
    assert events_of(listening, sids[0]) == []
    assert len(wait_until(partial(mails_of, listening, sids[1]), what="a mail")) == 1
    for conversation_sid, code in zip(sids, (21610, 30005), strict=True):
        wait_until(partial(has_turns, listening, conversation_sid, 1), what="the turn's record")
        (part,) = listening.turns(conversation_sid)[0]["sent"]["L"]
        assert undelivered_of(listening, conversation_sid) == [f"{part['S']}#{code}"]


def test_no_event_holds_words_or_an_address(listening: Running) -> None:
    phone = listening.phone("+12025550162")
    conversation_sid = phone.text("I want a human, my card is a zebra")["conversation_sid"]
    wait_until(partial(events_of, listening, conversation_sid), what="an event")

    told = "".join([*received(listening, EVENTS), *received(listening, NOTICES)])

    assert "zebra" not in told
    assert phone.address not in told


@contextmanager
def event_bus_proxy(upstream: Callable[[], str], on_first: Callable[[], None]) -> Iterator[str]:
    """Stand between the functions and the event bus: the first request is not answered, the others are forwarded."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["X-Amz-Target"])
            if len(seen) == 1:
                on_first()
                return
            headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
            answer = httpx.post(upstream(), content=body, headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_two_sweeps_after_its_worker_was_killed_there_is_one_event_and_one_mail() -> None:
    started: list[Running] = []
    killed = threading.Event()

    def kill() -> None:
        started[0].stack.kill("agent")
        killed.set()

    with (
        event_bus_proxy(lambda: started[0].stack.aws_endpoint, kill) as url,
        running(environment={"AWS_ENDPOINT_URL_EVENTBRIDGE": url}) as stack,
    ):
        started.append(stack)
        listen(stack)
        phone = stack.phone("+12025550163")
        conversation_sid = phone.text("I want a human")["conversation_sid"]
        wait_until(killed.is_set, what="the worker's end")
        died = time.monotonic()

        stack.stack.functions["sweeper"].invoke({})
        wait_until(
            lambda: time.monotonic() > died + LEFT_TO_ITS_WORKER.total_seconds(), within_seconds=15, what="ten seconds"
        )
        stack.stack.functions["sweeper"].invoke({})

        (event,) = events_of(stack, conversation_sid)
        (mail,) = wait_until(partial(mails_of, stack, conversation_sid), what="a mail")
        assert (event["detail-type"], event["detail"]["reason"]) == ("HumanNeeded", "handoff")
        assert "HumanNeeded, handoff" in mail
        assert len(phone.inbox()) == 1
        assert stack.turns(conversation_sid)[-1]["outcome"]["S"] == "handed_off"
