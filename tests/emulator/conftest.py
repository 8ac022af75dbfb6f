"""An emulator served over real HTTP, the real `twilio` package pointed at it, and a place for its webhooks."""

from collections.abc import Iterator

import pytest

from tests.emulator.emulator_server import Served
from tests.emulator.webhook_site import WebhookSite
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen


@pytest.fixture(scope="module")
def _site() -> Iterator[WebhookSite]:
    with WebhookSite() as site:
        yield site


@pytest.fixture(scope="module")
def _twilio(_site: WebhookSite) -> Iterator[Served]:
    emulator = Emulator()
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    with Served(emulator=emulator, url=f"http://127.0.0.1:{listening.getsockname()[1]}") as served:
        yield served
    servers.close()


@pytest.fixture
def site(_site: WebhookSite) -> WebhookSite:
    _site.forget()
    return _site


@pytest.fixture
def twilio(_twilio: Served, site: WebhookSite) -> Served:
    _twilio.request("POST", "/_emulator/reset")
    _twilio.emulator.set_webhook(site.url)
    return _twilio
