"""The blocks of code on a page, each with the output that the page shows below it."""

import re

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    """Return a page's examples in a language, each with the output that the page shows, or an empty text."""
    return [(code, shown.rstrip("\n")) for found, code, shown in _BLOCK.findall(page) if found == language]


def matches(shown: str, printed: str) -> bool:
    """Return whether an output is as shown. `…` is any text; line ends are ignored, because curl prints none."""
    pattern = ".*?".join(re.escape(part) for part in shown.replace("\n", "").split("…"))
    return re.fullmatch(pattern, printed.replace("\n", "")) is not None
