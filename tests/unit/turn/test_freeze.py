"""Freeze: the reply is stored, in parts, before it is sent."""

from dataclasses import replace

import pytest

from switchboard.channels.channel import Channel
from switchboard.content import Content
from switchboard.conversation import PendingReply, ReplyKind
from switchboard.disclosure import parse_disclosure
from switchboard.errors import Permanent
from switchboard.turn.context import Step
from switchboard.turn.timing import COMMIT_WINDOW
from tests.builders import sid, turn_settings
from tests.unit.turn.harness import Harness


def test_the_reply_is_stored_before_it_is_sent(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")

    harness.deliver_and_crash(message, after=Step.FREEZE)

    assert harness.twilio.post_count == 0
    assert harness.item.pending_reply == PendingReply(
        turn=harness.item.turn,
        kind=ReplyKind.ANSWER,
        covers=frozenset({message.index}),
        parts=("You said: hi",),
        send_attempts=(1,),
        ownership_epoch=0,
        frozen_at=harness.clock(),
        verify_not_before=harness.item.lease_until + COMMIT_WINDOW,
        channel=Channel.SMS,
    )
    assert harness.item.channel is Channel.SMS


def test_a_long_reply_is_sent_in_parts_and_in_order(harness: Harness) -> None:
    harness.agent.text = "word " * 700

    harness.deliver(*harness.customer_writes("tell me everything"))

    assert [len(part) <= 1600 for part in harness.replies] == [True, True, True]
    assert [part[:6] for part in harness.replies] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert " ".join(part[6:] for part in harness.replies) == ("word " * 700).strip()


@pytest.mark.parametrize(
    ("author", "body"),
    [
        ("+12025550110", "Read this: https://example.com/a_b"),
        ("whatsapp:+12025550110", "*Read* this: https://example.com/a_b"),
        ("messenger:1234", "Read this: https://example.com/a_b"),
        ("visitor-00000000000000000000000000000001", "**Read** [this](https://example.com/a_b)"),
    ],
)
def test_a_reply_is_what_the_customers_channel_shows(harness: Harness, author: str, body: str) -> None:
    harness.agent.text = "**Read** [this](https://example.com/a_b)"

    harness.deliver(*(replace(message, author=author) for message in harness.customer_writes("hi")))

    assert harness.replies == [body]


def test_the_fallback_sentence_passes_through_it_too(harness: Harness) -> None:
    harness.settings = turn_settings(fallback_sentence="**Sorry**, see <https://example.com/a_b>", disclosure="*Bot*.")
    harness.agent.errors = [Permanent("no")]

    harness.says("hi")

    assert harness.replies == ["Bot.\n\nSorry, see https://example.com/a_b"]


def test_the_assistant_is_shown_what_it_wrote_and_never_what_its_channel_made_of_it(harness: Harness) -> None:
    harness.agent.texts = ["**Read** this. " * 200]
    harness.says("one")

    harness.says("two")

    assert harness.history() == [("customer", "one"), ("assistant", ("**Read** this. " * 200).strip())]


def test_where_the_customer_uses_two_channels_both_can_read_it(harness: Harness) -> None:
    harness.says("one")
    harness.agent.texts = ["**two**"]

    harness.deliver(*(replace(m, author="whatsapp:+12025550110") for m in harness.customer_writes("again")))

    assert harness.replies[-1] == "two"
    assert harness.item.channel is Channel.SMS


@pytest.mark.parametrize(
    ("author", "text", "segments"),
    [
        ("+12025550110", "hi", 1),
        ("+12025550110", "word " * 700, 24),
        ("+12025550110", "\N{GRINNING FACE}" * 80, 3),
        ("whatsapp:+12025550110", "word " * 700, 0),
        ("visitor-00000000000000000000000000000001", "hi", 0),
    ],
)
def test_a_turn_tells_how_many_segments_its_sms_has(harness: Harness, author: str, text: str, segments: int) -> None:
    harness.agent.text = text

    result = harness.deliver(*(replace(message, author=author) for message in harness.customer_writes("hi")))

    assert result.cost
    assert result.cost.segments == segments


def test_what_twilio_did_not_take_costs_nothing(harness: Harness) -> None:
    harness.agent.text = "word " * 700
    harness.twilio.post_ends.extend(["sent", "refused"])

    result = harness.deliver(*harness.customer_writes("hi"))

    assert result.cost
    assert (result.outcome, result.cost.segments) == ("refused", 10)


@pytest.mark.parametrize(
    ("author", "is_sent"), [("whatsapp:+12025550110", True), ("+12025550110", False), (f"visitor-{'0' * 32}", False)]
)
def test_a_card_is_sent_where_there_are_cards_and_its_text_elsewhere(
    harness: Harness, author: str, *, is_sent: bool
) -> None:
    card = Content(sid=sid("HX", 1), variables={"1": "Anna"})
    harness.agent.text, harness.agent.content = "Yes or no?", card

    result = harness.deliver(*(replace(message, author=author) for message in harness.customer_writes("hi")))

    assert harness.replies == ["Yes or no?"]
    assert harness.twilio.contents == [card] * is_sent
    assert result.cost
    assert (result.cost.messages, result.cost.category) == (1, None)


def test_a_card_comes_after_the_disclosure_and_is_sent_again_as_a_card(harness: Harness) -> None:
    harness.settings = replace(turn_settings(), disclosure=parse_disclosure("I am a machine.", name="x"))
    harness.agent.text, harness.agent.content = "Yes or no?", Content(sid=sid("HX", 1))
    messages = [replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("hi")]
    harness.twilio.post_ends.extend(["sent", "not_sent"])

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == ["I am a machine.", "Yes or no?"]
    assert harness.twilio.contents == [harness.agent.content]


def test_a_link_beside_a_card_stands_in_a_text_before_it(harness: Harness) -> None:
    harness.agent.text, harness.agent.content = "Here is our menu.", Content(sid=sid("HX", 1))
    harness.agent.files = ("https://shop.example/menu",)

    harness.deliver(*(replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("hi")))

    assert harness.replies == ["https://shop.example/menu", "Here is our menu."]
    assert harness.twilio.contents == [harness.agent.content]
