"""What is said in the emulated conversations, overheard on its way to the emulator: for the terminal."""

import json
import re
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from local.activity import Said
from twilio_emulator.server import ASGI

type Message = MutableMapping[str, Any]  # of ASGI

INBOUND = "/_emulator/inbound"
REST = re.compile(r"/v1/(Services/IS\w{32}/)?Conversations/[^/]+/Messages")


def overhearing(application: ASGI, *, told: Callable[[Said], None]) -> ASGI:
    """Return the application, telling of each message that it took from a phone or over REST."""

    async def listening(scope: Message, receive: ASGI, send: ASGI) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "POST" or not (path == INBOUND or REST.fullmatch(path)):
            await application(scope, receive, send)
            return
        body = bytearray()

        async def receive_too() -> Message:
            message: Message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def send_too(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:  # noqa: PLR2004 -- HTTP's success
                told(_said(bytes(body), by_phone=path == INBOUND))
            await send(message)

        await application(scope, receive_too, send_too)

    return listening


def _said(body: bytes, *, by_phone: bool) -> Said:
    if by_phone:
        inbound = json.loads(body)
        return Said(author=str(inbound.get("from", "")), body=str(inbound.get("body") or ""))
    form = dict(parse_qsl(body.decode()))
    return Said(author=form.get("Author", "system"), body=form.get("Body", ""))
