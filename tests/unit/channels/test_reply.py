"""A reply becomes what its channel carries, whatever its Markdown is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.channels.channel import Channel
from switchboard.channels.reply import reply_parts
from switchboard.channels.segments import count_segments, utf_16_units
from switchboard.channels.sms import SmsSettings
from tests.unit.channels.test_graphemes import CHARACTERS
from tests.unit.channels.test_markdown import MARKUP, WORDS

CHANNELS = pytest.mark.parametrize("channel", Channel)
REPLY = """## Repairs

A repair takes **two days**. We do:

- brakes
- wheels, see [the list](https://example.com/wheels_2026)

| Work | Price |
|---|---|
| Brakes | 25 € |
| Wheel | 40 € |

Code `A_1` gives you ~~50~~ 40 €."""


def parts(text: str, channel: Channel, *, max_segments: int = 10) -> tuple[str, ...]:
    return reply_parts(text, channel, sms=SmsSettings(max_segments=max_segments, smart_encoding=True))


def test_one_reply_as_each_channel_shows_it() -> None:
    as_sms = """Repairs

A repair takes two days. We do:

- brakes
- wheels, see the list: https://example.com/wheels_2026

Work: Price
Brakes: 25 €
Wheel: 40 €

Code A_1 gives you (50) 40 €."""
    as_whatsapp = """*Repairs*

A repair takes *two days*. We do:

- brakes
- wheels, see the list: https://example.com/wheels_2026

*Work: Price*
Brakes: 25 €
Wheel: 40 €

Code `A_1` gives you ~50~ 40 €."""

    assert parts(REPLY, Channel.SMS) == (as_sms,)
    assert parts(REPLY, Channel.WHATSAPP) == (as_whatsapp,)
    assert parts(REPLY, Channel.CHAT) == (REPLY,)
    assert parts(REPLY, Channel.OTHER) == (as_sms,)


@CHANNELS
@settings(max_examples=40)
@given(
    pieces=st.lists(WORDS | MARKUP | st.sampled_from((*CHARACTERS, "’", "…", "word ")), min_size=1, max_size=50),
    times=st.integers(min_value=1, max_value=40),
    max_segments=st.sampled_from([1, 3, 10]),
)
def test_each_part_is_within_its_channels_limits(
    channel: Channel, pieces: list[str], times: int, max_segments: int
) -> None:
    text = ("".join(pieces) * times)[:8000]

    bodies = parts(text, channel, max_segments=max_segments)

    assert all(utf_16_units(body) <= 1600 for body in bodies)
    assert len(bodies) <= 10
    assert all(body.strip() for body in bodies) or not text.strip()
    if channel is Channel.SMS:
        assert max(map(count_segments, bodies)) <= max_segments


@CHANNELS
@given(pieces=st.lists(WORDS | MARKUP, max_size=50), times=st.integers(min_value=1, max_value=8))
def test_no_word_is_lost_between_two_parts(channel: Channel, pieces: list[str], times: int) -> None:
    text = " ".join(pieces * times)
    words = re.findall(r"word\d+z", text)

    bodies = parts(text, channel)

    assert sorted(re.findall(r"word\d+z", " ".join(bodies))) == sorted(words)


@CHANNELS
def test_a_link_stays_whole_wherever_the_reply_is_cut(channel: Channel) -> None:
    for length in range(1400, 1640, 15):
        url = f"https://example.com/a_b/{'c' * 90}"

        bodies = parts(f"{'word ' * (length // 5)}[here]({url}) and more", channel)

        assert any(url in body for body in bodies)


def test_whatsapp_gets_one_part_where_sms_gets_two() -> None:
    text = "слово " * 200

    assert len(parts(text, Channel.WHATSAPP)) == 1
    assert len(parts(text, Channel.SMS)) == 2


def test_a_long_block_of_code_in_a_chat_is_a_block_in_each_part() -> None:
    bodies = parts("Run:\n\n```python\n" + "print('hello')\n" * 120 + "```\n\nDone.", Channel.CHAT)

    assert [body.count("```") % 2 for body in bodies] == [0] * len(bodies)
    assert all(body.startswith(("Run:", "```python\n", "Done.")) for body in bodies)


@CHANNELS
@pytest.mark.parametrize("text", ["`\n`", "` `", "**\n**", "```\n\n```", "> ", "#"])
def test_a_text_of_nothing_but_marks_is_sent_as_it_is(channel: Channel, text: str) -> None:
    [body] = parts(text, channel)

    assert body.split() == text.split()
