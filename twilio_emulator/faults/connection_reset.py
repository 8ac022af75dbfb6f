"""Connections that end without an answer."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, override

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: the peer gets a reset


class HangUp(Response):
    """Resets the connection, at once or after holding it for `seconds`; a client that leaves earlier is let go."""

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
        raise ConnectionResetError("the emulator was told to reset this connection")
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(receive: Callable[..., Any]) -> Any:  # noqa: ANN401 -- uvicorn's, which ASGI does not hand out
    """Return the connection under an ASGI request, where the server is uvicorn; middleware wraps `receive`."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        return transport
    wrapped = (cell.cell_contents for cell in getattr(receive, "__closure__", None) or ())
    found = (_transport(inner) for inner in wrapped if callable(inner))
    return next((each for each in found if each is not None), None)
