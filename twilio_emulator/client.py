"""A customer of the emulated account, in Python: `CustomerClient(url, "+12025550110").send("hi")`."""

import base64
from dataclasses import dataclass
from datetime import datetime
from glob import escape
from types import TracebackType
from typing import Self

import httpx
from pydantic import BaseModel, TypeAdapter

from twilio_emulator.models.addresses import SMS_NUMBER, WHATSAPP_NUMBER
from twilio_emulator.models.inbound import CHAT


class SentMessage(BaseModel):
    """The SIDs of a message that a customer sent.

    All are None if a pre-webhook rejected the message. `channel_message_sid` is also None in a web chat.
    """

    conversation_sid: str | None
    message_sid: str | None
    channel_message_sid: str | None


class InboxFile(BaseModel):
    """A file that came with a message; `size` is in bytes."""

    sid: str
    content_type: str
    filename: str | None
    size: int


class InboxMessage(BaseModel):
    """A message that the customer received; `status` is `delivered` or `read`.

    Twilio's own answers to STOP, START and HELP have an empty `conversation_sid`.
    """

    conversation_sid: str
    message_sid: str
    body: str
    author: str
    status: str
    at: datetime
    media: list[InboxFile]


_INBOX = TypeAdapter(list[InboxMessage])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a customer sends with a message."""

    content: bytes
    content_type: str
    filename: str | None = None


class CustomerClient:
    """One customer, known by an address (SMS, WhatsApp) or by an identity (web chat).

    `to` is who the customer writes to. By default it follows from the customer's own address: the SMS number, the
    WhatsApp sender, or `chat`. A customer with a short code gives it, because an identity may have the same digits.
    Every method makes one request to the emulator at `url` and raises `httpx.HTTPStatusError` if the emulator answers
    with an error.
    """

    def __init__(self, url: str, address: str, *, to: str | None = None) -> None:
        self.address = address
        self._to = to or _default_recipient(address)
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/_emulator/", trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, body: str, *attachments: Attachment) -> SentMessage:
        """Send a message, with attachments if there are any."""
        media = [
            {
                "content": base64.b64encode(each.content).decode(),
                "content_type": each.content_type,
                "filename": each.filename,
            }
            for each in attachments
        ]
        response = self._post("inbound", {"from": self.address, "to": self._to, "body": body, "media": media})
        return SentMessage.model_validate_json(response.content)

    def opt_out(self) -> SentMessage:
        """Send STOP: SMS from our number no longer reach the customer."""
        return self.send("STOP")

    def opt_in(self) -> SentMessage:
        """Send START: SMS from our number reach the customer again."""
        return self.send("START")

    def inbox(self) -> list[InboxMessage]:
        """Return the messages that the customer received, oldest first."""
        response = self._http.get("inbox", params={"address": self.address})
        return _INBOX.validate_json(response.raise_for_status().content)

    def receive_in_reverse(self, count: int) -> None:
        """Let the next `count` messages to this customer, 2 or more, arrive in reverse: the last one first.

        Until the last one is sent, the others wait, for at most a day on the emulator's clock.
        """
        if count < 2:  # noqa: PLR2004 -- one message alone has no order
            raise ValueError(f"{count} is not a valid count: it takes 2 messages or more to change their order")
        fault = {"kind": "reorder_delivery", "on": escape(self.address), "count": count - 1, "seconds": 86_400}
        self._post("faults", fault)

    def read(self) -> None:
        """Mark all received messages as read."""
        self._post("read", {"address": self.address})

    def type(self) -> None:
        """Show a typing indicator for 5 seconds."""
        self._post("typing", {"from": self.address, "to": self._to})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        return self._http.post(path, json=body).raise_for_status()


def _default_recipient(address: str) -> str:
    if address.startswith("whatsapp:"):
        return WHATSAPP_NUMBER
    return SMS_NUMBER if address.startswith("+") else CHAT
