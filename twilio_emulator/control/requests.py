"""What /_emulator takes: JSON objects without unknown fields."""

from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from twilio_emulator.clock import FURTHEST

type Address = Annotated[str, Field(min_length=1, max_length=256)]
type Secret = Annotated[str, Field(min_length=1, max_length=256)]


class Order(BaseModel):
    """What all orders have in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SentFile(Order):
    """A file that a phone sends, its content in base64."""

    content: Annotated[Base64Bytes, Field(min_length=1)]
    content_type: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[ -~]+$")]
    filename: str | None = None


class Inbound(Order):
    """A text as a customer's phone, or with `to` = `chat` a visitor's browser, sends it."""

    sender: Annotated[Address, Field(alias="from")]
    to: Address
    body: str = ""
    media: list[SentFile] = Field(default_factory=list)


class Read(Order):
    """Whose inbox is read."""

    address: Address


class Typing(Order):
    """Who types, to whom."""

    sender: Annotated[Address, Field(alias="from")]
    to: Address


class Advance(Order):
    """How far the clock is to be moved."""

    advance_seconds: Annotated[float, Field(ge=0, le=FURTHEST.total_seconds())]


class Reset(Order):
    """What the SIDs are drawn from; without a seed they are random."""

    seed: str | None = None


class Sender(Order):
    """An address that is to be the account's own."""

    address: Address


class NewCredentials(Order):
    """Auth tokens, the one that signs first, and API keys with their secrets."""

    auth_tokens: Annotated[list[Secret], Field(min_length=1, max_length=2)]
    api_keys: dict[Annotated[str, Field(pattern=r"^SK[0-9a-fA-F]{32}$")], Secret] = Field(default_factory=dict)
