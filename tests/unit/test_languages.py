"""Which language a customer's text is in: six are known, and in doubt none is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.languages import Language, language_of

TEXTS = {
    Language.ENGLISH: """
        Hello!
        When are you open on Saturday?
        my order never arrived
        Can I speak to a person please
        you charged me twice
        is the store open now
    """,
    Language.GERMAN: """
        Hallo
        Guten Tag, wann haben Sie geöffnet?
        Wo ist meine Bestellung?
        Ich möchte mein Fahrrad reparieren lassen
        Mein Paket ist nicht angekommen
        rechnung falsch
        Könnt ihr mir helfen
        Die Ware kam beschädigt an
    """,
    Language.SPANISH: """
        Buenos días
        ¿A qué hora abren mañana?
        Hola, me gustaría saber si mi pedido ya salió
        Cuanto cuesta el envio a Madrid
        quiero hablar con una persona
        ¿Hay descuento para estudiantes?
        el repartidor no vino
        mi numero de pedido es 4711
    """,
    Language.FRENCH: """
        Bonjour
        Vous êtes ouverts le dimanche ?
        Où est ma commande ?
        A quelle heure ouvrez vous demain
        Je voudrais parler à quelqu'un
        On m'a débité deux fois
        Ça ne marche pas
        svp quel est le prix
    """,
    Language.PORTUGUESE: """
        Oi
        Bom dia
        Vocês abrem aos domingos?
        Onde está o meu pedido?
        Quero falar com um atendente
        Posso pagar com cartão?
        O entregador não apareceu
        Quanto custa a entrega?
    """,
    Language.ITALIAN: """
        Ciao
        Siete aperti la domenica?
        Quanto costa la spedizione?
        Vorrei parlare con una persona
        Dov'è il mio ordine?
        la mia bici è rotta
        Potete richiamarmi?
        Il corriere non è passato
    """,
}
OTHERS = """
    ok
    12345
    👍
    https://www.example.com/de/das/ist/nicht
    kim.nicht.hier@example.com
    Здравствуйте, вы открыты?
    こんにちは
    Missä tilaukseni on?
    Dzień dobry, czy jesteście otwarci?
    Hej, har ni öppet idag?
    Ik wil graag een fiets huren voor morgen
    Hvor er min pakke?
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language in Language for text in lines(TEXTS[language])]
)
def test_a_short_text_tells_its_language(language: Language, text: str) -> None:
    assert language_of(text) is language
    assert language_of(text.upper()) is language


@pytest.mark.parametrize("text", ["", *lines(OTHERS)])
def test_another_language_or_no_words_are_none(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize("text", ["no", "la", "am I on?", "de"])
def test_what_several_languages_have_is_never_taken_for_one_that_is_not_english(text: str) -> None:
    assert language_of(text) in {None, Language.ENGLISH}


@given(st.text())
def test_any_text_has_a_language_or_none(text: str) -> None:
    assert language_of(text) in {None, *Language}
