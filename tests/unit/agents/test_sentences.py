"""Where a text that was cut off may end."""

import pytest

from switchboard.agents.sentences import whole_sentences


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("We open at nine. We also sell mountain bik", "We open at nine."),
        ("**We open at nine.** We also", "**We open at nine.**"),
        ('They said "no." Then th', 'They said "no."'),
        ("Really?! Ye", "Really?!"),
        ("It costs 20. We", "It costs 20."),
        ("Two:\n1. A bike. It is red.\n2. A hel", "Two:\n1. A bike. It is red."),
        ("你好。我们卖", "你好。"),
        ("متى؟ نحن", "متى؟"),
        ("हम नौ बजे खुलते हैं। हम", "हम नौ बजे खुलते हैं।"),
        ("We open at nine.", "We open at nine."),
    ],
)
def test_it_ends_at_the_last_whole_sentence(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole


@pytest.mark.parametrize(
    "text",
    [
        "we sell mountain bik",
        "It",
        "1. Bikes\n2. Helm",
        "It costs $1.",
        "Ask Dr. Smi",
        "Bring e.g. a hel",
        "See https://shop.example.",
        "",
    ],
)
def test_what_holds_no_whole_sentence_is_left_out(text: str) -> None:
    assert whole_sentences(text) == ""
