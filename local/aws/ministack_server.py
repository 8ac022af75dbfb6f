"""The process of the local AWS: ministack, serving a socket that its parent opened.

The argument is the file descriptor of the listening socket. Standard input is a pipe whose other end only the parent
holds: when the parent ends, by whatever signal, the pipe closes and this process ends.

`POST /_local/throttle` with `{"seconds": 30}` has DynamoDB refuse the functions' requests for so long, 0 ends it; a GET
says how long is left, and how many were refused. Who asks with other credentials than the functions' is served.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

type Scope = Any  # of ASGI, whose types differ from server to server
type Receive = Any
type Send = Any
type ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

THROTTLE = "/_local/throttle"
THROTTLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "message": "The level of configured provisioned throughput for the table was exceeded.",
}


class Throttled:
    """ministack, whose tables may be throttled. While they are not, a request costs one look at a number."""

    def __init__(self, served: ASGI, *, functions: str) -> None:
        self._served = served
        self._credential = f"Credential={functions}/".encode()
        self._until = 0.0  # of the monotonic clock
        self._struck = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "http" and scope["path"] == THROTTLE:
            await self._control(scope, receive, send)
        elif scope["type"] == "http" and self._until and self._refuses(scope):
            self._struck += 1
            await _answer(send, 400, THROTTLED, content_type=b"application/x-amz-json-1.0")
        else:
            await self._served(scope, receive, send)

    def _refuses(self, scope: Scope) -> bool:
        if time.monotonic() >= self._until:
            self._until = 0.0
            return False
        headers = dict(scope["headers"])
        return headers.get(b"x-amz-target", b"").startswith(b"DynamoDB_") and self._credential in headers.get(
            b"authorization", b""
        )

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            seconds = float(json.loads((await receive())["body"])["seconds"])
            self._until = time.monotonic() + seconds if seconds else 0.0
            self._struck = 0 if seconds else self._struck
        left = max(0.0, self._until - time.monotonic())
        await _answer(send, 200, {"seconds_left": left, "struck": self._struck}, content_type=b"application/json")


async def _answer(send: Send, status: int, values: object, *, content_type: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type)]})
    await send({"type": "http.response.body", "body": json.dumps(values).encode()})


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{sys.argv[1]}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(Throttled(app, functions=sys.argv[2]), config))
