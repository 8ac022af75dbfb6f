"""What a customer reads where they opt out, opt in again, or ask for help, in their language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from switchboard.consent import ConsentWord, language_of_word
from switchboard.languages import Language, language_of, parse_sentences

# In letters that one SMS segment of 160 characters can carry (GSM-7).
OPT_OUT = {
    Language.ENGLISH: "You will get no more messages from us. Write START if you want them again.",
    Language.GERMAN: "Sie erhalten keine Nachrichten mehr von uns. Mit START erhalten Sie wieder welche.",
    Language.SPANISH: "Usted no recibe ya mensajes nuestros. Escriba START si los quiere de nuevo.",
    Language.FRENCH: "Vous ne recevrez plus de messages de notre part. Ecrivez START pour en recevoir à nouveau.",
    Language.PORTUGUESE: "Deixa de receber mensagens nossas. Escreva START se as quiser de novo.",
    Language.ITALIAN: "Non riceverà più nostri messaggi. Scriva START se li vuole ricevere di nuovo.",
}
OPT_IN = {
    Language.ENGLISH: "You get messages from us again. Write STOP if you want no more.",
    Language.GERMAN: "Sie erhalten wieder Nachrichten von uns. Mit STOP erhalten Sie keine mehr.",
    Language.SPANISH: "Usted recibe de nuevo nuestros mensajes. Escriba STOP si no los quiere.",
    Language.FRENCH: "Vous recevez à nouveau nos messages. Ecrivez STOP pour ne plus en recevoir.",
    Language.PORTUGUESE: "Volta a receber as nossas mensagens. Escreva STOP se as quiser suspender.",
    Language.ITALIAN: "Riceverà di nuovo i nostri messaggi. Scriva STOP se non ne vuole più.",
}
HELP = {
    Language.ENGLISH: "Write your question here, and an AI assistant answers. Write STOP to get no more messages.",
    Language.GERMAN: "Schreiben Sie hier Ihre Frage, ein KI-Assistent antwortet. STOP: keine Nachrichten mehr.",
    Language.SPANISH: "Escriba su pregunta y le responde un asistente de IA. STOP: no recibir mensajes.",
    Language.FRENCH: "Ecrivez ici votre question, un assistant IA vous répond. STOP : ne plus recevoir de messages.",
    Language.PORTUGUESE: "Escreva a sua pergunta e um assistente de IA responde. STOP: deixar de receber mensagens.",
    Language.ITALIAN: "Scriva qui la sua domanda, le risponde un assistente IA. STOP: non ricevere più messaggi.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSentences:
    """The sentences by language. `help` is empty where the agent answers HELP as any other message."""

    help: Mapping[Language, str] = field(default_factory=lambda: HELP)

    def sentence(self, word: ConsentWord, texts: Iterable[str]) -> str:
        """Return what a customer reads who has written these texts, the last of them such a word.

        It is in the language of that word, else in that of the texts together, else in English.
        """
        written = list(texts)
        code = language_of_word(written[-1]) if written else ""
        language = Language(code) if code else language_of("\n".join(written)) or Language.ENGLISH
        ours = {ConsentWord.OPT_OUT: OPT_OUT, ConsentWord.OPT_IN: OPT_IN, ConsentWord.HELP: self.help}
        return ours[word].get(language, "")


def parse_help(setting: str, *, name: str) -> ConsentSentences:
    """Return the sentences, with what the setting of the answer to HELP means: `on`, `off`, or a sentence."""
    return ConsentSentences(help=parse_sentences(setting, ours=HELP, name=name))
