"""What a page that draws phones asks: threads, files, and a stream of what changes."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.emulator.emulator_process import running_emulator
from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, VISITOR, EmulatorServer
from twilio_emulator.client import Attachment, CustomerClient
from twilio_emulator.control.changes import MAX_WAITING

WHATSAPP_CUSTOMER = f"whatsapp:{CUSTOMER}"
PICTURE = b"\x89PNG\r\n\x00\xff"


def thread(twilio: EmulatorServer, address: str = CUSTOMER, **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = twilio.request("GET", "/_emulator/thread", params={"address": address, **query}).json()
    return rows


def reply(twilio: EmulatorServer, conversation_sid: str, body: str = "hello") -> str:
    return str(twilio.service.conversations(conversation_sid).messages.create(author="switchboard", body=body).sid)


@contextmanager
def changes(twilio: EmulatorServer, *addresses: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield what the stream says, from the first threads on."""
    with httpx.stream("GET", f"{twilio.url}/_emulator/changes", params={"address": addresses}, timeout=300) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        yield (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def bodies(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entry["direction"], entry["body"]) for entry in entries]


# ── Threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_thread_has_what_a_customer_sent_and_received_in_order(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    answer = reply(twilio, sid)
    twilio.text("thanks")
    twilio.text("not mine", sender="+12025550111")

    mine = thread(twilio)

    assert bodies(mine) == [("sent", "hi"), ("received", "hello"), ("sent", "thanks")]
    assert mine[1].pop("at").endswith("Z")
    assert mine[1] == {
        "conversation_sid": sid,
        "message_sid": answer,
        "index": 1,
        "direction": "received",
        "author": "switchboard",
        "body": "hello",
        "status": "delivered",
        "error_code": None,
        "error": None,
        "media": [],
    }


@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, OUR_SMS), (WHATSAPP_CUSTOMER, OUR_WHATSAPP), (VISITOR, "chat")])
def test_every_channel_has_threads_and_they_go_on_over_a_closed_conversation(
    twilio: EmulatorServer, sender: str, to: str
) -> None:
    first = twilio.text("hi", sender=sender, to=to)["conversation_sid"]
    reply(twilio, first)
    twilio.service.conversations(first).update(state="closed")
    second = twilio.text("again", sender=sender, to=to)["conversation_sid"]

    entries = thread(twilio, sender)

    assert bodies(entries) == [("sent", "hi"), ("received", "hello"), ("sent", "again")]
    assert [entry["conversation_sid"] for entry in entries] == [first, first, second]


def test_a_thread_can_be_asked_for_what_follows_a_message(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi")
    answer = reply(twilio, sids["conversation_sid"])

    assert [entry["message_sid"] for entry in thread(twilio, after=sids["message_sid"])] == [answer]
    assert thread(twilio, after=answer) == []
    assert len(thread(twilio, after="IM" + "0" * 32)) == 2
    assert thread(twilio, "+12025550199") == []


def test_a_message_that_failed_is_in_the_thread_with_the_reason_in_words(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("fail_delivery", on=CUSTOMER, code=30003, status="undelivered")
    reply(twilio, sid)
    twilio.arm("fail_delivery", on=CUSTOMER, code=39999)
    reply(twilio, sid)

    first, second = thread(twilio)[1:]

    assert (first["status"], first["error_code"]) == ("undelivered", 30003)
    assert first["error"] == "The phone is switched off, or out of reach."
    assert (second["status"], second["error"]) == ("failed", "Twilio's error dictionary says why.")


def test_a_message_on_its_way_stands_where_it_was_sent_and_then_where_it_arrived(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("delay_delivery", on=CUSTOMER, seconds=60)
    reply(twilio, sid, "late")
    reply(twilio, sid, "soon")

    before = thread(twilio)
    twilio.advance_clock(seconds=60)
    after = thread(twilio)

    assert [(entry["body"], entry["status"]) for entry in before[1:]] == [("late", "sent"), ("soon", "delivered")]
    assert [(entry["body"], entry["status"]) for entry in after[1:]] == [("soon", "delivered"), ("late", "delivered")]


def test_twilios_own_answer_to_stop_follows_it(twilio: EmulatorServer) -> None:
    twilio.text("STOP")

    stop, goodbye = thread(twilio)

    assert (stop["direction"], stop["body"]) == ("sent", "STOP")
    assert (goodbye["direction"], goodbye["author"], goodbye["conversation_sid"]) == ("received", OUR_SMS, "")


def test_a_location_has_neither_words_nor_files_in_the_thread(twilio: EmulatorServer) -> None:
    twilio.text("", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)

    (location,) = thread(twilio, WHATSAPP_CUSTOMER)

    assert (location["body"], location["media"]) == ("", [])


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_file(twilio: EmulatorServer, content_type: str, filename: str = "car.png") -> str:
    with CustomerClient(twilio.url, VISITOR) as visitor:
        visitor.send("look", Attachment(PICTURE, content_type, filename))
    (entry,) = thread(twilio, VISITOR)[-1:]
    (file,) = entry["media"]
    assert (file["filename"], file["size"]) == (filename, len(PICTURE))
    return str(file["url"])


def test_a_file_of_a_thread_is_shown_without_credentials(twilio: EmulatorServer) -> None:
    answer = httpx.get(twilio.url + send_file(twilio, "image/png; x=y"))

    assert (answer.content, answer.headers["content-type"]) == (PICTURE, "image/png")
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''car.png"


@pytest.mark.parametrize("content_type", ["text/html", "application/pdf", "image/<b>", "IMAGE / png", "video"])
def test_a_file_that_could_act_as_a_page_is_saved_and_not_shown(twilio: EmulatorServer, content_type: str) -> None:
    answer = httpx.get(twilio.url + send_file(twilio, content_type, 'a"\r\n\u00e9.html'))

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%22%0D%0A%C3%A9.html"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_that_is_not_there_is_not_found(twilio: EmulatorServer) -> None:
    assert twilio.request("GET", "/_emulator/media/nothing").status_code == 404


# ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_stream_begins_with_each_thread_as_a_whole(twilio: EmulatorServer) -> None:
    twilio.text("hi")

    with changes(twilio, CUSTOMER, VISITOR) as news:
        first, second = next(news), next(news)

    assert (first["address"], first["whole"], bodies(first["messages"])) == (CUSTOMER, True, [("sent", "hi")])
    assert (second["address"], second["whole"], second["messages"]) == (VISITOR, True, [])


def test_the_stream_says_what_is_sent_and_received_and_nothing_of_others(twilio: EmulatorServer) -> None:
    with changes(twilio, CUSTOMER) as news:
        next(news)
        twilio.text("not mine", sender="+12025550111")
        sid = twilio.text("hi")["conversation_sid"]
        sent = next(news)
        reply(twilio, sid)
        received = next(news)

    assert (sent["whole"], bodies(sent["messages"])) == (False, [("sent", "hi")])
    assert bodies(received["messages"]) == [("received", "hello")]


def test_the_stream_says_how_a_message_fares(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)["conversation_sid"]
    twilio.arm("delay_delivery", on=WHATSAPP_CUSTOMER, seconds=60)

    def status(said: dict[str, Any]) -> list[str]:
        return [entry["status"] for entry in said["messages"]]

    with changes(twilio, WHATSAPP_CUSTOMER) as news:
        next(news)
        reply(twilio, sid)
        assert status(next(news)) == ["sent"]
        twilio.advance_clock(seconds=60)
        assert status(next(news)) == ["delivered"]
        with CustomerClient(twilio.url, WHATSAPP_CUSTOMER) as customer:
            customer.read()
        assert status(next(news)) == ["read"]


def test_the_stream_says_that_the_business_types_and_not_that_the_customer_does(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)
    with changes(twilio, WHATSAPP_CUSTOMER) as news:
        next(news)
        with CustomerClient(twilio.url, WHATSAPP_CUSTOMER) as customer:
            customer.type()
        own = next(news)
        indicator = {"channel": "whatsapp", "messageId": sids["channel_message_sid"]}
        twilio.request("POST", "/v2/Indicators/Typing.json", data=indicator)
        business = next(news)

    assert (own["messages"], own["typing_seconds"]) == ([], 0)
    assert 0 < business["typing_seconds"] <= 25


def test_a_deleted_message_and_a_reset_make_the_thread_new_as_a_whole(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi")
    with changes(twilio, CUSTOMER) as news:
        next(news)
        twilio.service.conversations(sids["conversation_sid"]).messages(sids["message_sid"]).delete()
        deleted = next(news)
        twilio.text("again")
        next(news)
        twilio.request("POST", "/_emulator/reset")
        reset = next(news)

    assert (deleted["whole"], deleted["messages"]) == (True, [])
    assert (reset["whole"], reset["messages"]) == (True, [])


def test_a_slow_reader_gets_the_thread_as_a_whole_instead_of_a_long_queue(twilio: EmulatorServer) -> None:
    with twilio.emulator.changes.watch([CUSTOMER]) as watch:
        for number in range(MAX_WAITING * 3):
            watch.tell(CUSTOMER, f"IM{number}")

        (change,) = asyncio.run(watch.take(within_seconds=1)).values()

    assert (change.whole, change.messages) == (True, frozenset())


@pytest.mark.parametrize("addresses", [[], ["1" * 300], [str(each) for each in range(21)]])
def test_a_stream_of_no_or_too_many_addresses_is_refused(twilio: EmulatorServer, addresses: list[str]) -> None:
    answer = twilio.request("GET", "/_emulator/changes", params={"address": addresses})

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)


def test_a_file_of_a_message_to_a_customer_is_in_their_thread(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"]
    path = "/v1/Services/IS00000000000000000000000000000001/Media?Filename=car.png"
    uploaded = twilio.request("POST", path, data=PICTURE, headers={"Content-Type": "image/png"}).json()["sid"]
    twilio.service.conversations(sid).messages.create(author="switchboard", media_sid=uploaded)

    (file,) = thread(twilio, VISITOR)[-1]["media"]

    assert httpx.get(twilio.url + file["url"]).content == PICTURE


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_ends_with_the_emulator_and_nothing_is_said_of_it(how: signal.Signals) -> None:
    with running_emulator() as (process, url):
        query = {"address": CUSTOMER}
        with httpx.stream("GET", f"{url}/_emulator/changes", params=query, timeout=300) as response:
            chunks = response.iter_text()
            assert next(chunks).startswith("data: ")
            process.send_signal(how)
            assert list(chunks) == []  # complete: else httpx raises an error
        said, _ = process.communicate(timeout=120)

    assert (process.returncode, said) == (0, "Stopped\n")
