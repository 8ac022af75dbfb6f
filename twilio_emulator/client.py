"""A customer's phone in Python: `Phone(url, "+12025550110").text("hi")`. For tests, and for trying things out."""

import base64
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import httpx
from pydantic import BaseModel, TypeAdapter

SMS_NUMBER = "+12025550100"
WHATSAPP_NUMBER = "whatsapp:+12025550101"
CHAT = "chat"


class Sent(BaseModel):
    """Where a text went, None where a pre-webhook rejected it; a web chat has no channel."""

    conversation_sid: str | None
    message_sid: str | None
    channel_message_sid: str | None


class Arrived(BaseModel):
    """A message that reached the phone; `status` is `delivered` or `read`."""

    conversation_sid: str
    message_sid: str
    body: str
    author: str
    status: str
    at: datetime


_INBOX = TypeAdapter(list[Arrived])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send."""

    content: bytes
    content_type: str
    filename: str | None = None


class Phone:
    """One customer, by address or identity; whom it texts follows from that: our number, our sender, or a web chat.

    Every method is one request to the emulator at `url`, and raises `httpx.HTTPStatusError` where that refuses.
    """

    def __init__(self, url: str, address: str, *, to: str | None = None) -> None:
        self.address = address
        self._to = to or _counterpart(address)
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/_emulator/", trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def text(self, body: str, *attachments: Attachment) -> Sent:
        """Send a text, with files if there are any."""
        media = [
            {
                "content": base64.b64encode(each.content).decode(),
                "content_type": each.content_type,
                "filename": each.filename,
            }
            for each in attachments
        ]
        answer = self._post("inbound", {"from": self.address, "to": self._to, "body": body, "media": media})
        return Sent.model_validate_json(answer.content)

    def opt_out(self) -> Sent:
        """Text STOP: SMS from our number no longer arrive."""
        return self.text("STOP")

    def opt_in(self) -> Sent:
        """Text START: SMS arrive again."""
        return self.text("START")

    def inbox(self) -> list[Arrived]:
        """Return what arrived, oldest first."""
        answer = self._http.get("inbox", params={"address": self.address})
        return _INBOX.validate_json(answer.raise_for_status().content)

    def read(self) -> None:
        """Read what arrived."""
        self._post("read", {"address": self.address})

    def type(self) -> None:
        """Type for a while."""
        self._post("typing", {"from": self.address, "to": self._to})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, path: str, order: dict[str, object]) -> httpx.Response:
        return self._http.post(path, json=order).raise_for_status()


def _counterpart(address: str) -> str:
    if address.startswith("whatsapp:"):
        return WHATSAPP_NUMBER
    return SMS_NUMBER if address.startswith("+") else CHAT
