import socket

import pytest
import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twilio_emulator.faults.connection_reset import HangUp
from twilio_emulator.server import Servers, listen


def listening_in(application: ASGIApp) -> ASGIApp:
    """Middleware as others write it, around what an application receives."""

    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_too() -> Message:
            return await receive()

        await application(scope, receive_too, send)

    return listening


async def nothing() -> None:
    pass


@pytest.mark.parametrize("application", [HangUp(), listening_in(HangUp()), listening_in(listening_in(HangUp()))])
def test_a_connection_is_reset_through_any_middleware(application: ASGIApp) -> None:
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: application}, at_end=nothing)

    with socket.create_connection(listening.getsockname()) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: emulator\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)

    servers.close()


def test_a_client_that_leaves_first_is_let_go() -> None:
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: HangUp(seconds=600)}, at_end=nothing)

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout=0.2)

    servers.close()
