"""What a reader takes for one character: a letter with its accents, an emoji of several, a flag.

The rules are those of Unicode's extended grapheme clusters (UAX 29), by the character database of Python. Where they
need a property that Python does not have, characters stay together rather than apart.
"""

import re
import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_EXTENDS = re.compile(
    "[\u200c\u200d\u0e33\u0eb3\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)  # joiners, vowels of Thai and Lao, half-width voice marks, skin tones, tags; marks are told by their category
_PREPENDS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
_LEADING_JAMO = re.compile("[\u1100-\u115f\ua960-\ua97c]")
_FOLLOWING_JAMO = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")
_HANGUL = re.compile("[\u1100-\u11ff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb]")
_VIRAMA = 9  # the combining class


def is_boundary(text: str, index: int) -> bool:
    """Tell whether a text may be cut before `index` without cutting what a reader takes for one character."""
    joins_consonants = 0 < index < len(text) and unicodedata.combining(text[index - 1]) == _VIRAMA
    return _ends_cluster(text, index) and not (joins_consonants and text[index].isalpha())


def graphemes(text: str) -> Iterator[str]:
    """Yield the characters of a text as Twilio's package counts them: joined consonants of India are several."""
    start = 0
    for index in range(1, len(text) + 1):
        if _ends_cluster(text, index):
            yield text[start:index]
            start = index


def _ends_cluster(text: str, index: int) -> bool:
    if not 0 < index < len(text):
        return True
    before, after = text[index - 1], text[index]
    if before < "\u0300" and after < "\u0300":
        return (before, after) != ("\r", "\n")
    if unicodedata.category(before) in {"Cc", "Zl", "Zp"}:
        return True  # nothing joins a line's end
    if unicodedata.category(after)[0] == "M" or _EXTENDS.match(after) or _PREPENDS.match(before):
        return False
    if before == _JOINER and unicodedata.category(after).startswith("S"):
        return not _is_symbol_joined(text, index - 1)
    if _FLAG.match(before) and _FLAG.match(after):
        return _flags_before(text, index) % 2 == 0
    if _HANGUL.match(before):
        return not (_FOLLOWING_JAMO.match(after) or (_LEADING_JAMO.match(before) and _HANGUL.match(after)))
    return True


def _flags_before(text: str, index: int) -> int:
    """Return how many letters of flags stand in a row before `index`; two are a flag."""
    start = index
    while start and _FLAG.match(text[start - 1]):
        start -= 1
    return index - start


def _is_symbol_joined(text: str, joiner: int) -> bool:
    """Tell whether a symbol, with its skin tone and its like, stands before a joiner: one emoji is made of two."""
    index = joiner - 1
    while index > 0 and (unicodedata.category(text[index])[0] == "M" or _EXTENDS.match(text[index])):
        index -= 1
    return index >= 0 and unicodedata.category(text[index])[0] == "S"
