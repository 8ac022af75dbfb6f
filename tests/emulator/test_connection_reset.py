import socket

import pytest
import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twilio_emulator.faults.connection_reset import ConnectionReset
from twilio_emulator.server import Servers, listen


def wrap_receive(application: ASGIApp) -> ASGIApp:
    """Wrap `receive` in a closure, as middleware does."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def wrapped_receive() -> Message:
            return await receive()

        await application(scope, wrapped_receive, send)

    return wrapped


async def do_nothing() -> None:
    pass


@pytest.mark.parametrize(
    "application", [ConnectionReset(), wrap_receive(ConnectionReset()), wrap_receive(wrap_receive(ConnectionReset()))]
)
def test_a_connection_is_reset_through_any_middleware(application: ASGIApp) -> None:
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: application}, at_end=do_nothing)

    with socket.create_connection(listening.getsockname()) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: emulator\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)

    servers.close()


def test_a_client_can_disconnect_before_the_reset() -> None:
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: ConnectionReset(seconds=600)}, at_end=do_nothing)

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout=0.2)

    servers.close()
