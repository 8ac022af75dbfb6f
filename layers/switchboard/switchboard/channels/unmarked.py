"""Whether a reply is the same in every channel: lines of plain words, which need no reader of Markdown."""

import re

# A line begins with a letter and ends without a space. In it stands nothing that could be a mark, an escape, an entity,
# a table or a URL, and no character that is left out or replaced.
_LINE = r"[^\W\d_](?:[^\s\\`*_~\[\]<>&|:\x00-\x1f\ufdd0-\ufdef]|:(?!\S)| )*(?<! )"
_LINES = re.compile(rf"(?!.*www\.){_LINE}(?:\n\n?{_LINE})*", re.DOTALL)


def is_unmarked(text: str) -> bool:
    """Tell whether a text certainly has no Markdown; False where only a reader of Markdown can tell."""
    return _LINES.fullmatch(text) is not None
