"""A human's desk on the page, through a whole stack: what it shows, and what a human does there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from switchboard.conversation import RefusalRule
from tests.stacks import OUR_WHATSAPP, WEB_CHAT, Running, running
from tests.waiting import wait_until

HOURS = "When are you open on Saturday?"
HANDOFF = "I want a human"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Running]:
    """A stack whose texts wait for seconds, so that a human comes before the assistant."""
    with running(environment={"COALESCE_SECONDS": "5"}) as started:
        yield started


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The desk of a stack, as the page uses it."""

    running: Running

    def read(self) -> dict[str, Any]:
        answer = self.running.http.get(f"{self.running.stack.url}/_page/desk").raise_for_status()
        read: dict[str, Any] = answer.json()
        return read

    def talk(self, sid: str) -> dict[str, Any]:
        """Return a conversation's row, once it is there."""
        return wait_until(lambda: next((row for row in self.read()["conversations"] if row["sid"] == sid), None) or {})

    def owned(self, sid: str, owner: str) -> dict[str, Any]:
        return wait_until(lambda: row if (row := self.talk(sid))["owner"] == owner else {}, what=f"owner {owner}")

    def act(self, action: str, **body: str) -> tuple[bool, str]:
        """Do something; return whether it was done, and what the page says of it."""
        url = f"{self.running.stack.url}/_page/desk/{action}"
        said = self.running.http.post(url, json=body).raise_for_status().json()
        return said["ok"], said["said"]

    def story(self, sid: str) -> list[tuple[str, str]]:
        url = f"{self.running.stack.url}/_page/desk/{sid}/story"
        return [(entry["who"], entry["text"]) for entry in self.running.http.get(url).raise_for_status().json()]


@pytest.fixture
def desk(stack: Running) -> Desk:
    return Desk(running=stack)


def rules(stack: Running, sid: str) -> list[str]:
    return [turn["rule"]["S"] for turn in stack.turns(sid)]


def test_who_takes_over_while_a_text_waits_has_it_and_the_assistant_answers_after_the_hand_back(
    stack: Running, desk: Desk
) -> None:
    phone = stack.phone("+12025550130")
    sid = phone.text(HOURS)["conversation_sid"]

    taken = desk.act(f"{sid}/take")
    wait_until(lambda: rules(stack, sid) == [RefusalRule.HUMAN], what="the refused turn")
    waiting = desk.talk(sid)
    silent = phone.inbox()
    handed_back = desk.act(f"{sid}/hand-back")
    phone.wait_for_replies()

    assert taken == (True, "You have the conversation. The assistant is silent.")
    assert (waiting["owner"], waiting["why"], waiting["left"]) == ("human", "A human took it over.", 1)
    assert waiting["waits_since"] == waiting["last"]["at"]
    assert silent == []
    assert handed_back[0]
    assert desk.talk(sid)["why"] == "It was handed back to the assistant."
    wait_until(lambda: desk.talk(sid)["last"]["who"] == "assistant")


def test_a_humans_words_reach_the_phone_and_take_the_conversation_over(stack: Running, desk: Desk) -> None:
    phone = stack.phone("visitor-00000000000000000000000000000130", to=WEB_CHAT)
    sid = phone.text(HOURS)["conversation_sid"]

    said = desk.act(f"{sid}/say", text="<b>I am Robin.</b>")

    (received,) = phone.inbox()
    assert said == (True, "Sent. You have the conversation.")
    assert (received["author"], received["body"]) == ("robin", "<b>I am Robin.</b>")
    row = desk.owned(sid, "human")
    assert (row["channel"], row["last"]["who"], row["waits_since"]) == ("chat", "human", None)


def test_a_conversation_that_was_handed_off_waits_first_with_its_story_and_its_notice(
    stack: Running, desk: Desk
) -> None:
    phone = stack.phone("+12025550131")
    sid = phone.text(HANDOFF)["conversation_sid"]
    reply = phone.wait_for_replies()[0]["body"]

    row = desk.owned(sid, "human")

    assert (row["why"], row["reason"]) == ("The assistant handed it over.", "handoff")
    assert row["waits_since"] == row["since"]
    assert desk.story(sid) == [
        ("customer", HANDOFF),
        ("assistant", reply),
        ("mark", "The assistant handed the conversation over to a human."),
    ]
    wait_until(lambda: [each["words"] for each in desk.read()["notices"] if each["conversation"] == sid], what="it")
    order = [each["waits_since"] for each in desk.read()["conversations"]]
    waiting = [since for since in order if since]
    assert order[: len(waiting)] == sorted(waiting)


def test_hand_back_all_hands_back_every_conversation(stack: Running, desk: Desk) -> None:
    sids = [stack.phone(address).text(HOURS)["conversation_sid"] for address in ("+12025550132", "+12025550133")]
    for sid in sids:
        desk.act(f"{sid}/take")

    done, said = desk.act("hand-back-all")

    assert done
    assert "handed back" in said
    assert [row["sid"] for row in desk.read()["conversations"] if row["owner"] == "human"] == []
    assert desk.act("hand-back-all") == (True, "No human has a conversation.")


def test_a_closed_conversation_takes_no_word_and_says_so(stack: Running, desk: Desk) -> None:
    sid = stack.phone("+12025550134").text(HOURS)["conversation_sid"]

    closed = desk.act(f"{sid}/close")
    refused = [desk.act(f"{sid}/{action}", text="One more thing") for action in ("say", "take", "hand-back")]

    assert closed == (True, "Closed.")
    assert set(refused) == {(False, "This conversation is closed, for good. The customer's next text opens a new one.")}
    assert desk.talk(sid)["state"] == "closed"
    assert "human" not in {message["author"] for message in stack.messages(sid)}


def test_a_customer_who_has_opted_out_gets_no_word(stack: Running, desk: Desk) -> None:
    phone = stack.phone("+12025550135")
    sid = phone.text("STOP")["conversation_sid"]
    wait_until(lambda: desk.talk(sid)["opted_out"], what="the opt-out")

    said = desk.act(f"{sid}/say", text="Please come back")

    assert said == (False, "The customer has opted out: nothing is sent to them until they write START.")
    assert len(stack.messages(sid)) == 1


def test_an_empty_word_is_not_sent(stack: Running, desk: Desk) -> None:
    sid = stack.phone("+12025550136").text(HOURS)["conversation_sid"]

    assert desk.act(f"{sid}/say", text=" \n") == (False, "Write something first.")
    assert desk.act(f"{sid}/say") == (False, "Write something first.")


def test_every_change_is_told_at_once_and_the_stream_ends_with_the_stack() -> None:
    with httpx.Client(timeout=60) as client:
        with running(environment={"COALESCE_SECONDS": "5"}) as stack:
            answer = client.send(client.build_request("GET", f"{stack.stack.url}/_page/desk/events"), stream=True)
            told = (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line)
            first = next(told)
            sid = stack.phone("+12025550137").text(HOURS)["conversation_sid"]
            seen = next(row for each in told for row in each["conversations"] if row["sid"] == sid)
            Desk(running=stack).act(f"{sid}/take")
            owned = next(row for each in told for row in each["conversations"] if row["owner"] == "human")
        rest = list(told)

    assert first["conversations"] == []  # of the payloads in `events`, which nobody has told of, nothing
    assert (seen["customer"], seen["owner"]) == ("+12025550137", "assistant")
    assert owned["sid"] == sid
    assert all(each["human"] == "robin" for each in rest)


def test_after_a_day_whatsapp_takes_no_word_and_the_desk_says_so_and_sends_none() -> None:
    with running() as stack:
        desk, phone = Desk(running=stack), stack.phone("whatsapp:+12025550138", to=OUR_WHATSAPP)
        sid = phone.text(HOURS)["conversation_sid"]
        phone.wait_for_replies()
        open_before = desk.talk(sid)["window_open"]
        stack.http.post(f"{stack.stack.twilio_url}/_emulator/clock", json={"advance_seconds": DAY.total_seconds() + 60})

        row = desk.talk(sid)
        done, said = desk.act(f"{sid}/say", text="Are you there?")

        assert (open_before, row["window_open"]) == (True, False)
        assert not done
        assert said.startswith("WhatsApp takes no text more than 24 hours after")
        assert len(phone.inbox()) == 1
