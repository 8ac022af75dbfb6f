"""An emulator that is served over HTTP, with the `twilio` package as its client, and a site for its webhooks."""

from collections.abc import Iterator

import pytest

from tests.emulator.emulator_server import EmulatorServer
from tests.emulator.webhook_site import WebhookSite
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen


@pytest.fixture(scope="module")
def _site() -> Iterator[WebhookSite]:
    with WebhookSite() as site:
        yield site


@pytest.fixture(scope="module")
def _twilio(_site: WebhookSite) -> Iterator[EmulatorServer]:
    emulator = Emulator()
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    with EmulatorServer(emulator=emulator, url=f"http://127.0.0.1:{listening.getsockname()[1]}") as server:
        yield server
    servers.close()


@pytest.fixture
def site(_site: WebhookSite) -> WebhookSite:
    _site.forget()
    return _site


@pytest.fixture
def twilio(_twilio: EmulatorServer, site: WebhookSite) -> EmulatorServer:
    _twilio.request("POST", "/_emulator/reset")
    _twilio.emulator.set_webhook(site.url)
    return _twilio
