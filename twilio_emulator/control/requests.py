"""The JSON bodies that /_emulator accepts; an unknown field is an error."""

from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from twilio_emulator.clock import MAX_ADVANCE

type Address = Annotated[str, Field(min_length=1, max_length=256)]
type Secret = Annotated[str, Field(min_length=1, max_length=256)]


class ControlRequest(BaseModel):
    """The base class of all bodies."""

    model_config = ConfigDict(extra="forbid", strict=True)


class InboundFile(ControlRequest):
    """A file that a customer sends, its content in base64."""

    content: Annotated[Base64Bytes, Field(min_length=1)]
    content_type: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[ -~]+$")]
    filename: str | None = None


class InboundMessage(ControlRequest):
    """A message that a customer sends from a phone, or from a web chat if `to` is `chat`."""

    sender: Annotated[Address, Field(alias="from")]
    to: Address
    body: str = ""
    media: list[InboundFile] = Field(default_factory=list)


class ReadInbox(ControlRequest):
    """The address or identity of the customer who reads what they received."""

    address: Address


class StartTyping(ControlRequest):
    """The customer who types, and who they write to."""

    sender: Annotated[Address, Field(alias="from")]
    to: Address


class AdvanceClock(ControlRequest):
    """How far to move the clock forward."""

    advance_seconds: Annotated[float, Field(ge=0, le=MAX_ADVANCE.total_seconds())]


class ResetState(ControlRequest):
    """The seed of the SIDs after the reset; without one they are random."""

    seed: str | None = None


class AddSender(ControlRequest):
    """A phone number, a short code or a sender that the account gets."""

    address: Address


class SetCredentials(ControlRequest):
    """Auth tokens, the signing one first, and API keys with their secrets."""

    auth_tokens: Annotated[list[Secret], Field(min_length=1, max_length=2)]
    api_keys: dict[Annotated[str, Field(pattern=r"^SK[0-9a-fA-F]{32}$")], Secret] = Field(default_factory=dict)
