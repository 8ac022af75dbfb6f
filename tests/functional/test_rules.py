"""What gets no answer, through the whole local stack: machines that answer each reply, reactions, mere thanks."""

from functools import partial

import pytest

from tests.stacks import Phone, Running
from tests.waiting import wait_until

QUESTION = "When are you open on Saturday?"


def replies_to(stack: Running, phone: Phone, *texts: str) -> int:
    """Send each text once the one before it was dealt with, and return how many replies came."""
    before = len(phone.inbox())
    for text in texts:
        sent = phone.text(text)
        wait_until(partial(is_recorded, stack, sent), what="a turn's record")
        wait_until(lambda: stack.queued() == 0)
    return len(phone.inbox()) - before


def is_recorded(stack: Running, sent: dict[str, str]) -> bool:
    return any(
        {"S": sent["message_sid"]} in turn["message_sids"]["L"] for turn in stack.turns(sent["conversation_sid"])
    )


def rules(stack: Running, phone: Phone) -> list[str]:
    """Return the rules by which the customer's messages got no answer, in order, empty where they got one."""
    conversation_sid = phone.text("hi again")["conversation_sid"]
    return [turn["rule"]["S"] for turn in stack.turns(conversation_sid)]


@pytest.mark.parametrize(
    ("number", "text"),
    [("+12025550150", "I am driving - Sent from My Car"), ("+12025550151", "Auto-reply #{}: I am away until 10:0{}")],
    ids=["the same text", "a running number"],
)
def test_an_autoresponder_gets_at_most_five_replies_and_then_silence(stack: Running, number: str, text: str) -> None:
    phone = stack.phone(number)

    replies = replies_to(stack, phone, QUESTION, *(text.format(n, n) for n in range(8)))

    assert replies == 4
    assert rules(stack, phone)[:9] == [""] * 4 + ["loop"] * 5


def test_tapbacks_get_no_reply_and_a_text_after_them_does(stack: Running) -> None:
    phone = stack.phone("+12025550152")
    replies_to(stack, phone, QUESTION)
    (reply,) = phone.inbox()

    tapbacks = replies_to(
        stack,
        phone,
        f"Liked “{reply['body']}”",
        f"Hat „{reply['body']}“ mit „Gefällt mir“ markiert",
        f"a attribué la mention « Adore » à « {reply['body']} »",
        f"Reaccionó con 😂 a “{reply['body'][:20]}…”",
        "Removed a like from an image",
        "👍🏽",
    )

    assert tapbacks == 0
    assert replies_to(stack, phone, "Liked your shop. Do you ship to Canada?") == 1


@pytest.mark.parametrize("answers", [["2", "3", "1", "4"], ["2"] * 5])
def test_a_menu_gets_every_answer(stack: Running, answers: list[str]) -> None:
    phone = stack.phone(f"+120255501{53 + len(answers)}")

    assert replies_to(stack, phone, *answers) == len(answers)


def test_mere_thanks_get_no_reply(stack: Running) -> None:
    phone = stack.phone("+12025550156")

    assert replies_to(stack, phone, QUESTION, "Thanks a lot!") == 1
    assert rules(stack, phone)[:2] == ["", "no_reply"]
