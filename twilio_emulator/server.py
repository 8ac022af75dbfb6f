"""ASGI applications served over HTTP by uvicorn, in one event loop on a thread of its own."""

import asyncio
import faulthandler
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import Any

import uvicorn

SECONDS_TO_END = 90  # after the first signal

type ASGI = Callable[..., Awaitable[Any]]  # an application, called with (scope, receive, send), or receive, or send


class CannotListen(Exception):
    """No socket can listen there, most often because another program does; the message names the address."""


def listen(host: str, port: int, *, port_option: str = "") -> socket.socket:
    """Return a listening socket; port 0 is any free one. `port_option` is what a user sets to choose another port."""
    hint = f". Choose another port with {port_option}" if port_option else ""
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        number = error.errno or 0
        if number <= 0:  # the error of a name that cannot be resolved
            raise CannotListen(f"{host}:{port}: Unknown host") from None
        raise CannotListen(f"{host}:{port}: {os.strerror(number)}{hint}") from None
    except OverflowError:
        raise CannotListen(f"{host}:{port}: The port must be between 0 and 65535{hint}") from None
    # asyncio sets TCP_NODELAY only on sockets that name their protocol. Without it, a response on a reused connection
    # takes 40 ms longer.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def run_until_interrupted(serve: Callable[[Callable[[], None]], None]) -> None:
    """Run a command until it ends or SIGINT or SIGTERM arrives; the process is to end after this returns.

    The first signal raises KeyboardInterrupt in `serve`, which cleans up in `finally`. Later signals are ignored, until
    the process ends; where that takes too long, it prints what each thread is doing, and ends with exit code 1. `serve`
    calls its argument to wait for the first signal.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    has_arrived = False
    # Python may handle a signal just before it waits for a lock, and then waits on. A byte in a socket ends any wait.
    awaited, written = socket.socketpair()
    written.settimeout(0)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal has_arrived
        if not has_arrived:
            has_arrived = True
            faulthandler.dump_traceback_later(SECONDS_TO_END, exit=True)
            raise KeyboardInterrupt

    with awaited, written:
        try:
            signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
            for each in signals:
                signal.signal(each, interrupt)  # SIGINT too: a shell starts background processes with SIGINT ignored
            serve(lambda: _wait_for_byte(awaited))
        except KeyboardInterrupt:
            return
        finally:
            has_arrived = True
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # first: a signal must not find its handler gone
            for each in signals:
                signal.signal(each, signal.SIG_IGN)
            signal.set_wakeup_fd(-1)


def _wait_for_byte(awaited: socket.socket) -> None:
    awaited.recv(1)


class _Streams:
    """The answers that would go on for ever, server-sent events: `end` completes each of them, and any later one."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    def end(self) -> None:
        self._ended = True
        for task in self._tasks:
            task.cancel()

    def ending(self, application: ASGI) -> ASGI:
        """Return an application whose streams end with the others."""

        async def wrapped(scope: Any, receive: ASGI, send: ASGI) -> None:  # noqa: ANN401 -- ASGI's own dictionaries
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 -- uvicorn runs each request in a task
            is_complete = False

            async def noting_send(message: Any) -> None:  # noqa: ANN401 -- see above
                nonlocal is_complete
                if message["type"] == "http.response.start" and _is_stream(message):
                    self._tasks.add(task)
                await send(message)
                is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)
                if self._ended and task in self._tasks:
                    task.cancel()

            try:
                await application(scope, receive, noting_send)
            except asyncio.CancelledError:
                if not self._ended or task not in self._tasks:
                    raise
                if not is_complete:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                self._tasks.discard(task)

        return wrapped


def _is_stream(start: Any) -> bool:  # noqa: ANN401 -- ASGI's own dictionary
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    return bool(headers.get(b"content-type", b"").startswith(b"text/event-stream"))


class Servers:
    """Serves each application on its listening socket, from construction until `close`.

    `at_end` is awaited in the event loop after the servers have stopped. The thread is a daemon: a signal may come
    before anybody knows that there is something to close, and the process must end all the same.
    """

    def __init__(self, applications: Mapping[socket.socket, ASGI], *, at_end: Callable[[], Awaitable[None]]) -> None:
        self._at_end = at_end
        self._sockets = list(applications)
        self._streams = _Streams()
        self._servers = [
            uvicorn.Server(_config(self._streams.ending(application))) for application in applications.values()
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: Future[None] = Future()
        self._thread = Thread(target=self._run, name="servers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close all connections and wait for the thread to end; raise what `at_end` raised."""
        for server in self._servers:
            server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._streams.end)
        self._thread.join()
        for listening in self._sockets:
            listening.close()
        self._end.result()

    def _run(self) -> None:
        try:
            self._end.set_result(asyncio.run(self._serve()))
        except BaseException as error:  # noqa: BLE001 -- `close` raises it
            self._end.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
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
        timeout_keep_alive=60,  # longer than most clients: else it may close a connection just as a request is sent
    )
