"""The price table: what a reply costs by channel, category and market, and what is unknown."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from switchboard.channels.channel import Channel, channel_of
from switchboard.cost import Cost, MessageCategory, facts_of_cost
from switchboard.errors import Misconfigured
from switchboard.prices import NO_PRICES, parse_prices

TABLE = """
currency = "USD"
unpriced = ["+1242"]

[sms."+1"]
segment = 0.0083
source = "https://example.com/us"
as_of = 2026-11-09

[sms."+4"]
segment = 0.5
source = "https://example.com/none"
as_of = 2026-11-09

[sms."+44"]
segment = 0.05
carrier_fee = 0.006
source = "https://example.com/gb"
as_of = 2026-11-09

[whatsapp.twilio]
message = 0.005
source = "https://example.com/whatsapp"
as_of = 2026-11-09

[whatsapp.meta]
source = "https://example.com/meta"
as_of = 2026-10-01

[whatsapp.markets]
"+1" = { service = 0.0034, marketing = 0.025 }
"+351" = { service = 0.0171 }

[chat]
message = 0
source = "https://example.com/chat"
as_of = 2026-11-09
"""
PRICES = parse_prices(TABLE, name="prices.toml")
SHIPPED = Path(__file__).parents[2] / "functions" / "agent" / "prices.toml"


def cost(
    address: str, *parts: str, channel: Channel | None = None, category: MessageCategory = MessageCategory.SERVICE
) -> Cost:
    return PRICES.cost(channel or channel_of(address), address, parts or ("hi",), category=category)


@pytest.mark.parametrize(
    ("address", "parts", "market", "price"),
    [
        ("+12025550110", ("hi",), "+1", "0.0083"),
        ("sms:+12025550110", ("hi",), "+1", "0.0083"),
        ("+12025550110", ("x" * 161, "hi"), "+1", "0.0249"),
        ("+12025550110", ("\N{GRINNING FACE}" * 36,), "+1", "0.0166"),
        ("+44700", ("hi",), "+44", "0.056"),
        ("whatsapp:+12025550110", ("x" * 1000, "hi"), "+1", "0.0168"),
        ("whatsapp:+35100", ("hi",), "+351", "0.0221"),
        ("visitor-1", ("hi", "there"), "", "0"),
    ],
)
def test_a_reply_costs_what_the_longest_calling_code_says(
    address: str, parts: Sequence[str], market: str, price: str
) -> None:
    told = cost(address, *parts)

    assert (told.market, told.price, told.currency, told.messages) == (market, Decimal(price), "USD", len(parts))


@pytest.mark.parametrize(
    "address",
    ["+33100", "+12425550110", "whatsapp:+44700", "whatsapp:+12425550110", "12345", "messenger:1"],
)
def test_what_the_table_does_not_have_is_unknown_and_never_free(address: str) -> None:
    told = cost(address, "hi")

    assert (told.market, told.price, told.currency, told.messages) == ("", None, "", 1)
    assert told.segments == (1 if told.channel is Channel.SMS else 0)


def test_each_category_has_its_price_or_none() -> None:
    prices = [cost("whatsapp:+12025550110", category=category).price for category in MessageCategory]

    assert prices == [Decimal("0.0084"), None, Decimal("0.030"), None]


def test_where_the_reply_was_made_for_another_channel_nobody_knows_who_is_billed_for() -> None:
    told = cost("whatsapp:+12025550110", "hi", channel=Channel.SMS)

    assert (told.price, told.segments) == (None, 1)


@pytest.mark.parametrize("address", ["+12025550110", "+33100", "whatsapp:+12025550110", "visitor-1"])
def test_nothing_sent_costs_nothing(address: str) -> None:
    told = PRICES.cost(channel_of(address), address, ())

    assert (told.price, told.messages, told.segments) == (Decimal(0), 0, 0)


@pytest.mark.parametrize("address", ["+12025550110", "whatsapp:+12025550110", "visitor-1", "messenger:1"])
@pytest.mark.parametrize("parts", [(), ("hi",)])
def test_without_a_table_everything_is_unknown(address: str, parts: Sequence[str]) -> None:
    assert NO_PRICES.cost(channel_of(address), address, parts).price is None


def test_a_section_that_is_missing_is_unknown() -> None:
    prices = parse_prices('currency = "EUR"', name="prices.toml")

    assert [prices.cost(channel_of(a), a, ["hi"]).price for a in ("+12025550110", "whatsapp:+12025550110", "v")] == [
        None,
        None,
        None,
    ]


def test_a_log_line_says_what_is_known() -> None:
    assert [facts_of_cost(cost(address)) for address in ("+44700", "whatsapp:+12025550110", "v", "+33100")] == [
        {"channel": "sms", "market": "+44", "segments": 1, "price": "0.056", "currency": "USD"},
        {"channel": "whatsapp", "category": "service", "market": "+1", "price": "0.0084", "currency": "USD"},
        {"channel": "chat", "price": "0", "currency": "USD"},
        {"channel": "sms", "segments": 1, "price": "unknown"},
    ]


SOURCED = 'source = "https://example.com"\nas_of = 2026-11-09'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("currency", "is not valid TOML: Expected"),
        ("", "currency is not a valid currency: write its three letters, such as USD"),
        ('currency = "usd"', "currency is not a valid currency"),
        ("unpriced = 1", 'unpriced is not a valid list of calling codes: write them as ["+1242"]'),
        ('unpriced = ["1242"]', "1242 is not a valid calling code: write a plus sign and digits, such as +33"),
        ("unpriced = [1242]", "1242 is not a valid calling code"),
        ("mms = 1", "mms is not a valid name: it takes currency, unpriced, sms, whatsapp, chat"),
        ("sms = 1", "sms is not a valid section: write [sms] on a line of its own"),
        (f"[sms.DE]\nsegment = 1\n{SOURCED}", "sms.DE is not a valid calling code"),
        (f'[sms."+49"]\nsegment = "0.1"\n{SOURCED}', "sms.+49.segment is not a valid price: write a number such as"),
        (f'[sms."+49"]\nsegment = true\n{SOURCED}', "sms.+49.segment is not a valid price"),
        (f'[sms."+49"]\nsegment = -1\n{SOURCED}', "sms.+49.segment is not a valid price"),
        (f'[sms."+49"]\nsegment = nan\n{SOURCED}', "sms.+49.segment is not a valid price"),
        (f'[sms."+49"]\n{SOURCED}', "sms.+49.segment is not a valid price"),
        (f'[sms."+49"]\nsegment = 1\ncarrier_fee = inf\n{SOURCED}', "sms.+49.carrier_fee is not a valid price"),
        (f'[sms."+49"]\nprice = 1\n{SOURCED}', "sms.+49.price is not a valid name: it takes segment, carrier_fee,"),
        ('[sms."+49"]\nsegment = 1\nas_of = 2026-11-09', "sms.+49.source is not a valid source: write the URL"),
        ('[sms."+49"]\nsegment = 1\nsource = "https://example.com"', "sms.+49.as_of is not a valid date: write"),
        (f"[chat]\nmessage = 0\n{SOURCED}T00:00:00", "chat.as_of is not a valid date"),
        (f"[whatsapp.twilio]\nmessage = 1\n{SOURCED}", "whatsapp.meta.source is not a valid source"),
        (f"[whatsapp.meta]\n{SOURCED}", "whatsapp.twilio.source is not a valid source"),
        (
            f'[whatsapp.twilio]\nmessage = 1\n{SOURCED}\n[whatsapp.meta]\n{SOURCED}\n[whatsapp.markets."+1"]\nfree = 1',
            "whatsapp.markets.+1.free is not a valid name: it takes service, utility, marketing, authentication",
        ),
    ],
)
def test_an_error_names_the_figure_and_says_what_to_write(text: str, sentence: str) -> None:
    whole = text if "currency" in text or not text else f'currency = "USD"\n{text}'

    with pytest.raises(Misconfigured) as raised:
        parse_prices(whole, name="prices.toml")

    assert str(raised.value).startswith("prices.toml")
    assert sentence in str(raised.value)


def test_the_table_of_the_agent_function_can_be_read() -> None:
    assert parse_prices(SHIPPED.read_text(), name=SHIPPED.name) != NO_PRICES
