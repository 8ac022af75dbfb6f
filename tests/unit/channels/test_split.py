"""Split: a reply is cut into parts that a channel can carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.channels.split import MAX_PART_CHARACTERS, MAX_PARTS, split_body

WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1), min_size=1)


@given(text=st.text(max_size=5) | WORDS.map(lambda words: " ".join(words * 300)))
def test_every_part_fits_and_there_are_at_most_ten(text: str) -> None:
    cut = split_body(text)

    assert 1 <= len(cut) <= MAX_PARTS
    assert all(len(part) <= MAX_PART_CHARACTERS for part in cut)


@given(words=WORDS.map(lambda words: (words * 500)[:1500]))
def test_no_word_of_a_reply_that_fits_into_ten_parts_is_lost(words: list[str]) -> None:
    text = " ".join(words)[: MAX_PART_CHARACTERS * MAX_PARTS // 2]

    assert "".join("".join(split_body(text)).split()) == "".join(text.split())


@pytest.mark.parametrize("length", [1599, 1600, 1601, 3200, 3201, 15_999, 16_000, 16_001])
@pytest.mark.parametrize("text", ["a", "a ", "1,599 \n"])
def test_no_part_is_a_character_too_long(text: str, length: int) -> None:
    cut = split_body((text * length)[:length])

    assert max(map(len, cut)) <= 1600  # Twilio refuses a longer body on SMS and WhatsApp


def test_a_reply_that_just_fits_is_one_part() -> None:
    assert split_body("a" * 1600) == ("a" * 1600,)


def test_a_reply_is_cut_at_a_paragraph_before_a_line_before_a_word() -> None:
    paragraph, line, word = "a" * 900 + "\n\n", "b" * 300 + "\n", "c" * 300 + " "

    assert split_body(f"{paragraph}{line}{word}{'d' * 200}") == (
        "a" * 900,
        f"{line}{word}{'d' * 200}",
    )


def test_a_reply_that_does_not_fit_into_ten_parts_ends_with_an_ellipsis() -> None:
    cut = split_body("word " * 10_000)

    assert len(cut) == MAX_PARTS
    assert cut[-1].endswith("…")
