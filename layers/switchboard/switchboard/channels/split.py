"""Split a reply into the parts that a channel can carry."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from switchboard.channels.graphemes import is_boundary
from switchboard.channels.segments import utf_16_units
from switchboard.channels.spans import SpannedText

MAX_PART_CHARACTERS = 1600  # SMS and WhatsApp bodies (Twilio, "Conversations limits")
MAX_PARTS = 10  # an agent that writes without end costs ten texts, not a hundred
ELLIPSIS = "..."  # in GSM-7, unlike the character

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_LINE = re.compile(r"\n")
# From the first mark of a row of them only: else a row of dots takes the square of its length.
_SENTENCE = re.compile(r"(?<![\d.!?…؟۔।])[.!?…؟۔।][.!?…\"'”’»)\]]*+(?=\s)|[。！？]+[”’」』）]*")
_WORD = re.compile(r"\s+")


def fits_in_a_body(text: str) -> bool:
    """Tell whether a text can be the body of a message on every channel."""
    return utf_16_units(text) <= MAX_PART_CHARACTERS


def split_text(
    text: SpannedText, *, fits: Callable[[str], bool] = fits_in_a_body, max_parts: int = MAX_PARTS
) -> tuple[str, ...]:
    """Split a text at a paragraph, else at a line, a sentence, a word, at last between two characters.

    No link, code, emoji or accented letter is cut that fits into a part by itself. `fits` holds for the beginning of a
    text that it holds for. A text that needs more than `max_parts` parts is cut, and ends with an ellipsis.
    """
    parts: list[str] = []
    while not fits(text.text):
        if len(parts) == max_parts - 1:
            head, _ = text.cut(_best_cut(text, lambda part: fits(part + ELLIPSIS)))
            return (*parts, head + ELLIPSIS)
        part, text = text.cut(_best_cut(text, fits))
        parts.append(part)
    return (*parts, text.text) if text.text or not parts else tuple(parts)


def _best_cut(text: SpannedText, fits: Callable[[str], bool]) -> int:
    """Return where the first part of a text ends. It is not empty."""
    closes = max((span.closes for span in text.spans), key=len, default="")
    lengths = range(min(len(text.text), MAX_PART_CHARACTERS + 1))
    first = text.opened + 1
    last = max(first, bisect_right(lengths, 0, key=lambda length: not fits(text.text[:length] + closes)) - 1)
    for inside in (False, True):  # a span that the text begins with may be too long for a part
        for cuts, at_least in (
            (_before(_PARAGRAPH, text, last), last // 2),
            (_before(_LINE, text, last), last // 2),
            (_behind(_SENTENCE, text, last), last // 2),
            (_before(_WORD, text, last), first),
            (range(first, last + 1), first),
        ):
            clean = (cut for cut in reversed(cuts) if cut >= at_least and _is_clean(text, cut, inside=inside))
            if found := next(clean, 0):
                return found
    return next((cut for cut in range(last, first, -1) if is_boundary(text.text, cut)), last)


def _before(pattern: re.Pattern[str], text: SpannedText, last: int) -> Sequence[int]:
    """Return where a pattern begins."""
    return [found.start() for found in pattern.finditer(text.text, 0, last + 2) if found.start() <= last]


def _behind(pattern: re.Pattern[str], text: SpannedText, last: int) -> Sequence[int]:
    """Return where a pattern ends."""
    return [found.end() for found in pattern.finditer(text.text, 0, last + 2) if found.end() <= last]


def _is_clean(text: SpannedText, cut: int, *, inside: bool) -> bool:
    """Tell whether neither a span nor a character of a reader's is cut; white space at the cut is left out."""
    if not text.may_be_cut(cut, inside=inside) or not is_boundary(text.text, cut):
        return False
    return is_boundary(text.text, len(text.text) - len(text.text[cut:].lstrip()))
