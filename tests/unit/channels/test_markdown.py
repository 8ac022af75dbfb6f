"""Markdown on a phone: WhatsApp's marks, or plain text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.channels.markdown import PLAIN, WHATSAPP, to_phone

POLICY = "https://example.com/refunds_2026"


def plain(text: str) -> str:
    return to_phone(text, PLAIN).text


def whatsapp(text: str) -> str:
    return to_phone(text, WHATSAPP).text


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 = 6",
        "2*3*4 = 24 and 10€*3*2 = 60€",
        "2**3**4",
        "a*b*c",
        "snake_case_name and __init__ and _a_b_",
        "1,599.00 € - 10 % = 1.439,10 €",
        "5* hotel, ~5 minutes, #1, C# & R&D, <name>",
        "+ 5 kg",
        "> 5 kg cost more",
        "1986. A great year",
        "[1]: https://example.com/a_b, see [1]",
        "https://example.com/a_b_c?x=*1*&copy=2&lt;=3#_top_",
        "(https://en.wikipedia.org/wiki/Wheel_(bicycle)).",
        "www.example.com/_a_ and first_last@example.com",
        "שלום, מה השעה? 👨‍👩‍👧 🇩🇪 e\u0301",
        "***",
        "#",
    ],
)
def test_what_is_no_mark_stays_as_it_is(text: str) -> None:
    assert plain(text) == text
    assert whatsapp(text) == text


@pytest.mark.parametrize(
    ("text", "as_plain", "as_whatsapp"),
    [
        ("**b** *i* _i_ __B and c__ ***bi***", "b i i B and c bi", "*b* _i_ _i_ *B and c* _*bi*_"),
        ("**https://example.com/a_b**", "https://example.com/a_b", "https://example.com/a_b"),
        ("**bold**ly", "boldly", "boldly"),
        ("**two\nlines**", "two\nlines", "two\nlines"),
        ("**Price:**5 € **重要：**请", "Price:5 € 重要：请", "Price:5 € 重要：请"),
        ("**never closed", "never closed", "never closed"),
        ("~~50 €~~ 40 €", "(50 €) 40 €", "~50 €~ 40 €"),
        ("# Note\ntext", "Note\ntext", "*Note*\ntext"),
        ("# **Note** 2\n\ntext", "Note 2\n\ntext", "*Note 2*\n\ntext"),
        ("a\n\n---\n\nb", "a\n\nb", "a\n\nb"),
        ("* a\n* b\n  - c", "- a\n- b\n  - c", "- a\n- b\n  - c"),
        ("1. a\n1. b", "1. a\n2. b", "1. a\n2. b"),
        ("2. a\n4. b", "2. a\n4. b", "2. a\n4. b"),
        ("> said\n> she", "said\nshe", "> said\n> she"),
        ("`a * b`", "a * b", "`a * b`"),
        ("a<br>b <b>c</b>", "a\nb c", "a\nb c"),
        ("\\*a\\* &amp; &lt;b&gt;", "*a* & <b>", "*a* & <b>"),
        ("```py\nx = 2 * 3\n  __y__\n```", "x = 2 * 3\n  __y__", "```x = 2 * 3\n  __y__```"),
        (
            "![a wheel](https://example.com/w.png)",
            "a wheel: https://example.com/w.png",
            "a wheel: https://example.com/w.png",
        ),
    ],
)
def test_a_mark_becomes_what_the_phone_has(text: str, as_plain: str, as_whatsapp: str) -> None:
    assert plain(text) == as_plain
    assert whatsapp(text) == as_whatsapp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"**refund policy**: [refund policy]({POLICY})", f"refund policy: refund policy: {POLICY}"),
        (f"[{POLICY}]({POLICY})", POLICY),
        (f"[example.com/refunds_2026]({POLICY}/)", f"{POLICY}/"),
        (f"<{POLICY}>", POLICY),
        (f"[]({POLICY})", POLICY),
        (f"[Ready?]({POLICY})", f"Ready? {POLICY}"),
        (f"[policy]({POLICY}).", f"policy: {POLICY}."),
        (f"[policy]({POLICY})and more", f"policy: {POLICY} and more"),
        (f"([policy]({POLICY}))", f"(policy: {POLICY})"),
        ("[wheel](https://example.com/w_(a)_b)", "wheel: https://example.com/w_(a)_b"),
        ("[mail](mailto:a_b@example.com)", "mail: a_b@example.com"),
        ("[a_b@example.com](mailto:a_b@example.com)", "a_b@example.com"),
        ("[call](tel:+12025550110)", "call: +12025550110"),
        ("[ü](https://example.com/ü?q=a%20b)", "ü: https://example.com/ü?q=a%20b"),
    ],
)
def test_a_link_is_its_words_and_its_url(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_table_of_two_columns_is_a_line_for_each_row() -> None:
    table = "| Day | Hours |\n|---|---|\n| Mon | 9-17 |\n| Tue | |"

    assert plain(table) == "Day: Hours\nMon: 9-17\nTue"
    assert whatsapp(table) == "*Day: Hours*\nMon: 9-17\nTue"


def test_a_wider_table_has_each_cell_behind_its_heading() -> None:
    table = "Open:\n\n| Day | Opens | |\n|---|---|---|\n| Mon | **9** | late | till 20 |"

    assert plain(table) == "Open:\n\nDay: Mon, Opens: 9, late, till 20"


def test_what_is_nested_too_deeply_stays_as_it_is() -> None:
    text = ">" * 200 + " deep"

    assert plain(text) == text


WORDS = st.integers(min_value=0, max_value=99).map("word{}z".format)
MARKS = (
    "** * _ __ ~~ ` [ ] ( ) ! \\ | > < : . - # $ & ' <br> --- ``` ~~~ ](https://example.com/a_b*c) https://example.com/"
)
MARKUP = st.sampled_from(
    [*MARKS.split(), "\n", "\n\n", " ", "    ", "\t", "# ", "- ", "1. ", "> ", "| ", "|---|---|\n", "```\n", "[1]: "]
)


@given(pieces=st.lists(WORDS | MARKUP, max_size=60))
def test_no_word_is_lost_whatever_the_marks(pieces: list[str]) -> None:
    text = "".join(pieces)
    words = sorted(re.findall(r"word\d+z", text))

    assert sorted(re.findall(r"word\d+z", plain(text))) == words
    assert sorted(re.findall(r"word\d+z", whatsapp(text))) == words


@given(text=st.text(min_size=1))
def test_no_text_becomes_empty(text: str) -> None:
    assert bool(plain(text)) is bool(text.strip())
    assert bool(whatsapp(text)) is bool(text.strip())
