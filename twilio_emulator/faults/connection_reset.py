"""A response that resets the TCP connection instead of answering."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, override

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_LINGER_ZERO_SECONDS = struct.pack("ii", 1, 0)  # SO_LINGER with zero seconds makes close() send a TCP reset


class ConnectionReset(Response):
    """Resets the connection after `seconds`, unless the client closes it before."""

    def __init__(self, *, seconds: float = 0) -> None:
        super().__init__()
        self._seconds = seconds

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await _reset(receive)


async def _reset(receive: Receive) -> None:
    transport = _transport(receive)
    if transport is None:
        raise ConnectionResetError("a fault resets this connection")
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO_SECONDS)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(receive: Callable[..., Any]) -> Any:  # noqa: ANN401 -- uvicorn's transport, which ASGI does not expose
    """Return uvicorn's transport of a request, or None with another server.

    Middleware wraps `receive` in closures, so they are searched, too.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        return transport
    wrapped = (cell.cell_contents for cell in getattr(receive, "__closure__", None) or ())
    found = (_transport(inner) for inner in wrapped if callable(inner))
    return next((each for each in found if each is not None), None)
