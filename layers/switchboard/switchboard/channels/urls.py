"""The URLs of a Markdown text, set aside while it is read: what is in a URL is not a mark, nor an escape."""

import re
from collections.abc import Callable

from switchboard.channels.spans import without_noncharacters

# A URL ends at white space, at what cannot stand in one, at the marks of bold and struck text, and at full-width signs.
_URL = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9+.-]*://|www\.(?=\w)|mailto:(?=\w)|tel:(?=[+\d]))"
    r"(?:(?!\*\*|~~)[^\s<>\"`\\|\[\]{}^\u3000-\u303f\uff00-\uff65\ufdd0-\ufdef])+"
)
_AUTOLINK = re.compile(rf"(?<!\]\()<(?P<url>{_URL.pattern})>")
_BEHIND = ".,;:!?'*_~"  # the sentence's, or a mark's, where a URL ends with it

_OPEN, URL_ENDS = "\ufdd2", "\ufdd3"  # noncharacters of Unicode: no text that is interchanged has them
_PLACE = re.compile(f"{_OPEN}([0-9]+){URL_ENDS}")


class SetAside:
    """The URLs of a text, and the text with a place for each."""

    def __init__(self, text: str) -> None:
        self._urls: list[str] = []
        self.text = _URL.sub(lambda url: self._place(url[0]), _AUTOLINK.sub(lambda url: self.keep(url["url"]), text))

    def restore(self, text: str, written: Callable[[str], str] = lambda url: url) -> str:
        """Return a text with its URLs in their places, each as `written` writes it."""
        return _PLACE.sub(lambda place: written(self._urls[int(place[1])]), text)

    def _place(self, found: str) -> str:
        url = _without_the_sentences_end(found)
        return self.keep(url) + found[len(url) :]

    def keep(self, url: str) -> str:
        """Return a place for a URL."""
        self._urls.append(url)
        return f"{_OPEN}{len(self._urls) - 1}{URL_ENDS}"


def has_url(text: str) -> bool:
    """Tell whether a text has a place for a URL."""
    return URL_ENDS in text


def words_and_url(words: str, read: str, url: str, *, keep: Callable[[str], str]) -> str:
    """Return a link as text: its words and its URL, or the URL alone where the words say the same.

    `read` are the words with their own URLs in place.
    """
    address = url.removeprefix("mailto:").removeprefix("tel:")
    same = {address.rstrip("/"), address.partition("://")[2].rstrip("/")}
    if not address:
        return words
    if without_noncharacters(read).strip().removeprefix("mailto:").removeprefix("tel:").rstrip("/") in {"", *same}:
        return keep(address)
    return f"{words}{'' if words.endswith((':', '.', '!', '?')) else ':'} {keep(address)}"


def _without_the_sentences_end(found: str) -> str:
    """Return a URL without the marks behind it, up to a closing bracket that it did not open."""
    opened = 0
    for index, character in enumerate(found):
        opened += (character == "(") - (character == ")")
        if opened < 0:
            return found[:index].rstrip(_BEHIND)
    return found.rstrip(_BEHIND)
