"""The whole sentences of a text that was cut off, and the letters of one, to find a phrase in it."""

import re
import unicodedata

# An end of a sentence: not the number of a list's item, an abbreviation, or a mark inside a word or a price.
_END = re.compile(r"(?P<word>[^\s.!?…؟۔।。！？]*)(?:[.!?…؟۔।]+[\"'”’»)\]*_]*(?=\s|$)|[。！？]+[”’」』）]*)")
_ABBREVIATIONS = frozenset(
    ("approx", "bzw", "ca", "dr", "incl", "mr", "mrs", "ms", "nr", "sr", "sra", "st", "str", "tel", "vs")
)


def whole_sentences(text: str) -> str:
    """Return a text up to the end of its last whole sentence; empty where no sentence of it is whole."""
    ends = [end.end() for end in _END.finditer(text) if _ends_a_sentence(end)]
    return text[: ends[-1]].strip() if ends else ""


def letters_of(text: str) -> str:
    """Return the letters and digits of a text in a row, however it is spaced, marked or capitalised."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).casefold())


def _ends_a_sentence(end: re.Match[str]) -> bool:
    rest = end.string[end.end() :].lstrip()
    word = end["word"].strip("\"'“”„‘’«»()[]*_~")
    if rest[:1].islower() or word.lower() in _ABBREVIATIONS or end.string[: end.start()].endswith("."):
        return False
    if not rest and re.search(r"[\d/@]", word):  # the beginning of 1.50, of a link or of an address
        return False
    is_number_of_an_item = word.isdecimal() and not end.string[: end.start()].rpartition("\n")[2].strip()
    return bool(word) and not is_number_of_an_item
