"""The values of agent.py: what an answer may bring."""

from typing import Any

import pytest

from switchboard.agent import Answer
from switchboard.errors import Misconfigured


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ("menu.pdf", "texts in a tuple"),
        ((1,), "texts in a tuple"),
        (("menu.pdf",) * 6, "has 6 files"),
        (("http://example.com/menu.pdf",), "begins with https://"),
        (("file:///etc/hostname",), "begins with https://"),
        (("https://example.com/ and more",), "begins with https://"),
        (("https://example.com/\nmore",), "begins with https://"),
    ],
)
def test_files_that_are_neither_names_nor_links_are_refused(files: Any, why: str) -> None:  # noqa: ANN401 -- wrong types
    with pytest.raises(Misconfigured, match=why):
        Answer(text="Here.", files=files)


def test_links_and_names_are_told_apart() -> None:
    answer = Answer(text="Here.", files=("menu.pdf", "https://example.com/menu.pdf"))

    assert (answer.file_names, answer.links) == (("menu.pdf",), ("https://example.com/menu.pdf",))
