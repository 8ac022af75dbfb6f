"""What a run keeps and forgets: snapshots, resets, seeds, the clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, SERVICE, VISITOR, Served
from tests.emulator.test_media import PICTURE, upload
from twilio_emulator import Emulator


def furnish(twilio: Served) -> str:
    """Fill an account with some of everything; return a conversation."""
    sid = twilio.text("hi")["conversation_sid"]
    twilio.text("hi", sender=VISITOR, to="chat")
    twilio.text("STOP", sender="+12025550111")
    conversation = twilio.service.conversations(sid)
    conversation.update(unique_name="order-17", timers_inactive="PT1M")
    conversation.messages.create(author="switchboard", media_sid=upload(twilio))
    conversation.webhooks.create(target="webhook", configuration_url="https://bot.example.com")
    return sid


def test_a_snapshot_brings_everything_back(twilio: Served) -> None:
    sid = furnish(twilio)
    snapshot = twilio.request("GET", "/_emulator/snapshot").content
    twilio.request("POST", "/_emulator/reset")
    assert twilio.service.conversations.list() == []

    assert twilio.request("PUT", "/_emulator/snapshot", data=snapshot).status_code == 204

    assert twilio.request("GET", "/_emulator/snapshot").content == snapshot
    assert twilio.service.conversations("order-17").fetch().sid == sid
    assert twilio.text("again")["conversation_sid"] == sid
    (media,) = [message.media for message in twilio.service.conversations(sid).messages.list() if message.media]
    content = twilio.request("GET", f"/v1/Services/{SERVICE}/Media/{media[0]['sid']}/Content").content
    assert content == PICTURE
    twilio.advance_clock(minutes=1)
    assert twilio.service.conversations(sid).fetch().state == "inactive"


@pytest.mark.parametrize("snapshot", ["", "{}", "[1]", '{"seed": 1}', '{"seed": "of no service"}', "\x00"])
def test_what_is_no_snapshot_is_refused_and_changes_nothing(twilio: Served, snapshot: str) -> None:
    sid = twilio.text("hi")["conversation_sid"]

    answer = twilio.request("PUT", "/_emulator/snapshot", data=snapshot)

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
    assert twilio.service.conversations(sid).fetch().sid == sid


async def text(emulator: Emulator) -> dict[str, str]:
    """Send a text to an emulator that nobody serves."""
    transport = httpx.ASGITransport(emulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as http:
        answer = await http.post("/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "hi"})
    await emulator.aclose()
    sids: dict[str, str] = answer.json()
    return sids


def test_the_same_seed_draws_the_same_sids() -> None:
    first, second, other = (asyncio.run(text(Emulator(seed=seed))) for seed in ("a", "a", "b"))

    assert first == second
    assert first != other


def test_without_a_seed_no_two_runs_draw_the_same_sids(twilio: Served) -> None:
    before = twilio.text("hi")

    twilio.request("POST", "/_emulator/reset")

    assert twilio.text("hi") != before


def test_a_reset_begins_anew_and_takes_a_seed(twilio: Served) -> None:
    def first_text() -> dict[str, str]:
        twilio.request("POST", "/_emulator/reset", json={"seed": "demo"})
        return twilio.text("hi")

    assert first_text() == first_text()
    assert len(twilio.service.conversations.list()) == 1


def test_the_clock_shows_what_it_was_moved_by(twilio: Served) -> None:
    def now() -> datetime:
        return datetime.fromisoformat(twilio.request("GET", "/_emulator/clock").json()["now"])

    before = now()
    twilio.advance_clock(days=3)

    assert timedelta(days=3) <= now() - before < timedelta(days=3, minutes=5)
    twilio.request("POST", "/_emulator/reset")
    assert now() - before < timedelta(minutes=5)


@pytest.mark.parametrize("order", ['{"advance_seconds": -1}', '{"advance_seconds": "1"}', "{}", "", "{"])
def test_the_clock_never_goes_back(twilio: Served, order: str) -> None:
    answer = twilio.request("POST", "/_emulator/clock", data=order)

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)


def test_the_clock_stays_within_a_century(twilio: Served) -> None:
    twilio.advance_clock(days=99 * 365)

    answer = twilio.request("POST", "/_emulator/clock", json={"advance_seconds": 2 * 365 * 86400})

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
    assert twilio.text("hi")["conversation_sid"]


def test_a_clock_may_be_handed_in() -> None:
    emulator = Emulator(clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))

    asyncio.run(text(emulator))

    (conversation,) = emulator.world.state.conversations.values()
    assert conversation.date_created == datetime(2030, 1, 1, tzinfo=UTC)


def test_healthz_answers(twilio: Served) -> None:
    assert twilio.request("GET", "/healthz").status_code == 200
