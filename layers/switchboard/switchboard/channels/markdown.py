"""Markdown, as far as a phone can show it: WhatsApp's marks, or plain text.

A mark that the channel does not have is left out; words, numbers, URLs and code stay as they are. `2 * 3`, `snake_case`
and `__init__` are no marks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import override

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.tree import SyntaxTreeNode

from switchboard.channels.marks import is_literal, is_told_apart, without_loose_marks, without_tags
from switchboard.channels.spans import SpannedText, kept, source, spanned, without_noncharacters
from switchboard.channels.urls import URL_ENDS, SetAside, has_url, words_and_url

PAIR = 2  # columns
MAX_DEPTH = 40  # of blocks in each other; what is in deeper ones, no reader of Markdown would show


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The marks of a channel; an empty one is left out."""

    bold: str = ""
    italic: str = ""
    struck: str = ""
    code: str = ""
    code_block: str = ""
    quote: str = ""


_RUNS_ON = re.compile(r"[.,;:!?)\]'\"…]*[^\s.,;:!?)\]'\"…]")  # what stands behind a URL, up to a word

_LANGUAGE = re.compile(r"[A-Za-z+#.-]*")  # behind ```: of a program; anything else there is text

PLAIN = Marks()
WHATSAPP = Marks(bold="*", italic="_", struck="~", code="`", code_block="```", quote="> ")


class _Markdown(MarkdownIt):
    """Reads Markdown without a change to any link. A definition of a link for later (`[1]: https://…`) stays text."""

    def __init__(self) -> None:
        super().__init__("js-default", {"maxNesting": MAX_DEPTH})
        self.disable(["reference", "lheading", "text_join"])

    @override
    def normalizeLink(self, url: str) -> str:
        return url

    @override
    def validateLink(self, url: str) -> bool:
        return True


MARKDOWN = _Markdown()


def to_phone(text: str, marks: Marks) -> SpannedText:
    """Return a Markdown text as a phone shows it; a text of nothing but marks stays as it is."""
    written = source(text)
    urls = SetAside(written)
    tokens = MARKDOWN.parse(urls.text)
    if any(token.level >= MAX_DEPTH - 1 for token in tokens):
        return SpannedText(text=written)
    writer = _Writer(urls=urls, marks=marks, lines=urls.text.split("\n"))
    result = spanned(urls.restore(writer.blocks(SyntaxTreeNode(tokens).children), kept))
    return result if result.text.strip() else SpannedText(text=written)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Writes what was read. `lines` are those of the source: where it has an empty one, there is one."""

    urls: SetAside
    marks: Marks
    lines: Sequence[str]

    def blocks(self, nodes: Sequence[SyntaxTreeNode]) -> str:
        text = ""
        for node in nodes:
            block = self._block(node)
            if block:
                text += f"{self._gap(node) if text else ''}{block}"
        return text

    def _gap(self, node: SyntaxTreeNode) -> str:
        """Return the line ends before a block: an empty line where the source has one."""
        before = self.lines[node.map[0] - 1] if node.map and node.map[0] <= len(self.lines) else ""
        return "\n" if before.strip(" \t>-*_") else "\n\n"  # a rule of dashes is left out

    def _block(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "heading":
                return self._heading(node)
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "fence":
                info = node.info.strip()
                return self._code_block(f"{'' if _LANGUAGE.fullmatch(info) else f'{info}\n'}{node.content}".strip("\n"))
            case "code_block":
                return self._code_block(node.content.removesuffix("\n"))
            case "blockquote":
                return self._quote(self.blocks(node.children))
            case "table":
                return self._table(node)
            case "hr":
                return ""
            case "inline":
                return self.inline(node.children)
            case _:
                return self.blocks(node.children)

    def _heading(self, node: SyntaxTreeNode) -> str:
        return self._bold_line(replace(self, marks=replace(self.marks, bold="")).blocks(node.children))

    def _bold_line(self, text: str) -> str:
        mark = self.marks.bold
        is_marked = mark and not has_url(text) and is_told_apart(mark, without_noncharacters(text))
        return kept(text, mark) if is_marked else text

    def _code_block(self, content: str) -> str:
        mark = self.marks.code_block
        return kept(content, mark if mark not in content else "") if content.strip() else ""

    def _quote(self, text: str) -> str:
        # "> 5 kg" at the beginning of a line may mean "more than 5 kg".
        mark = self.marks.quote or ("> " if without_noncharacters(text)[:1].isdigit() else "")
        lines = text.split("\n") if text else ()
        return "\n".join(line if line.startswith(mark) else f"{mark}{line}" for line in lines)

    def _list(self, node: SyntaxTreeNode) -> str:
        text = ""
        for number, item in enumerate(node.children):
            gap = self._gap(item) if text else ""
            text += f"{gap}{_bullet(node, number)} {self._item(item)}".rstrip(" ")
        return text

    def _item(self, item: SyntaxTreeNode) -> str:
        text = ""
        for node in item.children:
            block = self._block(node)
            if node.type in {"bullet_list", "ordered_list"}:
                block = "\n".join(f"  {line}" for line in block.split("\n"))
            text += f"{self._gap(node) if text else ''}{block}"
        return text

    def _table(self, node: SyntaxTreeNode) -> str:
        """Return a table of two columns as `first: second`, any other one with each cell behind its heading."""
        head, *rows = [self._cells(row) for section in node.children for row in section.children]
        if max(map(len, [head, *rows])) <= PAIR:
            first = self._bold_line(": ".join(filter(None, head)))
            return "\n".join(filter(None, [first, *(": ".join(filter(None, row)) for row in rows)]))
        if not rows:
            return ", ".join(filter(None, head))
        return "\n".join(filter(None, (_labelled(head, row) for row in rows)))

    def _cells(self, row: SyntaxTreeNode) -> list[str]:
        cells = [self.blocks(cell.children) for cell in row.children]
        line = self.lines[row.map[0]] if row.map and row.map[0] < len(self.lines) else ""
        written = escapedSplit(line.strip(" \t>").removeprefix("|").removesuffix("|"))
        surplus = written[len(cells) :]  # more cells than the heading has: they are text, too
        cells += [self.blocks(SyntaxTreeNode(MARKDOWN.parse(cell.strip())).children) for cell in surplus]
        return [" ".join(cell.split("\n")).strip() for cell in cells]

    def inline(self, nodes: Sequence[SyntaxTreeNode]) -> str:
        text = ""
        for number, node in enumerate(nodes):
            before = without_noncharacters(text)[-1:]
            after = _next_text(nodes[number + 1 :])
            text += self._inline(node, before=before, after=after[:1])
            if text.endswith(URL_ENDS) and _RUNS_ON.match(after):
                text += " "
        return text

    def _inline(self, node: SyntaxTreeNode, *, before: str, after: str) -> str:
        match node.type:
            case "text":
                return without_loose_marks(without_tags(node.content))
            case "softbreak" | "hardbreak":
                return "\n"
            case "code_inline":
                mark = self.marks.code
                return kept(node.content, mark if mark not in node.content else "")
            case "strong":
                return self._marked(node, self.marks.bold, before=before, after=after)
            case "em":
                return self._marked(node, self.marks.italic, before=before, after=after)
            case "s":
                return self._struck(node, before=before, after=after)
            case "link" | "image":
                return self._link(node)
            case _:
                return self.inline(node.children) if node.children else node.content

    def _marked(self, node: SyntaxTreeNode, mark: str, *, before: str, after: str) -> str:
        text = self.inline(node.children)
        words = without_noncharacters(text)
        if is_literal(node.markup, words, before=before, after=after):
            return f"{node.markup}{text}{node.markup}"
        is_marked = mark and not has_url(text) and is_told_apart(mark, words, before=before, after=after)
        return kept(text, mark) if is_marked else text

    def _struck(self, node: SyntaxTreeNode, *, before: str, after: str) -> str:
        """Return struck text in brackets where it cannot be struck: `~~50 €~~ 40 €` must not read as two prices."""
        text = self._marked(node, self.marks.struck, before=before, after=after)
        return text if self.marks.struck and text.startswith(kept("", self.marks.struck)[0]) else f"({text})"

    def _link(self, node: SyntaxTreeNode) -> str:
        """Return a link as its words and its URL. A bracket behind a URL would become part of it on many phones."""
        url = self.urls.restore(str(node.attrs.get("src" if node.type == "image" else "href", "")))
        words = (node.content if node.type == "image" else self.inline(node.children)).strip()
        return words_and_url(words, self.urls.restore(words), url, keep=self.urls.keep)


def _bullet(node: SyntaxTreeNode, number: int) -> str:
    """Return what stands before an item: `+ 5 kg` keeps its sign, and numbers that differ are the written ones."""
    item = node.children[number]
    if node.type == "bullet_list":
        return "+" if item.markup == "+" else "-"
    written = [each.info for each in node.children]
    first = int(written[0] or 1)
    return f"{written[number] if len(set(written)) == len(written) else first + number}{item.markup}"


def _labelled(head: Sequence[str], row: Sequence[str]) -> str:
    labels = [*head, *[""] * (len(row) - len(head))]
    cells = zip(labels, row, strict=False)
    return ", ".join(f"{label.rstrip(':')}: {cell}" if label else cell for label, cell in cells if cell)


def _next_text(nodes: Sequence[SyntaxTreeNode]) -> str:
    """Return the beginning of what comes next; empty at the end."""
    for node in nodes:
        if node.type in {"softbreak", "hardbreak"}:
            return "\n"
        if text := without_noncharacters(node.content) or _next_text(node.children):
            return text
    return ""
