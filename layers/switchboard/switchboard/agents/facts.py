"""A folder of Markdown files read as facts: one list item or paragraph each, under the heading it stands below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"#{1,6}\s+(?P<text>.+?)\s*#*")
_ITEM = re.compile(r"(?:[-*+]|\d+[.)])\s+(?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known, in words that can be told to a customer; `topic` is the heading above it."""

    topic: str
    text: str


def read_folder(folder: Path) -> Iterator[Fact]:
    """Yield the facts of every `*.md` below a folder, files in the order of their names."""
    for file in sorted(folder.rglob("*.md")):
        yield from read_markdown(file.read_text(encoding="utf-8"))


def read_markdown(markdown: str) -> Iterator[Fact]:
    """Yield each list item and each paragraph; lines that go on with one belong to it."""
    topic = ""
    lines: list[str] = []
    for line in (*map(str.strip, markdown.splitlines()), ""):
        heading = _HEADING.fullmatch(line)
        item = _ITEM.fullmatch(line)
        if lines and (heading or item or not line):
            yield Fact(topic, " ".join(lines))
            lines = []
        if heading:
            topic = heading["text"]
        elif item:
            lines = [item["text"]]
        elif line:
            lines.append(line)
