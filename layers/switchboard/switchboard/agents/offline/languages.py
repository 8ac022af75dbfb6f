"""Spanish, German and French, as far as the offline model knows them: to say honestly that it knows English only."""

import re
from dataclasses import dataclass

from switchboard.agents.knowledge.stop_words import STOP_WORDS

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The little words that a text in a language has, the honest sentence, and how a customer accepts its offer."""

    words: frozenset[str]
    sentence: str
    agrees: re.Pattern[str]
    handed_off: str


def _language(*, words: str, sentence: str, yes: str, handed_off: str) -> Language:
    return Language(
        words=frozenset(words.split()),
        sentence=sentence,
        agrees=re.compile(rf"\W*(?:{yes})\b(?:\W+\w+){{0,3}}\W*", re.IGNORECASE),
        handed_off=handed_off,
    )


LANGUAGES = (
    _language(  # Spanish
        words="hola buenos buenas días dias tardes noches qué que cuál cual cuánto cuanto cuánta cuántos cuesta"
        " cuestan dónde donde cómo como cuándo cuando quién hay el la lo los las un una unos de del al en por"
        " para con sin y o pero está esta están estan es son soy tiene tienen tengo puedo puede pueden quiero"
        " quisiera necesito me mi mis se su sus hoy mañana abren abierto abierta cierran bicicleta hora horas"
        " gracias favor persona hablar",
        sentence="Lo siento, en esta demostración solo entiendo inglés. ¿Quiere que le atienda un colega?",
        yes="s[ií]|vale|claro|por favor",
        handed_off="De acuerdo. Un colega se hace cargo y le responderá aquí.",
    ),
    _language(  # German
        words="hallo guten tag morgen abend moin was wie wo wann wer welche welcher wieviel viel kostet kosten"
        " haben habt hat ist sind seid kann können könnt ich sie ihr wir mein meine meinen mir mich bei mit"
        " für von zu zum zur und oder aber der die das den dem ein eine einen einem auf am im an nicht auch"
        " noch heute geöffnet offen fahrrad rad gibt es bitte danke möchte brauche uhr reparieren",
        sentence="Entschuldigung, in dieser Demo verstehe ich nur Englisch. Soll ein Kollege helfen?",
        yes="ja|gerne?|bitte|klar",
        handed_off="Gern. Ein Kollege übernimmt und antwortet Ihnen hier.",
    ),
    _language(  # French
        words="bonjour bonsoir salut quel quelle quels quelles quoi que qui où quand comment combien pourquoi est"
        " sont êtes suis avez avoir ai a le la les l un une des du de d à au aux en dans sur avec sans et ou"
        " mais je j vous nous tu il elle on mon ma mes votre vos ce cette c s qu n ne pas plus peux peut puis"
        " pouvez voudrais veux aujourd hui demain ouvert ouverts ouvrez fermé fermez vélo vélos heure heures"
        " merci plaît coûte prix",
        sentence="Désolé, dans cette démo je ne comprends que l'anglais. Voulez-vous parler à un collègue ?",
        yes="oui|d'accord|volontiers|s'il vous pla[iî]t",
        handed_off="D'accord. Un collègue prend le relais et vous répondra ici.",
    ),
)


def language_of(text: str) -> Language | None:
    """Return the language that most words of a text are of; none where as many are English, or in doubt."""
    words = _WORD.findall(text.lower())
    best = max(LANGUAGES, key=lambda language: _share(language.words, words))
    share = _share(best.words, words)
    return best if share >= 1 / 2 and share > _share(STOP_WORDS, words) else None


def agreed_in(reply: str, last_reply: str) -> Language | None:
    """Return the language in which the customer accepts the offer that ends our last reply."""
    offered = (each for each in LANGUAGES if last_reply.endswith(each.sentence))
    return next((each for each in offered if each.agrees.fullmatch(reply)), None)


def _share(known: frozenset[str], words: list[str]) -> float:
    return sum(word in known for word in words) / len(words) if words else 0.0
