"""Split: a reply is cut into parts that a channel can carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.channels.spans import Span, SpannedText, kept, spanned
from switchboard.channels.split import MAX_PART_CHARACTERS, MAX_PARTS, split_text
from tests.unit.channels.test_graphemes import CHARACTERS, CONJUNCT

WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C", "M"]), min_size=1), min_size=1)


def split_body(text: str) -> tuple[str, ...]:
    return split_text(SpannedText(text=text.strip()))


@given(text=st.text(max_size=5) | WORDS.map(lambda words: " ".join(words * 300)))
def test_every_part_fits_and_there_are_at_most_ten(text: str) -> None:
    cut = split_body(text)

    assert 1 <= len(cut) <= MAX_PARTS
    assert all(len(part) <= MAX_PART_CHARACTERS for part in cut)


@given(words=WORDS.map(lambda words: (words * 500)[:1500]))
def test_no_word_of_a_reply_that_fits_into_ten_parts_is_lost(words: list[str]) -> None:
    text = " ".join(words)[: MAX_PART_CHARACTERS * MAX_PARTS // 4]

    assert "".join("".join(split_body(text)).split()) == "".join(text.split())


@given(characters=st.lists(st.sampled_from((*CHARACTERS, CONJUNCT, " ")), min_size=30, max_size=60))
def test_no_character_of_a_readers_is_cut(characters: list[str]) -> None:
    whole = (characters * 40)[:1500]
    starts = {sum(map(len, whole[:count])) for count in range(len(whole) + 1)}

    at = 0
    for part in split_text(SpannedText(text="".join(whole)), fits=lambda part: len(part) <= 50, max_parts=1000):
        at = "".join(whole).index(part, at)
        assert {at, at + len(part)} <= starts
        at += len(part)


@pytest.mark.parametrize("length", [1599, 1600, 1601, 3200, 3201, 15_999, 16_000, 16_001])
@pytest.mark.parametrize("text", ["a", "a ", "1,599 \n"])
def test_no_part_is_a_character_too_long(text: str, length: int) -> None:
    cut = split_body((text * length)[:length])

    assert max(map(len, cut)) <= 1600  # Twilio refuses a longer body on SMS and WhatsApp


def test_a_reply_that_just_fits_is_one_part() -> None:
    assert split_body("a" * 1600) == ("a" * 1600,)
    assert len(split_body("👍" * 800)) == 1
    assert len(split_body("👍" * 801)) == 2  # Twilio counts two for each


def test_a_reply_is_cut_at_a_paragraph_before_a_line_before_a_word() -> None:
    paragraph, line, word = "a" * 900 + "\n\n", "b" * 300 + "\n", "c" * 300 + " "

    assert split_body(f"{paragraph}{line}{word}{'d' * 200}") == (
        "a" * 900,
        f"{line}{word}{'d' * 200}",
    )


def test_a_reply_is_cut_at_a_sentence_before_a_word() -> None:
    text = "We open at noon. " * 60 + "It costs 1.50 € or 1. more " * 30

    assert split_body(text)[0].endswith("We open at noon.")
    assert split_body("营业时间是九点。" * 250)[0].endswith("。")


def test_a_reply_that_does_not_fit_into_ten_parts_ends_with_an_ellipsis() -> None:
    cut = split_body("word " * 10_000)

    assert len(cut) == MAX_PARTS
    assert cut[-1].endswith("word...")


def test_an_accent_stays_with_its_letter() -> None:
    assert split_body("a" * 1599 + "e\u0301") == ("a" * 1599, "e\u0301")


def test_a_link_is_not_cut() -> None:
    url = "https://example.com/" + "a" * 100

    assert split_text(SpannedText(text="b" * 1550 + url, spans=(Span(start=1550, end=1550 + len(url)),))) == (
        "b" * 1550,
        url,
    )


def test_code_that_is_too_long_is_cut_at_a_line_and_marked_twice() -> None:
    line = "print('hello')\n"
    first, second = split_text(spanned(f"See:\n\n{kept(line * 106 + 'end', '```')}"))[0:2]

    assert first == "See:"
    assert second.startswith("```print")
    parts = split_text(spanned(kept(line * 120 + "end", "```")))
    assert [part.count("```") for part in parts] == [2, 2]
    assert parts[0].endswith(f"{line.strip()}```")


def test_bold_words_are_cut_only_where_they_are_too_long() -> None:
    short = split_text(spanned(f"{'a ' * 795}{kept('very bold words', '*')}"))
    long = split_text(spanned(kept("bold " * 400 + "end", "*")))

    assert short[1] == "*very bold words*"
    assert [part[0] + part[-1] for part in long] == ["**", "**"]
