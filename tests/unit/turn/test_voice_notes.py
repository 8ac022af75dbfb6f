"""Nothing but voice notes: nobody has listened to them, and the customer reads that."""

from dataclasses import replace

import pytest

from switchboard.events import MessageAdded, Owner
from switchboard.media import Media
from tests.builders import turn_settings
from tests.unit.turn.harness import Harness
from tests.unit.turn.test_history import set_owner

SENTENCE = "I cannot listen. Please write."
NOTE = ("audio/ogg",)


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    harness.settings = turn_settings(voice_note_sentence=SENTENCE)
    return harness


def sends(harness: Harness, *media: str, body: str = "") -> MessageAdded:
    (message,) = harness.customer_writes(body)
    return replace(message, media=tuple(Media(content_type=each, size=12_232) for each in media))


def test_a_voice_note_is_answered_with_the_sentence_and_the_agent_is_not_asked(harness: Harness) -> None:
    harness.deliver(sends(harness, *NOTE))

    assert harness.replies == [SENTENCE]
    assert harness.agent.questions == []


def test_several_at_once_are_answered_once(harness: Harness) -> None:
    harness.deliver(sends(harness, *NOTE), sends(harness, "audio/amr", "audio/mp4; codecs=mp4a"))

    assert harness.replies == [SENTENCE]


@pytest.mark.parametrize(
    ("media", "body"), [(NOTE, "listen to this"), (("audio/ogg", "image/png"), ""), (("image/png",), ""), ((), "  ")]
)
def test_with_words_or_another_file_the_agent_is_asked(harness: Harness, media: tuple[str, ...], body: str) -> None:
    harness.deliver(sends(harness, *media, body=body))

    assert len(harness.agent.questions) == 1


def test_a_text_that_waits_beside_a_voice_note_is_answered_by_the_agent(harness: Harness) -> None:
    harness.deliver(sends(harness, *NOTE), *harness.customer_writes("When do you open?"))

    (question,) = harness.agent.questions
    assert question.messages == ("[voice message: audio/ogg, 12 KB]", "When do you open?")


def test_without_a_sentence_the_agent_is_asked() -> None:
    harness = Harness()

    harness.deliver(sends(harness, *NOTE))

    assert harness.replies == ["You said: [voice message: audio/ogg, 12 KB]"]


def test_a_human_who_owns_the_conversation_listens_themselves(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    set_owner(harness, Owner.HUMAN)

    harness.deliver(sends(harness, *NOTE))

    assert harness.replies == ["You said: one"]


def test_the_history_shows_the_note_and_what_was_said_to_it(harness: Harness) -> None:
    harness.deliver(sends(harness, *NOTE))

    harness.deliver(*harness.customer_writes("When do you open?"))

    assert harness.history() == [("customer", "[voice message: audio/ogg, 12 KB]"), ("assistant", SENTENCE)]
