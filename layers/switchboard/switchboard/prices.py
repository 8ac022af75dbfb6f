"""What a reply costs, by a table of list prices. What the table does not have is unknown, never free.

The table is a TOML file that a team keeps (functions/agent/prices.toml), with the source and the date of each figure.
Amounts are `Decimal`, in units of the table's currency: 0.0083 is 0.83 cents.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from switchboard.channels.channel import Channel, channel_of
from switchboard.channels.segments import count_segments
from switchboard.cost import Cost, MessageCategory
from switchboard.errors import Misconfigured

_NUMBER = re.compile(r"(?:(?:sms|whatsapp):)?(\+[0-9]+)", re.IGNORECASE)
_CALLING_CODE = re.compile(r"\+[1-9][0-9]{0,6}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SOURCED = ("source", "as_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """List prices in one currency, by calling code (`+33`).

    `sms` is what a segment costs, `whatsapp` what a message costs by category, `chat` what a message costs anywhere.
    A number that begins with one of `unpriced` has no price by a shorter code: not all of `+1` is one market.
    """

    currency: str = ""
    sms: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    whatsapp: Mapping[str, Mapping[MessageCategory, Decimal]] = field(
        default_factory=dict[str, Mapping[MessageCategory, Decimal]]
    )
    chat: Decimal | None = None
    unpriced: frozenset[str] = frozenset()

    def cost(
        self,
        channel: Channel,
        address: str,
        parts: Sequence[str],
        *,
        category: MessageCategory = MessageCategory.SERVICE,
    ) -> Cost:
        """Return what these messages cost, sent on a channel to a customer's address; nothing sent costs nothing.

        The price is unknown where the address is not one of this channel: who else is billed for is not known.
        """
        is_sms, is_whatsapp = channel is Channel.SMS, channel is Channel.WHATSAPP
        segments = sum(map(count_segments, parts)) if is_sms else 0
        market = self._market(channel, address)
        each = self._each(channel, market, category) if channel_of(address) is channel else None
        amount = each * (segments if is_sms else len(parts)) if each is not None else None
        nothing = Decimal(0) if self.currency and not parts else None
        price = nothing if amount is None else amount
        return Cost(
            channel=channel,
            messages=len(parts),
            segments=segments,
            category=category if is_whatsapp else None,
            market=market,
            price=price,
            currency="" if price is None else self.currency,
        )

    def _market(self, channel: Channel, address: str) -> str:
        """Return the longest calling code of the channel's prices with which the address begins, or nothing."""
        codes: Collection[str] = {Channel.SMS: self.sms, Channel.WHATSAPP: self.whatsapp}.get(channel, ())
        number = _NUMBER.fullmatch(address)
        begins = [code for code in (*codes, *self.unpriced) if number and number[1].startswith(code)]
        longest = max(begins, key=len, default="")
        return longest if longest in codes else ""

    def _each(self, channel: Channel, market: str, category: MessageCategory) -> Decimal | None:
        """Return what a segment, or a message, costs; None where the table does not have it."""
        match channel:
            case Channel.SMS:
                return self.sms.get(market)
            case Channel.WHATSAPP:
                return self.whatsapp.get(market, {}).get(category)
            case Channel.CHAT:
                return self.chat
            case Channel.OTHER:
                return None


NO_PRICES = PriceTable()  # everything is unknown


def parse_prices(text: str, *, name: str) -> PriceTable:
    """Return the price table that a TOML text holds; every section may be missing, and then its prices are unknown.

    `name` is the file's name in errors. Raise `Misconfigured` that says which figure to correct: also where a figure
    has no source or no date.
    """
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{name} is not valid TOML: {error}") from None
    file = _Section(values, f"{name}: ")
    file.check_names("currency", "unpriced", "sms", "whatsapp", "chat")
    currency, unpriced, chat = values.get("currency"), values.get("unpriced", []), file.section("chat")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise Misconfigured(f"{name}: currency is not a valid currency: write its three letters, such as USD")
    if not isinstance(unpriced, list):
        raise Misconfigured(f'{name}: unpriced is not a valid list of calling codes: write them as ["+1242"]')
    return PriceTable(
        currency=currency,
        sms={code: _segment(row) for code, row in file.section("sms").markets()},
        whatsapp=_whatsapp(file.section("whatsapp")),
        chat=chat.sourced("message").price("message") if chat.values else None,
        unpriced=frozenset(file.calling_code(code) for code in unpriced),
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """A table of the file, and the place that errors name before a key of it."""

    values: Mapping[str, Any]
    place: str

    def section(self, key: str) -> "_Section":
        values = self.values.get(key, {})
        if not isinstance(values, Mapping):
            raise Misconfigured(f"{self.place}{key} is not a valid section: write [{key}] on a line of its own")
        return _Section(values, f"{self.place}{key}.")

    def markets(self) -> "Iterator[tuple[str, _Section]]":
        for code in self.values:
            yield self.calling_code(code), self.section(code)

    def calling_code(self, code: object) -> str:
        if not isinstance(code, str) or not _CALLING_CODE.fullmatch(code):
            raise Misconfigured(
                f"{self.place}{code} is not a valid calling code: write a plus sign and digits, such as +33"
            )
        return code

    def price(self, key: str) -> Decimal:
        value = self.values.get(key)
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            price = Decimal(value)
            if price.is_finite() and price >= 0:
                return price
        raise Misconfigured(f"{self.place}{key} is not a valid price: write a number such as 0.0083, without quotes")

    def sourced(self, *names: str) -> "_Section":
        """Return the section; raise where a figure's source or date is missing, or it has other names than these."""
        self.check_names(*names, *_SOURCED)
        source, as_of = (self.values.get(name) for name in _SOURCED)
        if not isinstance(source, str) or not source.startswith("https://"):
            raise Misconfigured(f"{self.place}source is not a valid source: write the URL of the page with the price")
        if not isinstance(as_of, date) or isinstance(as_of, datetime):
            raise Misconfigured(f"{self.place}as_of is not a valid date: write the price's, such as 2026-10-01")
        return self

    def check_names(self, *names: str) -> None:
        for name in self.values:
            if name not in names:
                raise Misconfigured(f"{self.place}{name} is not a valid name: it takes {', '.join(names)}")


def _segment(row: _Section) -> Decimal:
    row.sourced("segment", "carrier_fee")
    return row.price("segment") + (row.price("carrier_fee") if "carrier_fee" in row.values else 0)


def _whatsapp(section: _Section) -> dict[str, dict[MessageCategory, Decimal]]:
    """Return what a message costs by market and category: Twilio's fee and Meta's."""
    if not section.values:
        return {}
    section.check_names("twilio", "meta", "markets")
    fee = section.section("twilio").sourced("message").price("message")
    section.section("meta").sourced()
    prices: dict[str, dict[MessageCategory, Decimal]] = {}
    for code, row in section.section("markets").markets():
        row.check_names(*MessageCategory)
        prices[code] = {MessageCategory(category): fee + row.price(category) for category in row.values}
    return prices
