"""Segments are counted as Twilio bills them; tests/contract compares the count with Twilio's own package."""

import pytest

from switchboard.channels.segments import count_segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 80 + "a", 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # no segment ends inside one: one septet stays empty
        ("’" + "a" * 69, 1),
        ("’" + "a" * 70, 2),
        ("’" + "a" * 133, 2),
        ("’" + "a" * 134, 3),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
        ("👍" * 67, 3),  # 33 in a segment
        ("ç", 1),
        ("ç" * 71, 2),
        ("Ç" * 160, 1),
        ("à\n" * 80, 1),
    ],
)
def test_a_text_is_so_many_segments(text: str, segments: int) -> None:
    assert count_segments(text) == segments
