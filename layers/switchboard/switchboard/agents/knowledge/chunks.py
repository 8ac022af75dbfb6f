"""Read a folder of Markdown files as chunks: each list item and each paragraph is one, with the heading above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from switchboard.errors import Misconfigured

_HEADING = re.compile(r"#{1,6}\s+(?P<text>.+?)\s*#*")
_ITEM = re.compile(r"(?:[-*+]|\d+[.)])\s+(?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of text that can be told to a customer; `topic` is the heading above it."""

    topic: str
    text: str


def read_folder(folder: Path) -> Iterator[Chunk]:
    """Yield the chunks of every `*.md` file in a folder and its subfolders, files in the order of their names."""
    for file in sorted(folder.rglob("*.md")):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Misconfigured(f"{file.relative_to(folder.parent)} is not UTF-8: save it as UTF-8") from None
        yield from read_markdown(text)


def read_markdown(markdown: str) -> Iterator[Chunk]:
    """Yield each list item and each paragraph of a text; its continuation lines belong to it."""
    topic = ""
    lines: list[str] = []
    for line in (*map(str.strip, markdown.splitlines()), ""):
        heading = _HEADING.fullmatch(line)
        item = _ITEM.fullmatch(line)
        if lines and (heading or item or not line):
            yield Chunk(topic, " ".join(lines))
            lines = []
        if heading:
            topic = heading["text"]
        elif item:
            lines = [item["text"]]
        elif line:
            lines.append(line)
