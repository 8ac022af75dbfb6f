"""The first text of a conversation begins with the disclosure, whoever says it, and no other text does."""

import pytest

from switchboard.budgets import Budget
from switchboard.conversation import UNIX_EPOCH
from switchboard.disclosure import SENTENCES
from switchboard.errors import Permanent
from switchboard.languages import Language
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, FALLBACK, from_human, turn_settings
from tests.unit.turn.harness import Harness

MACHINE = "I am a machine."


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    harness.settings = turn_settings(disclosure=MACHINE)
    return harness


def disclosed(text: str) -> str:
    return f"{MACHINE}\n\n{text}"


def test_the_first_answer_begins_with_it_and_the_next_does_not(harness: Harness) -> None:
    harness.says("one")
    harness.says("two")

    assert harness.replies == [disclosed("You said: one"), "You said: two"]


def test_the_freeze_notes_it_in_its_own_write(harness: Harness) -> None:
    harness.deliver_and_crash(*harness.customer_writes("hi"), after=Step.FREEZE)

    assert harness.item.pending_reply is not None
    assert harness.item.pending_reply.parts == (disclosed("You said: hi"),)
    assert harness.item.disclosed_at == harness.item.pending_reply.frozen_at


def test_a_handoff_begins_with_it(harness: Harness) -> None:
    harness.agent.handoff = True

    harness.says("one")

    assert harness.replies == [disclosed("You said: one")]


def test_the_fallback_sentence_begins_with_it(harness: Harness) -> None:
    harness.agent.errors.append(Permanent("a bug"))

    harness.says("one")
    harness.says("two")

    assert harness.replies == [disclosed(FALLBACK), "You said: two"]


def test_the_limit_sentence_begins_with_it(harness: Harness) -> None:
    used_up = Budget(turns_by_customer=0, turns_by_all=1_000, sentence="Enough for today.")
    harness.settings = turn_settings(disclosure=MACHINE, budget=used_up)

    harness.says("one")
    harness.says("two")

    assert harness.replies == [disclosed("Enough for today.")]


def test_a_turn_that_says_nothing_leaves_it_to_the_next(harness: Harness) -> None:
    harness.agent.no_reply = True
    harness.says("thanks")
    harness.agent.no_reply = False

    harness.says("one")

    assert harness.replies == [disclosed("You said: one")]


def test_a_second_failure_which_says_nothing_does_not_count(harness: Harness) -> None:
    harness.twilio.post_ends.append("refused")
    harness.agent.errors += [Permanent("a bug"), Permanent("a bug")]
    harness.says("one")
    harness.says("two")

    harness.says("three")

    assert harness.replies == [disclosed("You said: three")]


def test_a_humans_words_before_it_do_not_count(harness: Harness) -> None:
    human = from_human(index=0)
    harness.twilio.add(human)
    harness.conversations.take_over(CONVERSATION, index=0, at=human.at)
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.says("one")

    assert harness.replies == [disclosed("You said: one")]


def test_a_reply_that_twilio_refuses_does_not_count(harness: Harness) -> None:
    harness.twilio.post_ends.append("refused")
    harness.says("one")
    assert harness.item.disclosed_at == UNIX_EPOCH

    harness.says("two")

    assert harness.replies == [disclosed("You said: two")]


def test_a_reply_that_expired_does_not_count(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.twilio.post_ends.extend(["not_sent"] * 200)
    assert harness.deliver_until_it_ends(*messages)[-1].outcome == "expired"
    harness.twilio.post_ends.clear()

    harness.says("two")

    assert harness.replies == [disclosed("You said: two")]


def test_a_reply_that_a_human_made_void_before_it_was_sent_does_not_count(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.clock.move(seconds=91)
    human = from_human(index=1, at=harness.clock())
    harness.twilio.add(human)
    harness.conversations.take_over(CONVERSATION, index=1, at=human.at)
    assert harness.deliver(*messages).outcome == "void"
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.says("two")

    assert harness.replies == [disclosed("You said: two")]


def test_a_reply_whose_first_part_was_sent_before_a_human_made_it_void_counts(harness: Harness) -> None:
    harness.agent.text = "word " * 700
    messages = harness.customer_writes("one")
    harness.deliver_and_crash(*messages, after=Step.SEND)
    harness.clock.move(seconds=91)
    human = from_human(index=2, at=harness.clock())
    harness.twilio.add(human)
    harness.conversations.take_over(CONVERSATION, index=2, at=human.at)
    assert harness.deliver(*messages).outcome == "void"
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.agent.text = ""

    harness.says("two")

    assert [MACHINE in text for text in harness.replies] == [True, False]


def test_a_reply_that_nobody_is_sure_of_counts(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.twilio.post_ends.extend(["request_lost"] * 100)
    assert harness.deliver_until_it_ends(*messages)[-1].outcome == "unsure"
    harness.twilio.post_ends.clear()

    harness.says("two")

    assert harness.replies == ["You said: two"]


def test_a_resend_says_what_was_frozen(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.twilio.post_ends.append("request_lost")
    harness.deliver(*messages)
    harness.settings = turn_settings(disclosure="Another sentence.")
    harness.clock.move(seconds=91)

    harness.deliver(*messages)

    assert harness.replies == [disclosed("You said: one")]


def test_where_it_is_off_no_text_has_it_until_it_is_on(harness: Harness) -> None:
    harness.settings = turn_settings(disclosure="off")
    harness.says("one")
    assert harness.item.disclosed_at == UNIX_EPOCH
    harness.settings = turn_settings(disclosure=MACHINE)

    harness.says("two")
    harness.says("three")

    assert harness.replies == ["You said: one", disclosed("You said: two"), "You said: three"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("When are you open on Saturday?", Language.ENGLISH),
        ("Wann haben Sie am Samstag geöffnet?", Language.GERMAN),
        ("¿A qué hora abren el sábado?", Language.SPANISH),
        ("Vous êtes ouverts le samedi ?", Language.FRENCH),
        ("Vocês abrem aos sábados?", Language.PORTUGUESE),
        ("Siete aperti il sabato?", Language.ITALIAN),
        ("Czy jesteście otwarci w sobotę?", Language.ENGLISH),
    ],
)
def test_ours_is_in_the_customers_language_or_in_english(harness: Harness, text: str, language: Language) -> None:
    harness.settings = turn_settings(disclosure="on")
    harness.agent.text = "Yes."

    harness.says(text)

    assert harness.replies == [f"{SENTENCES[language]}\n\nYes."]


def test_a_long_answer_is_split_behind_it(harness: Harness) -> None:
    harness.agent.texts = ["word " * 700]

    harness.says("tell me everything")

    assert [len(part) <= 1600 for part in harness.replies] == [True, True, True]
    assert " ".join(part.removeprefix(f"({number}/3) ") for number, part in enumerate(harness.replies, start=1)) == (
        disclosed("word " * 700).strip()
    )


def test_the_history_shows_what_the_customer_has_read(harness: Harness) -> None:
    harness.says("one")
    harness.says("two")

    assert harness.history() == [("customer", "one"), ("assistant", disclosed("You said: one"))]
