"""What is a mark, and what only looks like one."""

import re

_NUMBERS = re.compile(r"[\d.,\s+/x×=€$£%()-]+|.")
_NAME = re.compile(r"[a-z0-9_]+")
_PAIR = re.compile(
    r"(?<![\w*])\*\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*\*|\*\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*\*(?![\w*])"
)
_LOOSE = re.compile(r"^\*\*(?=[^\s*])|^\*\*$|(?<=[^\s*])\*\*$", re.MULTILINE)
_BREAK = re.compile(r"[ \t]*<br\s*/?>[ \t]*", re.IGNORECASE)
_TAG = re.compile(r"</?(?:b|i|u|s|em|strong|small|sub|sup|p|span|div|ul|ol|li|h[1-6])\s*/?>", re.IGNORECASE)


def is_literal(markup: str, words: str, *, before: str, after: str) -> bool:
    """Tell whether stars or low lines around words are no marks, but what was meant: `2*3*4`, `2**3**4`, `__init__`."""
    if markup == "__":
        return bool(_NAME.fullmatch(words))
    if markup == "_":
        return "_" in words and " " not in words
    if markup not in {"*", "**"}:
        return False
    if before.isalnum() and after.isalnum():
        return before.isdigit() or after.isdigit() or len(words) == 1
    return markup == "*" and (before.isalnum() or after.isalnum()) and bool(_NUMBERS.fullmatch(words))


def is_told_apart(mark: str, words: str, *, before: str = "", after: str = "") -> bool:
    """Tell whether WhatsApp takes two marks around words for marks: on one line, and not inside a word."""
    if not words or words != words.strip() or "\n" in words or mark in words:
        return False
    return not (before.isalnum() or after.isalnum())


def without_loose_marks(text: str) -> str:
    """Return a text without stars of bold text that Markdown does not take for marks, such as `**Price:**5 €`."""
    text = _PAIR.sub(lambda pair: pair[1] or pair[2], text)
    return _LOOSE.sub("", text)


def without_tags(text: str) -> str:
    """Return a text without the HTML that models write into Markdown; `<br>` is the end of a line."""
    return _TAG.sub("", _BREAK.sub("\n", text)) if "<" in text else text
