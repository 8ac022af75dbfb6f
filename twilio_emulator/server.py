"""ASGI applications served over HTTP from a thread of their own, in one event loop."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn

type ASGI = Callable[..., Awaitable[Any]]  # (scope, receive, send), and receive and send themselves


class CannotListen(Exception):
    """Most often another program listens there; the message names the address."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 is any free one."""
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        number = error.errno or 0  # a name that is not found has a negative one
        why = os.strerror(number) if number > 0 else "There is no such host"
        raise CannotListen(f"{host}:{port}: {why}") from None
    except OverflowError:
        raise CannotListen(f"{host}:{port}: There is no such port") from None
    # asyncio sets it only on sockets that name their protocol; without it, a kept connection answers 40 ms late.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class Servers:
    """Serves applications on open sockets from the moment this is made until `close`."""

    def __init__(self, applications: Mapping[socket.socket, ASGI], *, at_end: Callable[[], Awaitable[None]]) -> None:
        self._at_end = at_end
        self._sockets = list(applications)
        self._servers = [uvicorn.Server(_config(application)) for application in applications.values()]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")
        self._end = self._thread.submit(asyncio.run, self._serve())

    def close(self) -> None:
        """End all connections and return once the thread has ended; raise what `at_end` raised."""
        for server in self._servers:
            server.should_exit = True
        self._thread.shutdown()
        for listening in self._sockets:
            listening.close()
        self._end.result()

    async def _serve(self) -> None:
        pairs = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[listening]) for server, listening in pairs))
        await self._at_end()


def _config(application: Any) -> uvicorn.Config:  # noqa: ANN401 -- uvicorn's own type for an ASGI application
    return uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
