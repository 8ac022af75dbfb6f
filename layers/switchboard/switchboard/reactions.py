"""Reactions: tapbacks that a phone sends as a text, emoji alone, and whether words of ours asked for one.

A phone whose message goes out as SMS writes a reaction out in its own language: `Loved “See you at 10”`,
`Hat mit 👍 auf „Bis 10 Uhr“ reagiert`, `👍 to “See you at 10”`, `Removed a heart from “Hi”`, `Liked an image`.
The wordings change with the phone's version. So each language has the words that such a text may use, and not its
sentences: what stands outside the quote must be made of them. In doubt a text is a message: the assistant gets it.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_CHARACTERS = 2_000  # a tapback repeats one text of ours, which has at most 1,600
MAX_QUOTES = 2  # a tapback has one, and perhaps the reaction's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A reaction; `quoted` is the text that it repeats, or empty where it repeats none."""

    quoted: str = ""


@dataclass(frozen=True, slots=True)
class _Language:
    """The words of a language's tapbacks: one of `reacts` says that it is one, `little` join it, `things` are files."""

    reacts: frozenset[str]
    little: frozenset[str]
    things: frozenset[str]


def _language(*, reacts: str, little: str, things: str) -> _Language:
    return _Language(frozenset(reacts.split()), frozenset(little.split()), frozenset(things.split()))


_LANGUAGES = (
    _language(  # English
        reacts="loved liked disliked laughed emphasized emphasised questioned reacted removed",
        little="a an at the to from with NAME like heart dislike laugh exclamation question mark reaction sticker",
        things="image photo picture video movie attachment audio voice message memo location link contact file gif",
    ),
    _language(  # German
        reacts="gefällt gefiel gefallen missfällt liebt liebte geliebt mochte gemocht lacht lachte gelacht betont"
        " betonte hervorgehoben hinterfragt hinterfragte infrage reagiert reagierte markiert markierte entfernt"
        " entfernte bewertet",
        little="hat mit einem einer ein eine einen für auf zu über als von aus die der das dem den nicht gestellt in"
        " frage hinzugefügt NAME herz haha daumen hoch runter ausrufezeichen fragezeichen reaktion sticker wurde",
        things="bild foto video film anhang audionachricht sprachnachricht standort link kontakt datei nachricht gif",
    ),
    _language(  # Spanish
        reacts="gustó gustado encantó encantado rio rió dio exclamó dudó cuestionó enfatizó destacó subrayó reaccionó"
        " reaccionado quitó quitado eliminó eliminado retiró retirado",
        little="a al de del por sobre con en un una el la le no se ha NAME risa corazón signo exclamación"
        " interrogación admiración pregunta reacción pegatina sticker",
        things="imagen foto fotografía video vídeo película archivo adjunto mensaje audio voz ubicación enlace",
    ),
    _language(  # French
        reacts="aimé adoré ri souligné interrogé évidence réagi retiré supprimé attribué ajouté posé",
        little="a à au aux d de du en l le la les un une sur avec mis n pas s est e NAME cœur coeur rire rires haha"
        " mention réaction question point exclamation interrogation sticker",
        things="image photo vidéo film pièce jointe message audio vocal fichier lien contact position gif",
    ),
    _language(  # Portuguese
        reacts="amou adorou gostou curtiu descurtiu riu riu-se enfatizou destacou sublinhou questionou reagiu removeu"
        " retirou ênfase graça",
        little="a à ao às o os de do da em por para com um uma não se deu achou NAME coração curtida risada risadas"
        " riso gargalhada ponto exclamação interrogação reação adesivo figurinha",
        things="imagem foto fotografia vídeo filme anexo mensagem áudio voz localização link contato arquivo ficheiro",
    ),
    _language(  # Italian
        reacts="amato adorato adora apprezzato apprezza piaciuto riso enfatizzato evidenziato sottolineato contestato"
        " messo aggiunto reagito rimosso tolto eliminato",
        little="a al alla ad ha è e di da dal dalla per su con un una uno il la l lo non in NAME cuore risata risate"
        " punto esclamativo interrogativo domanda evidenza reazione adesivo",
        things="immagine foto video filmato film allegato messaggio audio vocale posizione link contatto file",
    ),
)
# How phones name their reactions: `hat mit „Gefällt mir“ markiert`, `a retiré un J'aime`. Alone, such a name is a
# sentence about the customer's own taste; in quotes of its own, as in `mention « Adore » à « ok »`, it is a reaction.
_PHRASES = (
    "gefällt mir nicht|gefällt mir|no me gusta|me gusta|me encanta|me divierte"
    "|je n'aime pas|n'aime pas|j'aime pas|j'aime|j'adore|non mi piace|mi piace|não gosto"
)
_PHRASE = re.compile(rf"\b(?:{_PHRASES})\b")
_QUOTED_NAME = re.compile(
    rf"{_PHRASES}|adore|aime|love|like|dislike|gosto|gostei|curti|adorei|amei|herz|liebe"
    r"|ha ?ha|ja ?ja|rires?|risas?|\W+"
)
_NAME = "NAME"

_INVISIBLE = "\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_JOINER = "\u200d"
_ONE_EMOJI = (
    "(?:[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    "|[#*0-9]\ufe0f?\u20e3"  # a keycap
    "|[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f004-\U0001f0cf\U0001f170-\U0001f251\U0001f300-\U0001faff])"
    "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
)
_EMOJI = re.compile(f"{_ONE_EMOJI}(?:{_JOINER}{_ONE_EMOJI})*")
# Emoji that are words: keycaps and letters answer a menu, ❓ asks, 🆘 calls, 🛑 and ❌ refuse.
_SAYS_SOMETHING = re.compile(
    "[\u20e3\u2049\u2139\u24c2\u274c\u274e\u2716\u2753\u2754\u26d4\u2194-\u21aa\u2934\u2935\u2b05-\u2b07"
    "\U0001f170-\U0001f19a\U0001f201-\U0001f251\U0001f51f-\U0001f524\U0001f515\U0001f6ab\U0001f6d1]"
)
# Google Messages marks its emoji with invisible characters, in every language.
_MARKED_EMOJI = re.compile(f"[\u200b\u200c]{_EMOJI.pattern}[\u200b\u200c]")
_MAX_WORDS_BESIDE_MARKED_EMOJI = 4

_CLOSED_BY = {'"': '"', "“": "”", "”": "”", "„": "“”", "«": "»", "»": "«", "'": "'", "‘": "’"}
_OPENS_ONLY = "“„«"
_APOSTROPHES = "'’"  # they also stand inside words: the last one ends a quote

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ONLY_WORDS = re.compile(r"(?:[^\W\d_]|[\s'’():.,…-])*")


def read_reaction(text: str) -> Reaction | None:
    """Return the reaction that a text is, or None where it is a message."""
    visible = re.sub(f"[{_INVISIBLE}]", "", unicodedata.normalize("NFC", text)).strip()
    if not visible or len(visible) > MAX_CHARACTERS:
        return None
    if not _EMOJI.sub("", visible).strip():
        return None if _SAYS_SOMETHING.search(visible) else Reaction()
    outside, quotes = _split(visible)
    if len(quotes) > MAX_QUOTES:
        return None
    for number in reversed(range(len(quotes))):
        names = [quote for other, quote in enumerate(quotes) if other != number]
        if quotes[number] and _is_wording(outside, names):
            return Reaction(quoted=quotes[number])
    if quotes and _MARKED_EMOJI.search(text) and len(_WORD.findall(outside)) <= _MAX_WORDS_BESIDE_MARKED_EMOJI:
        return Reaction(quoted=quotes[-1])
    return Reaction() if _is_wording(outside, quotes, of_a_thing=True) else None


def asks(text: str) -> bool:
    """Tell whether a text asks for an answer: by a question, by choices, or by asking for a word. In doubt, it does."""
    return bool(_QUESTION.search(text) or _INVITATION.search(text)) or len(_CHOICE.findall(text)) > 1


# A question mark of any script, but not one inside a URL; the Greek one looks like a semicolon.
_QUESTION = re.compile(
    r"[?？؟՞፧⁇⁈⁉❓❔](?![\w=&%])|¿|[\u0370-\u03ff\u1f00-\u1fff] ?[;\u037e](?=\s|$)|(?:か|吗|嗎|呢)[。．.!！]?[ \t]*$",
    re.MULTILINE,
)
_CHOICE = re.compile(r"^[ \t]*(?:[-*•–]|\(?(?:\d{1,2}|[A-Za-z])[.):])\s|\(?\b(?:\d|[a-d])\)|\u20e3", re.MULTILINE)
_BEFORE = (
    "please|just|simply|kindly|and|or|then|bitte|und|oder|einfach|s'il vous plaît|veuillez|merci de|et|ou|por favor|y"
    "|o|per favore|e"
)
_ASKING = (  # how verbs that ask for an answer begin
    "reply|respond|answer|confirm|choose|pick|select|tell (?:me|us)|let (?:me|us) know|send (?:me|us)"
    "|text|type|give|say|antwort|bestätig|wähl|schreib|sag|nenn|teil|schick|gib"
    "|répond|chois|dites|dis-|indiqu|envoy|écri|préci"
    "|elij|elig|diga|díga|dime|envíe|envía|escrib|escolh|diz|envi|escrev|inform"
    "|rispond|conferm|scelg|scegl|mi dica|dimmi|invi|scriv|indi"
)
_INVITATION = re.compile(rf"(?:^|[.!…:;,][ \t]*|\b(?:{_BEFORE})[ \t]+)(?:{_ASKING})", re.IGNORECASE | re.MULTILINE)


def _is_wording(outside: str, names: list[str], *, of_a_thing: bool = False) -> bool:
    """Tell whether the words outside the quoted text, and the names in quotes, are those of one language's tapbacks."""
    words_alone = _EMOJI.sub(" ", outside)
    if not _ONLY_WORDS.fullmatch(words_alone) or not all(_QUOTED_NAME.fullmatch(_lower(name)) for name in names):
        return False
    reacts = bool(names) or words_alone != outside
    words = frozenset(_WORD.findall(_PHRASE.sub(_NAME, _lower(words_alone))))
    return any(_speaks(language, words, reacts=reacts, of_a_thing=of_a_thing) for language in _LANGUAGES)


def _speaks(language: _Language, words: frozenset[str], *, reacts: bool, of_a_thing: bool) -> bool:
    known = language.reacts | language.little | (language.things if of_a_thing else frozenset())
    return (
        words <= known
        and (reacts or not words.isdisjoint(language.reacts))
        and (not of_a_thing or not words.isdisjoint(language.things))
    )


def _lower(text: str) -> str:
    return text.lower().replace("’", "'")


def _split(text: str) -> tuple[str, list[str]]:
    """Return what stands outside a text's quotes, and the quoted texts; one that was cut off needs no end."""
    outside, quotes, position = "", list[str](), 0
    while position < len(text):
        if text[position] not in _CLOSED_BY or not _begins(text, position):
            outside += text[position]
            position += 1
            continue
        end = _end_of_quote(text, position)
        if end is None:
            return outside + text[position:], quotes
        quotes.append(text[position + 1 : end].strip())
        outside += " "
        position = end + 1
    return outside, quotes


def _begins(text: str, position: int) -> bool:
    """Tell whether the mark at `position` begins a quote, and does not end one or stand in a word."""
    before = text[position - 1 : position]
    return text[position] in _OPENS_ONLY or not before or not (before.isalnum() or before in ".,!?…")


def _end_of_quote(text: str, start: int) -> int | None:
    """Return where the quote that begins at `start` ends: after those inside it, or with the text if it was cut off."""
    opening, closing = text[start], _CLOSED_BY[text[start]]
    if closing.strip(_APOSTROPHES) == "":
        return len(text) - 1 if text[-1] in closing else None
    depth = 0
    for position in range(start, len(text)):
        mark = text[position]
        if mark == opening and (mark not in closing or position == start or _opens_inside(text, position)):
            depth += 1
        elif mark in closing:
            depth -= 1
        if depth == 0:
            return position
    return None if re.search('["”»]', text[start + 1 :]) else len(text)


def _opens_inside(text: str, position: int) -> bool:
    """Tell whether a mark that may open or close opens: it follows a space, and a word follows it."""
    after = text[position + 1 : position + 2]
    return text[position - 1].isspace() and bool(after) and not after.isspace()
