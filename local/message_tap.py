"""Report each message that the emulator accepts in a conversation, so that the console can show it."""

import json
import re
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from local.activity import ConversationMessage
from twilio_emulator.server import ASGI

type ASGIMessage = MutableMapping[str, Any]

INBOUND_PATH = "/_emulator/inbound"
REST_PATH = re.compile(r"/v1/(Services/IS\w{32}/)?Conversations/[^/]+/Messages")


def tap_messages(application: ASGI, *, listener: Callable[[ConversationMessage], None]) -> ASGI:
    """Wrap the emulator's application: the listener gets each message it accepts, from a customer or over REST."""

    async def tapped(scope: ASGIMessage, receive: ASGI, send: ASGI) -> None:
        path = scope.get("path", "")
        is_message = path == INBOUND_PATH or REST_PATH.fullmatch(path)
        if scope["type"] != "http" or scope["method"] != "POST" or not is_message:
            await application(scope, receive, send)
            return
        body = bytearray()

        async def receive_and_copy() -> ASGIMessage:
            message: ASGIMessage = await receive()
            body.extend(message.get("body", b""))
            return message

        async def report_and_send(message: ASGIMessage) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:  # noqa: PLR2004 -- HTTP's success
                listener(_message(bytes(body), is_inbound=path == INBOUND_PATH))
            await send(message)

        await application(scope, receive_and_copy, report_and_send)

    return tapped


def _message(body: bytes, *, is_inbound: bool) -> ConversationMessage:
    if is_inbound:
        inbound = json.loads(body)
        return ConversationMessage(author=str(inbound.get("from", "")), body=str(inbound.get("body") or ""))
    form = dict(parse_qsl(body.decode()))
    return ConversationMessage(author=form.get("Author", "system"), body=form.get("Body", ""))
