"""The plain handler of `local.naive` beside an emulator of its own, for as long as a storm takes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from tempfile import TemporaryFile
from typing import IO

import httpx
import uvicorn

from local.aws.execution_environment import FunctionSpec
from local.aws.named_variables import named_variables
from twilio_emulator import Emulator
from twilio_emulator.server import ASGI, listen

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 60  # it imports the assistant, perhaps on a busy machine
LOOK_SECONDS = 0.2
HOST = "127.0.0.1"


class TwinNotStarted(Exception):
    """The plain handler ended, or did not answer; the text says what it printed last."""


class Twin:
    """An emulator, and the process of the plain handler, which has the agent function's own environment."""

    def __init__(self, emulator: Emulator, agent: FunctionSpec, *, listening: socket, twilio_url: str) -> None:
        self.emulator = emulator
        self._agent = agent
        self._listening = listening
        self._arguments = [
            *(str(listening.fileno()), self.webhook_url, twilio_url),
            *(emulator.backend.account_sid, emulator.credentials.signing_token),
            emulator.backend.state.configuration.default_chat_service_sid,
        ]
        self._printed: IO[bytes] = TemporaryFile()  # noqa: SIM115 -- `close` closes it
        self._process = self._start()

    @property
    def webhook_url(self) -> str:
        """The URL at which Twilio calls the handler."""
        return f"http://{HOST}:{self._listening.getsockname()[1]}/webhook"

    async def wait_until_ready(self) -> None:
        """Return once the handler answers; raise `TwinNotStarted` if it does not."""
        async with httpx.AsyncClient(trust_env=False, timeout=SECONDS_TO_START) as http:
            asking = asyncio.create_task(http.get(self.webhook_url))  # its socket listens: the request waits there
            try:
                while self._process.poll() is None and not asking.done():
                    await asyncio.wait({asking}, timeout=LOOK_SECONDS)
                if asking.done() and asking.exception() is None:
                    return
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        self._printed.seek(0)
        lines = self._printed.read().decode(errors="replace").strip().splitlines()
        raise TwinNotStarted(lines[-1] if lines else "it does not answer")

    def kill(self) -> None:
        """End the process with SIGKILL, and with it every request in flight; another one takes its socket over."""
        self._process.kill()
        self._close_process()
        self._process = self._start()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._close_process()
        self._printed.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- our own script
            [sys.executable, "-P", "-m", "local.naive", *self._arguments],
            pass_fds=[self._listening.fileno()],
            env={
                **named_variables(self._agent.paths[0], self._agent.offered),
                **self._agent.environment,
                "PYTHONPATH": os.pathsep.join(map(str, (*self._agent.paths, ROOT))),
            },
            cwd=self._agent.paths[0],
            stdin=subprocess.PIPE,  # it ends when this end closes
            stdout=subprocess.DEVNULL,
            stderr=self._printed,
            start_new_session=True,  # Ctrl-C is for the parent, which then ends it
        )

    def _close_process(self) -> None:
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


@asynccontextmanager
async def plain_twin(agent: FunctionSpec) -> AsyncIterator[Twin]:
    """Yield the handler with its emulator, served in this event loop; end both afterwards.

    `agent` is the function whose assistant, model and settings it has.
    """
    emulator = Emulator()
    with listen(HOST, 0) as for_twilio, listen(HOST, 0) as for_handler:
        twilio_url = f"http://{HOST}:{for_twilio.getsockname()[1]}"
        async with _served(emulator.app, for_twilio):
            twin = Twin(emulator, agent, listening=for_handler, twilio_url=twilio_url)
            emulator.set_webhook(twin.webhook_url)
            try:
                await twin.wait_until_ready()
                yield twin
            finally:
                twin.close()  # first: nothing can come between
                await emulator.aclose()


@asynccontextmanager
async def _served(application: ASGI, listening: socket) -> AsyncIterator[None]:
    config = uvicorn.Config(application, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
