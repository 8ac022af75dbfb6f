"""Which channel a customer's address is of."""

import pytest

from switchboard.channels.channel import Channel, channel_of, narrowest


@pytest.mark.parametrize(
    ("author", "channel"),
    [
        ("+12025550110", Channel.SMS),
        ("sms:+12025550110", Channel.SMS),
        ("68849", Channel.SMS),
        ("whatsapp:+12025550110", Channel.WHATSAPP),
        ("WhatsApp:US.13491208655302741918", Channel.WHATSAPP),
        ("messenger:1234", Channel.OTHER),
        ("rcs:+12025550110", Channel.OTHER),
        ("email:kim@example.com", Channel.OTHER),
        ("apple:1-2-3", Channel.OTHER),
        ("x.y-z+1:anything", Channel.OTHER),
        ("visitor-00000000000000000000000000000001", Channel.CHAT),
        ("kim@example.com", Channel.CHAT),
        ("", Channel.CHAT),
    ],
)
def test_an_address_tells_its_channel(author: str, channel: Channel) -> None:
    assert channel_of(author) is channel


def test_of_several_the_one_that_carries_least_is_written_for() -> None:
    assert narrowest([Channel.CHAT, Channel.WHATSAPP]) is Channel.WHATSAPP
    assert narrowest([Channel.CHAT, Channel.SMS, Channel.OTHER]) is Channel.SMS
    assert narrowest([Channel.WHATSAPP, Channel.OTHER]) is Channel.OTHER
