"""Files of an answer: frozen by their names, uploaded right before their POST, found again by their markers."""

from dataclasses import replace
from pathlib import Path

import pytest

from switchboard.content import Content
from switchboard.disclosure import parse_disclosure
from switchboard.files import FilesFolder
from switchboard.turn.context import Step
from switchboard.turn.timing import MIN_LEASE_FOR_SEND, MIN_LEASE_FOR_UPLOAD
from tests.builders import CONVERSATION, sid, turn_settings
from tests.fakes.twilio import Upload
from tests.unit.turn.harness import Harness

MENU = Upload(name="menu.pdf", content_type="application/pdf", content=b"%PDF-1.4 our menu")
SMS = "+12025550110"
WHATSAPP = f"whatsapp:{SMS}"
CHAT = f"visitor-{'0' * 32}"
MEGABYTE = 1024 * 1024
FALLBACK = turn_settings().fallback_sentence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / MENU.name).write_bytes(MENU.content)
    return folder


@pytest.fixture
def harness(harness: Harness, folder: Path) -> Harness:
    harness.files = FilesFolder(folder)
    harness.agent.text, harness.agent.files = "Our menu?", (MENU.name,)
    return harness


def asks(harness: Harness, author: str) -> None:
    harness.deliver(*(replace(message, author=author) for message in harness.customer_writes("hi")))


# ── freeze ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("author", [SMS, WHATSAPP, CHAT])
def test_a_file_is_a_message_after_the_text(harness: Harness, author: str) -> None:
    asks(harness, author)

    assert harness.replies == ["Our menu?", ""]
    assert harness.twilio.attached == [MENU]
    assert [record.outcome for record in harness.records] == ["answered"]


def test_the_name_is_frozen_and_not_what_is_in_the_file(harness: Harness) -> None:
    harness.deliver_and_crash(*harness.customer_writes("hi"), after=Step.FREEZE)

    reply = harness.item.pending_reply
    assert reply
    assert (reply.parts, reply.files) == (("Our menu?", "[document: menu.pdf]"), (MENU.name,))
    assert (harness.twilio.uploads, reply.send_attempts) == ({}, (1, 1))


def test_the_assistant_reads_later_which_file_it_has_sent(harness: Harness) -> None:
    harness.says("one")

    harness.says("two")

    assert harness.history()[-1] == ("assistant", "Our menu?\n\n[document: menu.pdf]")


@pytest.mark.parametrize(
    ("author", "name", "size", "is_carried"),
    [
        (SMS, "a.pdf", 5 * MEGABYTE - 1, True),
        (SMS, "a.pdf", 5 * MEGABYTE, False),
        (SMS, "a.amr", 100, True),
        (SMS, "a.docx", 100, False),
        (SMS, "a.PNG", 100, True),
        (SMS, "a.png", 0, False),
        (WHATSAPP, "a.jpg", 5 * MEGABYTE, True),
        (WHATSAPP, "a.jpg", 5 * MEGABYTE + 1, False),
        (WHATSAPP, "a.mp4", 16 * MEGABYTE, True),
        (WHATSAPP, "a.mp4", 16 * MEGABYTE + 1, False),
        (WHATSAPP, "a.gif", 100, False),
        (CHAT, "a.docx", 100, True),
        (CHAT, "a", 16 * MEGABYTE, True),
        (CHAT, "a", 16 * MEGABYTE + 1, False),
        ("messenger:1234", "a.png", 100, False),
    ],
)
def test_a_file_that_the_channel_does_not_carry_is_told_in_a_sentence(
    harness: Harness, folder: Path, author: str, name: str, size: int, *, is_carried: bool
) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(size)
    harness.agent.files = (name,)

    asks(harness, author)

    said = ["Our menu?", ""] if is_carried else [f"Our menu?\n\n(I cannot send {name} here.)"]
    assert harness.replies == said
    assert len(harness.twilio.attached) == is_carried


def test_a_url_is_a_link_in_the_text_on_every_channel(harness: Harness) -> None:
    harness.agent.files = ("https://example.com/a_b/menu.pdf", MENU.name)

    asks(harness, WHATSAPP)

    assert harness.replies == ["Our menu?\n\nhttps://example.com/a_b/menu.pdf", ""]
    assert harness.twilio.attached == [MENU]


def test_a_file_comes_after_a_card_and_a_sentence_before_it(harness: Harness, folder: Path) -> None:
    harness.settings = replace(turn_settings(), disclosure=parse_disclosure("I am a machine.", name="x"))
    (folder / "a.gif").write_bytes(b"GIF89a")
    harness.agent.files = (MENU.name, "a.gif")
    harness.agent.content = Content(sid=sid("HX", 1))

    asks(harness, WHATSAPP)

    assert harness.replies == ["I am a machine.\n\n(I cannot send a.gif here.)", "Our menu?", ""]
    assert (harness.twilio.contents, harness.twilio.attached) == ([harness.agent.content], [MENU])


@pytest.mark.parametrize(
    "name", ["none.pdf", "../secret.txt", "sub/inner.txt", "sub", "..", ".hidden.txt", "", "MENU.pdf", "menu.pdf\x00"]
)
def test_a_name_that_is_not_in_the_folder_is_the_fallback(harness: Harness, folder: Path, name: str) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "sub").mkdir()
    (folder / "sub" / "inner.txt").write_text("inner")
    (folder / ".hidden.txt").write_text("hidden")
    harness.agent.files = (MENU.name, name)

    result = harness.says("hi")

    assert (harness.replies, harness.twilio.uploads) == ([FALLBACK], {})
    assert result.outcome == "fell_back"
    named = "none.pdf" if name == "none.pdf" else "MENU.pdf" if name == "MENU.pdf" else "file of such a name"
    assert result.cause.startswith(f"the folder of files has no {named}:")


def test_without_a_folder_there_is_no_file(harness: Harness, folder: Path) -> None:
    harness.files = FilesFolder(folder / "none")

    assert harness.says("hi").cause.startswith("the folder of files has no menu.pdf:")


def test_a_file_by_sms_has_no_segments_and_its_line_asks_nothing(harness: Harness, folder: Path) -> None:
    (folder / "why?.pdf").write_bytes(MENU.content)
    harness.agent.text, harness.agent.files = "Our menu.", ("why?.pdf",)

    result = harness.says("hi")

    assert result.cost
    assert (result.cost.messages, result.cost.segments, result.cost.price) == (2, 1, None)
    assert [reply.asks for reply in harness.item.recent_replies] == [False]


# ── send and resume ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["not_sent", "request_lost"])
def test_a_file_whose_post_was_not_taken_is_uploaded_again_and_sent_once(harness: Harness, end: str) -> None:
    harness.twilio.post_ends.extend(["sent", end])  # type: ignore[list-item]

    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert harness.replies == ["Our menu?", ""]
    assert harness.twilio.attached == [MENU]
    assert len(harness.twilio.uploads) == 1  # the first one, which no message has


def test_an_upload_that_failed_is_tried_again_and_costs_no_attempt(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.upload_ends.extend(["not_sent"] * 5)

    results = [harness.deliver(*messages)]
    reply = harness.item.pending_reply
    results += harness.deliver_until_it_ends(*messages)

    assert reply
    assert reply.send_attempts == (1, 0)
    assert {result.outcome for result in results[:-1]} == {"looking"}
    assert results[-1].outcome == "answered"
    assert (harness.replies, harness.twilio.attached) == (["Our menu?", ""], [MENU])


def test_a_worker_that_dies_between_upload_and_post_leaves_one_message(harness: Harness) -> None:
    messages = harness.customer_writes("hi")

    def die() -> None:
        harness.twilio.after_upload = lambda: None
        raise KeyboardInterrupt

    harness.twilio.after_upload = die
    with pytest.raises(KeyboardInterrupt):
        harness.deliver(*messages)
    harness.clock.move(seconds=121)
    harness.deliver_until_it_ends(*messages)

    assert (harness.replies, harness.twilio.attached) == (["Our menu?", ""], [MENU])


def test_a_file_whose_response_was_lost_is_found_by_its_marker(harness: Harness) -> None:
    harness.twilio.post_ends.extend(["sent", "response_lost"])

    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert (harness.replies, harness.twilio.attached) == (["Our menu?", ""], [MENU])
    assert harness.twilio.uploads == {}


def test_a_takeover_during_the_upload_stops_the_file(harness: Harness) -> None:
    harness.twilio.after_upload = lambda: harness.conversations.take_over(CONVERSATION, index=9, at=harness.clock())

    result = harness.says("hi")

    assert (result.outcome, harness.replies) == ("fenced", ["Our menu?"])


def test_a_takeover_during_the_upload_stops_the_file_that_is_sent_again(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.twilio.post_ends.extend(["sent", "not_sent"])
    harness.deliver(*messages)
    harness.clock.move(seconds=31)
    harness.twilio.after_upload = lambda: harness.conversations.take_over(CONVERSATION, index=9, at=harness.clock())

    result = harness.deliver(*messages)

    assert (result.outcome, harness.replies) == ("fenced", ["Our menu?"])


def test_an_upload_that_twilio_refuses_ends_the_turn_with_a_human(harness: Harness) -> None:
    harness.twilio.upload_ends.append("refused")

    result = harness.says("hi")

    assert (result.outcome, result.cause, harness.item.owner) == ("refused", "twilio_20422", "human")


def test_a_file_that_is_gone_when_it_is_sent_ends_the_turn_with_a_human(harness: Harness, folder: Path) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    (folder / MENU.name).unlink()
    harness.clock.move(seconds=121)

    result = harness.deliver_until_it_ends(*messages)[-1]

    assert (result.outcome, result.cause, harness.item.owner) == ("refused", "file_gone", "human")
    assert harness.replies == ["Our menu?"]
    harness.agent.files = ()
    harness.says("again")
    assert ("mark", "The customer did not receive all of this reply.") in harness.history()


def test_no_upload_starts_with_too_little_lease_left_to_send_the_file(harness: Harness) -> None:
    left = MIN_LEASE_FOR_UPLOAD.total_seconds() - 1
    assert left > MIN_LEASE_FOR_SEND.total_seconds()
    harness.agent.while_thinking = lambda: harness.clock.move(seconds=60 - left)
    messages = harness.customer_writes("hi")

    harness.deliver(*messages)

    assert (harness.replies, harness.twilio.uploads) == (["Our menu?"], {})
    harness.deliver_until_it_ends(*messages)
    assert harness.twilio.attached == [MENU]


def test_no_post_starts_after_an_upload_that_took_too_long(harness: Harness) -> None:
    harness.twilio.after_upload = lambda: harness.clock.move(seconds=50)
    messages = harness.customer_writes("hi")

    harness.deliver(*messages)

    assert harness.replies == ["Our menu?"]
