"""Markdown for a web chat, as it is, with the spans at which it must not be cut."""

import re
from collections.abc import Iterator

from switchboard.channels.markdown import MARKDOWN
from switchboard.channels.spans import Span, SpannedText, source, with_spans

_KEPT = re.compile(
    r"!?\[[^\[\]\n]*\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)"  # a link
    r"|(?<!`)(?P<ticks>`{1,3})(?!`)[^`\n]+(?P=ticks)(?!`)"
    r"|[A-Za-z][A-Za-z0-9+.-]*://[^\s<>]+"
    r"|(?P<mark>\*\*|__|~~|[*_])(?=\S)[^\n*_~]{1,200}(?<=\S)(?P=mark)"
)


def as_markdown(text: str) -> SpannedText:
    """Return a Markdown text as it is, with its spans."""
    written = source(text)
    marked = (Span(start=found.start(), end=found.end()) for found in _KEPT.finditer(written))
    return with_spans(written, [*_blocks(written), *marked])


def _blocks(text: str) -> Iterator[Span]:
    """Yield the blocks that are nothing without their first or last line: code, and tables."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for token in MARKDOWN.parse(text):
        if token.map and token.type in {"fence", "code_block", "table_open"}:
            start, end = starts[token.map[0]], min(starts[token.map[1]] - 1, len(text))
            is_fenced = token.type == "fence"
            opens = f"{token.markup}{token.info}\n" if is_fenced else ""
            yield Span(start=start, end=end, opens=opens, closes=f"\n{token.markup}" if is_fenced else "")
