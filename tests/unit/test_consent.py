"""By which words a customer opts out, opts in and asks for help, and what is known after them in any order."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from switchboard.channels.segments import count_segments
from switchboard.consent import (
    Consent,
    ConsentChange,
    ConsentWord,
    consent_said,
    is_answered_by_twilio,
    language_of_word,
    opts_out,
    read_consent_word,
)
from switchboard.consent_sentences import HELP, OPT_IN, OPT_OUT, ConsentSentences, parse_help
from switchboard.errors import Misconfigured
from switchboard.languages import Language
from switchboard.media import Media
from tests.builders import NOON, message_added

TWILIOS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")


@pytest.mark.parametrize(
    "text",
    [
        *TWILIOS,
        *(
            "stop",
            "Stop.",
            "STOP!!!",
            " stop\n",
            "“STOP”",
            "stop 🛑",
            "Stop, please",
            "please stop",
            "STOP ALL",
            "opt-out",
        ),
        *("Please stop texting me", "stop messaging us now", "Don\u2019t text me anymore", "do not contact me again"),
        *("Never write to me", "stop sending me these texts", "I don't want any more messages", "unsubscribe me"),
        *("Take me off your list.", "no more messages please", "leave me alone!", "Remove me from this list"),
        *("I don't want to receive any more texts from you", "I want to stop getting these messages", "Stop texts"),
        *("Hören Sie auf!", "STOP SMS", "Não quero mais receber mensagens"),
        *("STOPP", "Abmelden", "Bitte keine Nachrichten mehr!", "Schreiben Sie mir nicht mehr"),
        *("BAJA", "No me escriban más, por favor", "quiero darme de baja", "No más mensajes"),
        *("ARRÊT", "arret", "s'il vous plaît arrêtez", "Ne m'écrivez plus", "Désabonnez-moi"),
        *("PARAR", "Não quero mais mensagens", "pare de me escrever"),
        *("Disiscrivimi", "Non scrivermi più", "basta messaggi, grazie", "BASTA"),
        *("\uff33\uff34\uff2f\uff30", "ARRE\u0302T"),  # full width; an accent of its own
    ],
)
def test_an_opt_out_is_read_in_any_case_and_politeness_in_six_languages(text: str) -> None:
    assert read_consent_word(text) is ConsentWord.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        *("STOP 12345", "we have got to STOP this bill", "Can I stop by tomorrow?", "cancel my order", "the end"),
        *("When does the sale end?", "How do I quit the club?", "stop texting while driving", "stopwatch", "S T O P"),
        *("don't text me before 9 am", "please stop the delivery", "", "   ", "!!!", "🛑", "no", "yes", "STOP " * 40),
        *("Cancel, please", "Thanks, end", "Basta, grazie", "No más, gracias", "quit it please", "don't text me now"),
        *("Plus de messages", "Remover", "Annulla", "Salir", "Dar de baja"),
        *("Bus stop?", "Ich möchte ein Fahrrad abmelden lassen", "¿Dónde está la parada?", "l'arrêt de bus"),
    ],
)
def test_words_beside_it_make_it_none(text: str) -> None:
    assert read_consent_word(text) is None


@pytest.mark.parametrize("text", ["START", "unstop", "Subscribe", "start, please", "empezar", "Démarrer", "iniciar"])
def test_an_opt_in_is_read(text: str) -> None:
    assert read_consent_word(text) is ConsentWord.OPT_IN


@pytest.mark.parametrize("text", ["HELP", "info", "Help!", "Hilfe", "ayuda por favor", "aide", "AJUDA", "aiuto"])
def test_a_call_for_help_is_read(text: str) -> None:
    assert read_consent_word(text) is ConsentWord.HELP


def test_yes_takes_back_by_sms_what_twilio_knows_of_and_nothing_else() -> None:
    by_sms, by_whatsapp = message_added(body="Yes"), message_added(body="Yes", author="whatsapp:+12025550110")

    assert consent_said(by_sms, Consent(opted_out=True, by_twilio=True)) is ConsentWord.OPT_IN
    assert consent_said(by_sms, Consent(opted_out=True)) is None  # it answers our confirmation
    assert consent_said(by_sms, Consent(by_twilio=True)) is None
    assert consent_said(by_whatsapp, Consent(opted_out=True, by_twilio=True)) is None


def test_a_file_beside_the_word_makes_it_none() -> None:
    assert not opts_out(replace(message_added(body="STOP"), media=(Media(content_type="image/png"),)))
    assert opts_out(message_added(body="STOP"))


@pytest.mark.parametrize(
    ("body", "author", "answers"),
    [
        *((word, "+12025550110", True) for word in TWILIOS),
        *((word, "+12025550110", True) for word in (" stop ", "START", "unstop", "HELP", "info")),
        *((word, "+12025550110", False) for word in ("STOP please", "stop!", "STOPP", "Stop texting me", "Hilfe")),
        *((word, "whatsapp:+12025550110", False) for word in ("STOP", "START", "HELP")),
        *((word, "visitor-" + "0" * 32, False) for word in ("STOP", "START", "HELP")),
        ("STOP", "messenger:1", False),
    ],
)
def test_twilio_answers_its_own_keywords_by_themselves_on_sms(body: str, author: str, *, answers: bool) -> None:
    assert is_answered_by_twilio(message_added(body=body, author=author)) is answers


def test_each_sentence_of_ours_is_one_sms_segment_and_is_in_each_language() -> None:
    for sentences in (OPT_OUT, OPT_IN, HELP):
        assert sentences.keys() == set(Language)
        for sentence in sentences.values():
            assert count_segments(sentence) == 1, sentence


def test_a_sentence_is_in_the_language_of_the_word_or_of_the_texts_else_in_english() -> None:
    sentences = ConsentSentences()

    assert sentences.sentence(ConsentWord.OPT_OUT, ["When are you open?", "ABMELDEN"]) == OPT_OUT[Language.GERMAN]
    assert sentences.sentence(ConsentWord.OPT_OUT, ["Wann haben Sie geöffnet?", "STOP"]) == OPT_OUT[Language.GERMAN]
    assert sentences.sentence(ConsentWord.OPT_IN, ["START"]) == OPT_IN[Language.ENGLISH]
    assert sentences.sentence(ConsentWord.OPT_OUT, []) == OPT_OUT[Language.ENGLISH]
    assert (
        language_of_word("STOP") == language_of_word("Cancelar") == language_of_word("BASTA") == ""
    )  # of two languages


def test_the_help_sentence_is_ours_or_the_teams_or_left_to_the_assistant() -> None:
    own = "Call +1 202 555 0142, please."

    assert parse_help("on", name="it").help is HELP
    assert parse_help("off", name="it").help == {}
    assert parse_help(own, name="it").sentence(ConsentWord.HELP, ["Hilfe"]) == own
    with pytest.raises(Misconfigured, match=r"^it is 'true': it must be on, off, or a sentence"):
        parse_help("true", name="it")


def word(index: int | None, *, opted_out: bool, seconds: int = 0) -> ConsentChange:
    return ConsentChange(opted_out=opted_out, at=NOON + timedelta(seconds=seconds), index=index)


@pytest.mark.parametrize("said", [*itertools.product([True, False], repeat=4)])
def test_what_holds_is_the_last_word_in_whatever_order_words_are_told(said: tuple[bool, ...]) -> None:
    words = [word(index, opted_out=opted_out, seconds=index) for index, opted_out in enumerate(said)]

    for order in itertools.permutations([*words, words[1]]):
        consent = Consent()
        for each in order:
            consent = consent.after(each)
        assert (consent.opted_out, consent.index) == (said[-1], 3), order


def test_an_opt_out_that_comes_after_what_takes_it_back_ends_what_was_written_between() -> None:
    started = Consent().after(word(4, opted_out=False))
    late = started.after(word(2, opted_out=True))

    assert (started.opted_out, started.changed_by) == (False, -1)
    assert (late.opted_out, late.changed_by) == (False, 4)
    assert late.differs_from(started)
    assert late.after(word(2, opted_out=True)) == late


def test_what_the_carrier_tells_holds_unless_a_newer_word_took_it_back() -> None:
    back_in = Consent().after(word(2, opted_out=True)).after(word(3, opted_out=False, seconds=9))

    assert not back_in.after(word(None, opted_out=True, seconds=5)).opted_out
    assert back_in.after(word(None, opted_out=True, seconds=10)).opted_out
    assert back_in.after(word(None, opted_out=True, seconds=10)).changed_by == -1
