"""A text with the spans that are not cut: links, code, and what stands between two marks."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

# Noncharacters of Unicode stand around a span until the text is put together; the first one tells its mark.
_BEGINS = {"": "\ufdd0", "*": "\ufdd4", "_": "\ufdd5", "~": "\ufdd6", "`": "\ufdd7", "```": "\ufdd8"}
_MARKS = {begins: mark for mark, begins in _BEGINS.items()}
_ENDS = "\ufdd1"
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is kept together, from `start` to `end`. Where it must be cut, `closes` ends it, `opens` begins it again."""

    start: int
    end: int
    opens: str = ""
    closes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpannedText:
    """A text with its spans, in order, an outer one before those in it. `opened` is how long the marks before it are.

    These marks stand there because the text before was cut inside a span.
    """

    text: str
    spans: tuple[Span, ...] = ()
    opened: int = 0

    def may_be_cut(self, index: int, *, inside: bool = False) -> bool:
        """Tell whether no span is cut at `index`; with `inside`, the ones that the text begins in may be."""
        first = self.opened if inside else -1
        return not any(span.start < index < span.end and span.start > first for span in self.spans)

    def rewritten(self, write: Callable[[str], str]) -> "SpannedText":
        """Return the text with `write` applied to what is in no span: links and code stay as they are."""
        text, done = "", 0
        spans: list[Span] = []
        for span in self.spans:
            if span.start >= done:
                text += write(self.text[done : span.start])
                done = span.start
            shift = len(text) - done
            spans.append(replace(span, start=span.start + shift, end=span.end + shift))
            if span.end > done:
                text, done = text + self.text[done : span.end], span.end
        return SpannedText(text=text + write(self.text[done:]), spans=tuple(spans), opened=self.opened)

    def cut(self, index: int) -> tuple[str, "SpannedText"]:
        """Return the text before `index`, and the rest; white space at the cut is left out.

        Spans that are cut are closed, and opened again.
        """
        head, tail = self.text[:index].rstrip(), self.text[index:].lstrip()
        rest = len(self.text) - len(tail)
        left = [span for span in self.spans if span.end > rest]
        cut = [span for span in left if span.start < index]
        opens = "".join(span.opens for span in cut)
        shift = len(opens) - rest
        spans = (replace(span, start=max(0, span.start + shift), end=span.end + shift) for span in left)
        closes = "".join(span.closes for span in reversed(cut))
        return head + closes, SpannedText(text=opens + tail, spans=tuple(spans), opened=len(opens))


def kept(text: str, mark: str = "") -> str:
    """Return a text that is kept together between two marks, or without any."""
    return f"{_BEGINS[mark]}{mark}{text}{mark}{_ENDS}"


def source(text: str) -> str:
    """Return a text to be read, without white space around it; what nobody can read in it is replaced."""
    return _NONCHARACTERS.sub("\ufffd", text).strip()


def without_noncharacters(text: str) -> str:
    """Return a text without the characters that stand for spans and URLs while it is read."""
    return _NONCHARACTERS.sub("", text)


def spanned(text: str) -> SpannedText:
    """Return a text that `kept` was used in, with its spans. White space around it is left out."""
    begun: list[tuple[int, str]] = []
    spans: list[Span] = []
    length = 0
    for character in text.strip():
        if character in _MARKS:
            begun.append((length, _MARKS[character]))
        elif character == _ENDS:
            start, mark = begun.pop()
            spans.append(Span(start=start, end=length, opens=mark, closes=mark))
        else:
            length += 1
    return with_spans(without_noncharacters(text.strip()), spans)


def with_spans(text: str, spans: list[Span]) -> SpannedText:
    """Return a text with its spans in order."""
    return SpannedText(text=text, spans=tuple(sorted(spans, key=lambda span: (span.start, -span.end))))
