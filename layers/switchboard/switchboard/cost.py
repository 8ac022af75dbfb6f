"""What a reply cost, as a turn's record and its log line say it. The assistant never learns it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from switchboard.channels.channel import Channel

UNKNOWN = "unknown"  # the price in a log line, where nobody has written it into the table


class MessageCategory(StrEnum):
    """Meta's categories of a WhatsApp message. Free text within 24 hours of the customer's is `SERVICE`."""

    SERVICE = "service"
    UTILITY = "utility"
    MARKETING = "marketing"
    AUTHENTICATION = "authentication"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a reply cost: `price`, in units of `currency`, or None where that is unknown.

    `messages` were sent; by SMS, they had so many `segments`. `category` is set for WhatsApp. `market` is the calling
    code under which the table has the customer's number, and empty where it has it under none.
    """

    channel: Channel
    messages: int
    segments: int = 0
    category: MessageCategory | None = None
    market: str = ""
    price: Decimal | None = None
    currency: str = ""


def facts_of_cost(cost: Cost) -> dict[str, str | int]:
    """Return what a log line says of it. An amount is a text: JSON's numbers may be read as binary fractions."""
    return {
        "channel": cost.channel.value,
        **({"category": cost.category.value} if cost.category else {}),
        **({"market": cost.market} if cost.market else {}),
        **({"segments": cost.segments} if cost.segments else {}),
        **({"price": UNKNOWN} if cost.price is None else {"price": f"{cost.price:f}", "currency": cost.currency}),
    }
