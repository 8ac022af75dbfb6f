"""What a reader takes for one character is not cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.channels.graphemes import graphemes, is_boundary

CHARACTERS = (
    "a",
    "é",
    "e\u0301",  # an accent of its own
    "👍🏽",  # with a skin tone
    "👩🏽‍💻",  # three joined
    "👨‍👩‍👧‍👦",
    "🇩🇪",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England
    "❤️",
    "1️⃣",
    "한",
    "\u1112\u1161\u11ab",  # the same in single letters
    "ที่",
    "שָׁ",
    "中",
    "。",
)
CONJUNCT = "\u0915\u094d\u0937\u093f"  # क्षि


@given(characters=st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=12))
def test_a_text_falls_into_its_characters(characters: list[str]) -> None:
    assert list(graphemes("".join(characters))) == characters


@given(characters=st.lists(st.sampled_from((*CHARACTERS, CONJUNCT)), max_size=12))
def test_a_boundary_is_where_a_character_ends(characters: list[str]) -> None:
    text = "".join(characters)
    ends = {sum(map(len, characters[:count])) for count in range(len(characters) + 1)}

    assert {index for index in range(len(text) + 1) if is_boundary(text, index)} == ends


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("", []),
        ("\r\n", ["\r\n"]),
        ("\n\u0301", ["\n", "\u0301"]),
        ("🇩🇪🇫🇷🇮", ["🇩🇪", "🇫🇷", "🇮"]),
        ("a\u200d👩", ["a\u200d", "👩"]),
    ],
)
def test_at_the_edges(text: str, characters: list[str]) -> None:
    assert list(graphemes(text)) == characters
