"""Whether a customer wants our messages: the words by which they say so, and what is kept of it.

The words are those that Twilio knows ("Advanced Opt-Out", default keywords), their counterparts in six languages, and
the plainest wordings of "stop texting me" (US, 47 CFR 64.1200(a)(10): by any reasonable means). A word counts only if
it is the whole message: "STOP 12345" and "we have got to STOP this bill" say nothing of consent.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product

from switchboard.author import AuthorRole
from switchboard.channels.channel import Channel, channel_of
from switchboard.customers import key_of
from switchboard.events import LifecycleEvent, MessageAdded

_NEVER = datetime.fromtimestamp(0, UTC)
MAX_CHARACTERS = 100  # of a message that is looked at


class ConsentWord(StrEnum):
    """What a message says of consent, if that is all it says."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a conversation's item knows.

    `at` is when the customer said so last, or the carrier did; `index` the highest index of a word that was applied:
    what stands below it comes too late to change how the customer stands. `changed_by` is the index of the message that
    made it so, -1 where none did: the carrier, or another conversation of the customer. `by_twilio` tells whether the
    last opt-out is one that Twilio knows of, too: then it answers that, and what takes it back.
    """

    opted_out: bool = False
    at: datetime = _NEVER
    index: int = -1
    changed_by: int = -1
    by_twilio: bool = False

    def after(self, change: "ConsentChange") -> "Consent":
        """Return what is known after a change, in whatever order changes come.

        A word that changes nothing raises `index` only. An opt-out that we learn of later than of an opt-in with a
        higher index is over, and what was written between the two stays without an answer.
        """
        if change.index is not None and change.index <= self.index:
            is_over = change.opted_out and not self.opted_out and self.changed_by < change.index < self.index
            return replace(self, changed_by=self.index) if is_over else self
        if change.opted_out is self.opted_out:
            return self if change.index is None else replace(self, index=change.index)
        if change.index is None:
            is_newer = change.at > self.at
            changed = replace(self, opted_out=change.opted_out, at=change.at, changed_by=-1, by_twilio=change.by_twilio)
            return changed if is_newer else self
        return Consent(
            opted_out=change.opted_out,
            at=change.at,
            index=change.index,
            changed_by=change.index,
            by_twilio=change.by_twilio if change.opted_out else self.by_twilio,
        )

    def differs_from(self, other: "Consent") -> bool:
        """Tell whether the customer stands otherwise, or for another reason."""
        return (self.opted_out, self.changed_by) != (other.opted_out, other.changed_by)

    def is_result_of(self, change: "ConsentChange") -> bool:
        """Tell whether a change is the one that was made last."""
        is_it = change.at == self.at if change.index is None else change.index == self.changed_by
        return is_it and change.opted_out is self.opted_out


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """A customer opts out, or in again. `index` is that of their message, None where the carrier told us.

    `customer` is the customer's key; it and `channel` are unknown (empty, None) where the carrier told us. `by_twilio`
    tells of an opt-out that Twilio knows of it.
    """

    opted_out: bool
    at: datetime
    index: int | None
    customer: str = ""
    channel: Channel | None = None
    by_twilio: bool = False


# Twilio answers these itself on SMS, where they stand alone: docs/channels.md, "Consent".
_TWILIOS: Mapping[ConsentWord, frozenset[str]] = {
    ConsentWord.OPT_OUT: frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}),
    ConsentWord.OPT_IN: frozenset({"start", "unstop"}),
    ConsentWord.HELP: frozenset({"help", "info"}),
}
_YES = "yes"  # by SMS it takes back an opt-out that Twilio knows of; else it answers a question

# By language (ISO 639-1), in lower case, without accents and punctuation.
_OPT_OUT: Mapping[str, str] = {
    "en": "stop all, opt out, stop now, stop it, stop texts, stop sms, stop messages, stop texting, stop messaging"
    ", stop contacting me please, unsubscribe me, remove me, remove my number, delete my number, opt me out"
    ", no more messages, no more texts, no more sms, leave me alone, i want to unsubscribe, i want to opt out"
    ", i no longer want messages, i no longer want to receive messages",
    "de": "stopp, abmelden, abbestellen, austragen, aufhoren, hor auf, horen sie auf, keine nachrichten mehr"
    ", keine sms mehr, melden sie mich ab, meld mich ab, nicht mehr schreiben, schreib mir nicht mehr"
    ", schreiben sie mir nicht mehr, schreibt mir nicht mehr, ich will keine nachrichten mehr"
    ", ich mochte keine nachrichten mehr, ich will keine sms mehr, ich mochte keine sms mehr"
    ", horen sie auf mir zu schreiben, hor auf mir zu schreiben",
    "es": "alto, parar, pare, detente, baja, cancelar, detener, basta, no mas mensajes"
    ", darme de baja, quiero darme de baja, deme de baja, dame de baja, desuscribir, desuscribirme, no me escriban mas"
    ", no me escriba mas, no me escribas mas, no me envien mas mensajes, no me envie mas mensajes"
    ", dejen de escribirme, deje de escribirme, deja de escribirme, no quiero mas mensajes"
    ", no quiero recibir mas mensajes",
    "fr": "arret, arreter, arretez, stopper, stop sms, desabonner, desabonnez moi, me desabonner, se desabonner"
    ", desabonnement, desinscrire, desinscription, ne mecrivez plus, ne mecris plus"
    ", arretez de mecrire, arrete de mecrire, ne menvoyez plus de messages, je ne veux plus de messages"
    ", je ne veux plus recevoir de messages",
    "pt": "parar, pare, sair, cancelar, descadastrar, descadastre me, desinscrever, nao quero mais mensagens"
    ", nao quero mais receber mensagens, nao me mande mais mensagens, nao me mandem mais mensagens"
    ", nao me escreva mais, nao me escrevam mais, pare de me escrever, parem de me escrever"
    ", pare de mandar mensagens, parem de mandar mensagens, chega de mensagens",
    "it": "ferma, fermare, fermati, basta, disiscrivi, disiscrivimi, disiscrivermi, disiscrizione"
    ", cancellami, cancellatemi, basta messaggi, niente piu messaggi, non voglio piu messaggi"
    ", non voglio piu ricevere messaggi, non scrivermi piu, non scrivetemi piu, non mi scrivete piu"
    ", non mi scriva piu, smettete di scrivermi, smetti di scrivermi, smetta di scrivermi",
}
_OPT_IN: Mapping[str, str] = {
    "en": "opt in, optin, subscribe, resubscribe, start again, subscribe me, sign me up again",
    "de": "starten, anmelden, wieder anmelden",
    "es": "empezar, iniciar, comenzar, reanudar, alta",
    "fr": "demarrer, commencer, reprendre, abonner",
    "pt": "comecar, iniciar, retomar",
    "it": "inizia, iniziare, avvia, riprendi, riprendere",
}
_HELP: Mapping[str, str] = {"de": "hilfe", "es": "ayuda", "fr": "aide", "pt": "ajuda", "it": "aiuto"}
_MAY_BE_POLITE = frozenset(
    {"stop", "stopp", "arret", "arretez", "parar", "pare", "unsubscribe", "start", "help", *_HELP.values()}
)
_POLITE = (
    *("please", "pls", "plz", "thanks", "thank you", "bitte", "danke", "por favor", "gracias"),
    *("obrigado", "obrigada", "sil vous plait", "svp", "merci", "per favore", "grazie"),
)
_APOSTROPHES = str.maketrans("", "", "'`\u00b4\u2019\u02bc")


def _plainest_english() -> Iterator[str]:
    whom, again = ("me", "us"), ("", " again", " anymore", " any more", " now", " ever again")
    stops = ("stop", "quit")
    doing = ("texting", "messaging", "contacting", "writing", "writing to", "spamming", "calling and texting")
    for stop, verb, person, more in product(stops, doing, whom, again):
        yield f"{stop} {verb} {person}{more}"
    to_do = ("text", "message", "contact", "write", "write to")
    for no, verb, person, more in product(("do not", "dont", "never"), to_do, whom, ("", *again[1:4], again[5])):
        yield f"{no} {verb} {person}{more}"
    what = ("messages", "texts", "sms", "text messages")
    for stop, which, each in product(stops, ("", "me ", "these ", "me these ", "me any more ", "me more "), what):
        yield f"{stop} sending {which}{each}"
    much = ("any", "any more", "more", "your", "these")
    getting = ("", "to get ", "to receive ")
    for no, verb, wanted, each in product(("i dont want", "i do not want"), getting, much, what):
        yield f"{no} {verb}{wanted} {each}"
        yield f"{no} {verb}{wanted} {each} from you"
    for verb, wanted, each in product(("receiving", "getting"), ("", "these ", "your "), what):
        yield f"i want to stop {verb} {wanted}{each}"
    for off, whose in product(("remove me from", "take me off", "take me off of"), ("your", "the", "this")):
        yield f"{off} {whose} list"


def _words() -> Iterator[tuple[str, tuple[ConsentWord, str]]]:
    """Yield each wording, what it says, and its language: none where it is said in several."""
    for word, keywords in _TWILIOS.items():
        yield from ((keyword, (word, "")) for keyword in keywords)
    yield from ((wording, (ConsentWord.OPT_OUT, "en")) for wording in _plainest_english())
    for word, by_language in (
        (ConsentWord.OPT_OUT, _OPT_OUT),
        (ConsentWord.OPT_IN, _OPT_IN),
        (ConsentWord.HELP, _HELP),
    ):
        for language, wordings in by_language.items():
            yield from ((wording, (word, language)) for wording in wordings.split(", "))


def _by_wording() -> Mapping[str, tuple[ConsentWord, str]]:
    words: dict[str, tuple[ConsentWord, str]] = {}
    for wording, (word, language) in _words():
        is_shared = words.get(wording, (word, language)) != (word, language)
        words[wording] = (word, "" if is_shared else language)
    return words


_WORDS = _by_wording()


def read_consent_word(text: str) -> ConsentWord | None:
    """Return what a text says of consent, if it says nothing else: in any case, with or without "please"."""
    return _said(text)[0]


def language_of_word(text: str) -> str:
    """Return the language of a consent word, an ISO 639-1 code; empty for one that many know, such as STOP."""
    return _said(text)[1]


def consent_said(message: MessageAdded, consent: Consent) -> ConsentWord | None:
    """Return what a customer's message says of consent. `consent` is how they have stood until then."""
    if message.media or len(message.body) > MAX_CHARACTERS:
        return None
    is_yes = _plain(message.body) == _YES and channel_of(message.author) is Channel.SMS
    if is_yes and consent.opted_out and consent.by_twilio:
        return ConsentWord.OPT_IN
    return read_consent_word(message.body)


def opts_out(event: LifecycleEvent) -> bool:
    """Tell whether an event is a customer's message that opts them out."""
    if not isinstance(event, MessageAdded) or event.author_role is not AuthorRole.CUSTOMER:
        return False
    return consent_said(event, Consent()) is ConsentWord.OPT_OUT


def change_by(message: MessageAdded, *, opted_out: bool, customer_secret: bytes) -> ConsentChange:
    """Return the change that a customer's message makes. `customer_secret` is what their key is made with."""
    return ConsentChange(
        opted_out=opted_out,
        at=message.at,
        index=message.index,
        customer=key_of(message.author, secret=customer_secret),
        channel=channel_of(message.author),
        by_twilio=opted_out and is_answered_by_twilio(message),
    )


def why_nothing_is_sent(conversation_sid: str) -> str:
    """Return the text of an error: a program wants to write to a customer who has opted out."""
    return f"{conversation_sid}: the customer has opted out: nothing is sent to them until they write START"


def is_answered_by_twilio(message: MessageAdded) -> bool:
    """Tell whether Twilio itself answers a consent word: on SMS, its own keywords, in any case, by themselves."""
    keyword = message.body.strip().lower()
    is_keyword = any(keyword in keywords for keywords in _TWILIOS.values())
    return is_keyword and channel_of(message.author) is Channel.SMS


def _said(text: str) -> tuple[ConsentWord | None, str]:
    plain = _plain(text)
    polite = _without_politeness(plain)
    if " " not in polite and polite not in _MAY_BE_POLITE:  # "Basta, grazie" and "Cancel, please" answer a question
        polite = ""
    return _WORDS.get(plain) or _WORDS.get(polite) or (None, "")


def _plain(text: str) -> str:
    """Return a text in lower case, without accents, with its words one space apart and nothing else."""
    if len(text) > MAX_CHARACTERS:
        return ""
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    letters = (letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split())


def _without_politeness(plain: str) -> str:
    for polite in _POLITE:
        plain = plain.removeprefix(f"{polite} ").removesuffix(f" {polite}")
    return plain
