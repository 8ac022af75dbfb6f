"""What the offline model says in five languages: honestly, that it knows English only; it offers a colleague."""

import re
from dataclasses import dataclass

from switchboard.languages import Language, language_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Apology:
    """The honest sentence in a language, the pattern of how a customer accepts its offer, and what they read then."""

    sentence: str
    agrees: str
    handed_off: str


def _apology(sentence: str, *, yes: str, handed_off: str) -> Apology:
    agrees = rf"(?i)\W*(?:{yes})\b(?:\W+\w+){{0,3}}\W*"
    return Apology(sentence=sentence, agrees=agrees, handed_off=handed_off)


APOLOGIES = {
    Language.SPANISH: _apology(
        "Lo siento, en esta demostración solo entiendo inglés. ¿Quiere que le atienda un colega?",
        yes="s[ií]|vale|claro|por favor",
        handed_off="De acuerdo. Un colega se hace cargo y le responderá aquí.",
    ),
    Language.GERMAN: _apology(
        "Entschuldigung, in dieser Demo verstehe ich nur Englisch. Soll ein Kollege helfen?",
        yes="ja|gerne?|bitte|klar",
        handed_off="Gern. Ein Kollege übernimmt und antwortet Ihnen hier.",
    ),
    Language.FRENCH: _apology(
        "Désolé, dans cette démo je ne comprends que l'anglais. Voulez-vous parler à un collègue ?",
        yes="oui|d'accord|volontiers|s'il vous pla[iî]t",
        handed_off="D'accord. Un collègue prend le relais et vous répondra ici.",
    ),
    Language.PORTUGUESE: _apology(
        "Desculpe, nesta demonstração só entendo inglês. Quer falar com um colega?",
        yes="sim|claro|quero|por favor",
        handed_off="De acordo. Um colega assume e responde aqui.",
    ),
    Language.ITALIAN: _apology(
        "Mi dispiace, in questa demo capisco solo l'inglese. Vuole parlare con un collega?",
        yes="s[iì]|certo|volentieri|per favore",
        handed_off="D'accordo. Un collega la segue e le risponde qui.",
    ),
}


def apology_for(text: str) -> Apology | None:
    """Return the apology in the language of a text; none where it is English, or in doubt."""
    language = language_of(text)
    return APOLOGIES.get(language) if language else None


def agreed_in(reply: str, last_reply: str) -> Apology | None:
    """Return the apology whose offer ends our last reply, and which the customer accepts in its language."""
    offered = (each for each in APOLOGIES.values() if last_reply.endswith(each.sentence))
    return next((each for each in offered if re.fullmatch(each.agrees, reply)), None)
