"""The disclosure: the sentence by which a customer learns that a machine answers (EU AI Act, article 50(1))."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from switchboard.languages import Language, language_of, parse_sentences

SENTENCES = {  # in letters that one SMS segment of 160 characters can carry (GSM-7)
    Language.ENGLISH: "You are talking to an AI assistant.",
    Language.GERMAN: "Hier antwortet ein KI-Assistent.",
    Language.SPANISH: "Le responde un asistente de inteligencia artificial.",
    Language.FRENCH: "C'est un assistant IA qui vous répond.",
    Language.PORTUGUESE: "Quem lhe responde é um assistente de IA.",
    Language.ITALIAN: "Le risponde un assistente di intelligenza artificiale.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What the first text of a conversation begins with. `sentences` is empty where that is off."""

    sentences: Mapping[Language, str]

    def sentence(self, texts: Iterable[str]) -> str:
        """Return the sentence in the language of a customer's texts, in English where it is unsure, "" where off."""
        return self.sentences.get(language_of("\n".join(texts)) or Language.ENGLISH, "")


def parse_disclosure(setting: str, *, name: str) -> Disclosure:
    """Return what a setting means: `on` our sentences in six languages, `off` or nothing none, else its own sentence.

    Raise `Misconfigured`, which names the setting, for what is none of these.
    """
    return Disclosure(sentences=parse_sentences(setting, ours=SENTENCES, name=name))
