"""ASGI applications served over HTTP by uvicorn, in one event loop on a thread of its own."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn

type ASGI = Callable[..., Awaitable[Any]]  # an application, called with (scope, receive, send), or receive, or send


class CannotListen(Exception):
    """No socket can listen there, most often because another program does; the message names the address."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 means any free port."""
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        number = error.errno or 0  # the error for an unknown host name has a negative one
        why = os.strerror(number) if number > 0 else "Unknown host"
        raise CannotListen(f"{host}:{port}: {why}") from None
    except OverflowError:
        raise CannotListen(f"{host}:{port}: The port must be between 0 and 65535") from None
    # asyncio sets TCP_NODELAY only on sockets that name their protocol. Without it, a response on a reused connection
    # takes 40 ms longer.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class Servers:
    """Serves each application on its listening socket, from construction until `close`.

    `at_end` is awaited in the event loop after the servers have stopped.
    """

    def __init__(self, applications: Mapping[socket.socket, ASGI], *, at_end: Callable[[], Awaitable[None]]) -> None:
        self._at_end = at_end
        self._sockets = list(applications)
        self._servers = [uvicorn.Server(_config(application)) for application in applications.values()]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")
        self._end = self._thread.submit(asyncio.run, self._serve())

    def close(self) -> None:
        """Close all connections and wait for the thread to end; raise what `at_end` raised."""
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
