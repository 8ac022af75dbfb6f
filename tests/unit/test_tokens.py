"""Tokens without a tokenizer: the estimate is never below what a text costs, and cut texts keep to their limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.tokens import CUT, cut_longest, cut_text, estimate_tokens, keep_newest

MARK = estimate_tokens(f"\n{CUT}")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("when are you open", 9),
        ("WHY? 4711", 9),
        ("自行车", 9),
        ("🚲🚲", 8),
        ("\ud83d", 3),  # half of an emoji, as a broken client sends it
    ],
)
def test_letters_and_spaces_count_half_other_ascii_one_and_everything_else_its_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(text=st.text(st.characters(), max_size=200), tokens=st.integers(MARK, 60))
def test_a_cut_text_keeps_to_its_limit_and_is_the_beginning_with_a_mark(text: str, tokens: int) -> None:
    shown = cut_text(text, tokens)

    assert estimate_tokens(shown) <= tokens
    assert shown == text or (shown.endswith(CUT) and text.startswith(shown.removesuffix(CUT).removesuffix("\n")))


@given(texts=st.lists(st.text(max_size=60), max_size=12), tokens=st.integers(12 * MARK, 300))
def test_the_newest_texts_stay_whole_as_long_as_there_is_room(texts: list[str], tokens: int) -> None:
    kept = keep_newest(texts, tokens)

    assert len(kept) == len(texts)
    assert sum(map(estimate_tokens, kept)) <= tokens
    whole = [shown == text for shown, text in zip(kept, texts, strict=True) if estimate_tokens(text) > MARK]
    assert whole == sorted(whole)


@given(texts=st.lists(st.text(max_size=60), max_size=12), tokens=st.integers(12 * MARK, 300))
def test_the_longest_texts_are_cut_to_one_length_and_no_shorter_one_is(texts: list[str], tokens: int) -> None:
    shown = cut_longest(texts, tokens)

    assert sum(map(estimate_tokens, shown)) <= tokens
    whole = [estimate_tokens(text) for text, part in zip(texts, shown, strict=True) if text == part]
    cut = [estimate_tokens(text) for text, part in zip(texts, shown, strict=True) if text != part]
    assert not cut or max(whole, default=0) <= min(cut)
