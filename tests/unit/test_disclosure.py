"""The setting `DisclosureSentence`, and the sentences of ours."""

import pytest

from switchboard.answer_settings import AnswerSettings
from switchboard.channels.split import MAX_PART_CHARACTERS
from switchboard.disclosure import SENTENCES, parse_disclosure
from switchboard.errors import Misconfigured
from switchboard.languages import MAX_SENTENCE_CHARACTERS, Language
from switchboard.reactions import asks

GSM_7 = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,'-?!()éèàìòùäöüñß")


@pytest.mark.parametrize("on", ["on", "ON", " on "])
def test_on_is_ours_in_the_language_of_the_customer(on: str) -> None:
    disclosure = parse_disclosure(on, name="it")

    assert disclosure.sentence(["Hallo", "wann haben Sie geöffnet?"]) == SENTENCES[Language.GERMAN]
    assert disclosure.sentence([]) == disclosure.sentence(["12"]) == SENTENCES[Language.ENGLISH]


@pytest.mark.parametrize("off", ["", " ", "off", "Off"])
def test_off_or_nothing_is_none(off: str) -> None:
    assert parse_disclosure(off, name="it").sentence(["Hallo, wann haben Sie geöffnet?"]) == ""


@pytest.mark.parametrize("text", ["hi", "Hallo, wann haben Sie geöffnet?", "你好"])
def test_a_sentence_of_your_own_is_for_every_language(text: str) -> None:
    assert parse_disclosure(" Robo answers: a machine.\n", name="it").sentence([text]) == "Robo answers: a machine."
    assert parse_disclosure("由人工智能助理回复。", name="it").sentence([text]) == "由人工智能助理回复。"


@pytest.mark.parametrize("wrong", ["true", "false", "no", "None", "0", "x" * (MAX_SENTENCE_CHARACTERS + 1) + " y"])
def test_a_word_or_a_page_is_no_sentence(wrong: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^it is '.*': it must be on, off, or a sentence of at most 500 characters"
    ):
        parse_disclosure(wrong, name="it")


def test_a_web_process_is_told_that_its_sentence_is_none() -> None:
    with pytest.raises(Misconfigured, match=r"^disclosure_sentence is 'true'"):
        AnswerSettings(disclosure_sentence="true").for_turns()


@pytest.mark.parametrize("language", Language)
def test_ours_is_there_for_each_language_asks_nothing_and_makes_no_text_dearer(language: Language) -> None:
    sentence = SENTENCES[language]

    assert not asks(sentence), "a reaction to the reply would be taken for an answer"
    assert set(sentence) <= GSM_7, "in other letters an SMS segment has 70 characters, not 160"
    assert len(sentence) <= 60


def test_the_longest_sentence_leaves_room_in_the_first_part() -> None:
    assert MAX_SENTENCE_CHARACTERS + len("\n\n") <= MAX_PART_CHARACTERS // 2, (
        "a reply is cut behind the middle of a part"
    )
