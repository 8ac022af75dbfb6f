"""Loops: two machines that answer each other are stopped after a few texts, and people are not."""

from datetime import timedelta

import pytest

from switchboard.conversation import OwnerReason
from switchboard.errors import Permanent
from switchboard.events import Owner
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, message_added, sid, turn_settings
from tests.unit.turn.harness import Harness

DRIVING = "I am driving - Sent from My Car"
MINUTE = 60


def answered(harness: Harness, *bodies: str) -> int:
    """Let the customer write each text two seconds after our last reply; return how many were answered."""
    return sum(harness.says(body).outcome == "answered" for body in bodies)


@pytest.mark.parametrize(
    "texts",
    [
        [DRIVING] * 30,
        [f"Auto-reply #{number}: I am away at the moment" for number in range(30)],
        [f"It is 2026-03-02 12:{number:02}:07 and I am out of office. Ticket A{number}7F" for number in range(30)],
        [
            f"{'  ' * number}I AM driving,  back soon" if number % 2 else "i am driving, back soon"
            for number in range(30)
        ],
    ],
    ids=["the same text", "with a running number", "with the time and a ticket", "in other letters"],
)
def test_an_autoresponder_gets_a_few_replies_and_then_silence(harness: Harness, texts: list[str]) -> None:
    harness.says("hi")

    replies = answered(harness, *texts)

    assert replies == 3
    assert (harness.records[-1].outcome, harness.records[-1].rule) == ("refused", "loop")
    assert harness.item.owner is Owner.ASSISTANT


@pytest.mark.parametrize(
    "texts",
    [
        ["2", "3", "1", "4", "2", "3"],
        ["yes"] * 5,
        ["Yes, please."] * 6,
        [f"{number}2025550110-{number}-4711-0815" for number in range(6)],
        [f"My {what} makes a strange noise" for what in ("chain", "brake", "saddle", "light", "bell", "pedal")],
    ],
    ids=["a menu", "yes", "a short text", "only numbers", "different texts"],
)
def test_a_person_gets_every_answer(harness: Harness, texts: list[str]) -> None:
    harness.says("hi")

    assert answered(harness, *texts) == len(texts)


def test_a_text_that_is_repeated_after_more_than_a_minute_is_a_persons(harness: Harness) -> None:
    for _ in range(9):
        harness.clock.move(seconds=MINUTE)

        assert harness.says(DRIVING).outcome == "answered"


def test_a_text_counts_within_ten_minutes(harness: Harness) -> None:
    harness.says("hi")
    for _ in range(5):
        assert answered(harness, DRIVING) == 1

        harness.clock.move(seconds=4 * MINUTE)
        harness.says("hi again")


def test_what_machines_say_is_not_kept(harness: Harness) -> None:
    harness.says("hi")
    answered(harness, DRIVING, DRIVING)

    assert "driving" not in repr(harness.item).lower()


def test_the_same_text_is_kept_as_something_else_in_each_conversation(harness: Harness) -> None:
    kept: list[frozenset[str]] = []
    for conversation_sid in (CONVERSATION, sid("CH", 2)):
        for index, body in ((0, "hi"), (2, DRIVING)):
            harness.clock.move(seconds=2)
            message = message_added(conversation_sid=conversation_sid, index=index, body=body, at=harness.clock())
            harness.twilio.add(message)
            harness.deliver(message)
        kept.append(harness.conversations.items[conversation_sid].recent_replies[-1].texts)

    assert [len(texts) for texts in kept] == [1, 1]
    assert not kept[0] & kept[1]


def test_during_the_pause_a_person_who_says_something_else_is_answered(harness: Harness) -> None:
    harness.says("hi")
    answered(harness, *[DRIVING] * 4)

    assert harness.says("I have arrived. When do you close?").outcome == "answered"
    assert harness.says(DRIVING).cause == "loop"
    assert harness.says(DRIVING, "When do you close?").outcome == "answered"


def test_the_pause_is_ten_minutes_and_doubles(harness: Harness) -> None:
    pauses = []
    for _ in range(3):
        harness.says("hi")
        answered(harness, *[DRIVING] * 4)
        begun = harness.clock()
        while harness.says(DRIVING).cause == "loop":
            harness.clock.move(seconds=28)
        pauses.append((harness.clock() - begun) // timedelta(minutes=10))

    assert pauses == [1, 2, 4]


def test_a_day_later_a_pause_is_ten_minutes_again(harness: Harness) -> None:
    for _ in range(2):
        harness.says("hi")
        answered(harness, *[DRIVING] * 4)
        harness.clock.move(seconds=25 * 60 * MINUTE)

    assert harness.item.loop_pause
    assert harness.item.loop_pause.times == 1


def test_two_machines_that_say_something_else_each_time_are_stopped_too(harness: Harness) -> None:
    harness.settings = turn_settings(turns_per_ten_minutes=20)
    texts = ["".join(chr(97 + int(digit)) for digit in f"{number:04}") * 8 for number in range(60)]

    replies = answered(harness, *texts)

    assert replies == 20
    assert harness.says("Is anybody there?").cause == "loop"


def test_after_the_pause_a_conversation_of_many_turns_goes_on(harness: Harness) -> None:
    harness.settings = turn_settings(turns_per_ten_minutes=5)
    assert answered(harness, *map(str, range(9))) == 5

    harness.clock.move(seconds=10 * MINUTE)

    assert harness.says("hello").outcome == "answered"


def test_many_turns_in_more_than_ten_minutes_are_a_conversation(harness: Harness) -> None:
    harness.settings = turn_settings(turns_per_ten_minutes=5)

    for number in range(20):
        harness.clock.move(seconds=2 * MINUTE)
        assert harness.says(str(number)).outcome == "answered"


def test_a_turn_that_is_tried_again_counts_once(harness: Harness) -> None:
    harness.settings = turn_settings(turns_per_ten_minutes=3)
    for number in range(3):
        messages = harness.customer_writes(str(number))
        for step in (Step.THINK, Step.SEND, Step.RECORD):
            harness.deliver_and_crash(*messages, after=step)
            harness.clock.move(seconds=91)
        harness.deliver(*messages)

    assert len(harness.item.recent_replies) == 3


def test_a_machine_that_answers_while_its_turn_is_finished_by_another_worker_is_noticed(harness: Harness) -> None:
    harness.says("hi")
    messages = harness.customer_writes(DRIVING)
    for _ in range(3):
        harness.deliver_and_crash(*messages, after=Step.SEND)
        harness.clock.move(seconds=1)
        next_messages = harness.customer_writes(DRIVING)
        harness.clock.move(seconds=121)
        assert harness.deliver(*messages).outcome == "answered"
        harness.clock.move(seconds=65)  # the next reply is more than a minute after this settle
        messages = next_messages

    assert harness.deliver(*messages).cause == "loop"


def test_a_hand_back_ends_the_pause(harness: Harness) -> None:
    harness.says("hi")
    answered(harness, *[DRIVING] * 4)
    harness.clock.move(seconds=1)
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    assert harness.says(DRIVING).outcome == "answered"


def test_a_loop_ends_no_failure(harness: Harness) -> None:
    harness.says("hi")
    answered(harness, *[DRIVING] * 2)
    harness.agent.errors = [Permanent("a bug")]
    harness.says(DRIVING)

    assert harness.says(DRIVING).cause == "loop"
    assert harness.item.owner_reason is OwnerReason.FAILURE


def test_what_the_item_keeps_of_a_busy_conversation_is_bounded(harness: Harness) -> None:
    harness.settings = turn_settings(turns_per_ten_minutes=1000)
    for number in range(150):
        harness.says(*(f"a text of at least twenty characters {chr(97 + n)} {chr(97 + number % 26)}" for n in range(9)))

    assert len(harness.item.recent_replies) == 100
    assert max(len(reply.texts) for reply in harness.item.recent_replies) == 4
