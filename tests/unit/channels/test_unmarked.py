"""What is taken for unmarked is the same for every reader of Markdown, and common replies are taken for it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from switchboard.channels.chat import as_markdown
from switchboard.channels.markdown import PLAIN, WHATSAPP, to_phone
from switchboard.channels.spans import SpannedText
from switchboard.channels.unmarked import is_unmarked
from tests.unit.channels.test_graphemes import CHARACTERS
from tests.unit.channels.test_markdown import MARKUP, WORDS

LIKE_MARKS = st.sampled_from(
    ["www.", "a", "é", "1", "=", "+", ": ", ", ", "\n", "\n\n", "\xa0", "\u2028", "\x00", "\ufdd0"]
)


@settings(max_examples=500)
@given(pieces=st.lists(WORDS | MARKUP | LIKE_MARKS | st.sampled_from(CHARACTERS), max_size=8))
@example(["éwww.word"])
@example(["a \nb"])
@example(["a\n\n\nb"])
@example(["a\n    b"])
def test_a_text_that_is_taken_for_unmarked_stays_as_it_is_in_every_channel(pieces: list[str]) -> None:
    text = f"word{''.join(pieces)}"

    if is_unmarked(text):
        assert as_markdown(text) == to_phone(text, PLAIN) == to_phone(text, WHATSAPP) == SpannedText(text=text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello! How can I help you?",
        "Open: Monday to Friday, 9 a.m. - 6 p.m. (closed on holidays).\n\nA tune-up is $75; it takes 2 days 🙂",
        "Écrivez-nous à shop@example.com, c'est 25 % moins cher…",
    ],
)
def test_only_a_text_without_marks_is_taken_for_unmarked(text: str) -> None:
    assert is_unmarked(text)
    assert not is_unmarked(f"**{text}**")
    assert not is_unmarked(f"- {text}")
    assert not is_unmarked(f"{text}\n1. {text}")
