"""What needs no credentials answers this machine only: neither another host's name nor another site's page."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from tests.emulator.emulator_server import ACCOUNT, TOKEN, EmulatorServer
from twilio_emulator.control.same_machine import SameMachine
from twilio_emulator.web import assets

CONTROL = "/_emulator/clock"
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- compared, not bound


def status(twilio: EmulatorServer, path: str = CONTROL, *, method: str = "GET", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, twilio.url + path, headers=named).status_code


def answer_of(host: str, *, arrived_at: str, listens_on: str = "") -> int:
    """Return the status of a request that arrived at an address, with `host` in its `Host`."""

    async def ask() -> int:
        app = SameMachine(PlainTextResponse("ours"), host=listens_on)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{arrived_at}") as http:
            return (await http.get("/", headers={"Host": host})).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]", "[::1]:8080"])
def test_any_loopback_name_and_port_leads_here(twilio: EmulatorServer, host: str) -> None:
    assert status(twilio, host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "evil", "192.0.2.1",
     "127.0.0.1@evil.example", "[::1", "", "localhost:evil.example"],
)  # fmt: skip
def test_a_name_that_somebody_had_resolve_to_this_machine_is_refused_with_a_sentence(
    twilio: EmulatorServer, host: str
) -> None:
    answer = httpx.get(twilio.url + CONTROL, headers={"Host": host})

    assert answer.status_code == 403
    assert answer.json()["code"] == 20403
    assert answer.json()["message"].startswith("This is only for this machine: use http://127.0.0.1")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", "x"])
def test_a_page_of_another_site_changes_nothing(twilio: EmulatorServer, origin: str) -> None:
    assert status(twilio, "/_emulator/reset", method="POST", origin=origin) == 403


@pytest.mark.parametrize("whose", ["cross-site", "same-site"])
def test_a_page_of_another_site_cannot_load_anything(twilio: EmulatorServer, whose: str) -> None:
    assert status(twilio, sec_fetch_site=whose, sec_fetch_mode="no-cors", sec_fetch_dest="image") == 403
    assert status(twilio, "/_emulator/web/theme.css", sec_fetch_site=whose) == 403


def test_its_own_page_is_served_and_so_is_whoever_types_its_address_or_follows_a_link(twilio: EmulatorServer) -> None:
    assert status(twilio, "/_emulator/read", method="POST", origin=twilio.url) == 400  # its body is what is wrong
    assert status(twilio, sec_fetch_site="same-origin") == 200
    assert status(twilio, sec_fetch_site="none") == 200
    linked = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert status(twilio, **linked, sec_fetch_dest="document") == 200
    assert status(twilio, **linked, sec_fetch_dest="iframe") == 403
    assert status(twilio, "/_emulator/reset", method="POST", **linked, sec_fetch_dest="document") == 403


def test_a_browser_gets_the_sentence_as_text(twilio: EmulatorServer) -> None:
    answer = httpx.get(twilio.url + CONTROL, headers={"Host": "evil.example", "Accept": "text/html,*/*"})

    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")


def test_twilios_own_api_answers_to_any_name(twilio: EmulatorServer) -> None:
    path = f"/2010-04-01/Accounts/{ACCOUNT}.json"

    answer = httpx.get(twilio.url + path, auth=(ACCOUNT, TOKEN), headers={"Host": "api.twilio.com", "Origin": "x"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "arrived_at", "listens_on", "expected"),
    [
        ("172.17.0.1:8081", "172.17.0.1", "172.17.0.1", 200),  # Docker's bridge, which the user named
        ("192.0.2.5:8081", "192.0.2.5", EVERYWHERE, 200),  # every address of this machine
        ("192.0.2.9:8081", "192.0.2.5", EVERYWHERE, 403),
        ("laptop.example:8081", "192.0.2.5", "laptop.example", 200),
        ("emulator:8081", "172.18.0.3", EVERYWHERE, 200),  # a container's name
        ("evil.example:8081", "172.18.0.3", EVERYWHERE, 403),
        ("localhost:8081", "172.18.0.3", EVERYWHERE, 200),  # a container's published port
        ("emulator:8081", "127.0.0.1", EVERYWHERE, 403),
    ],
)
def test_what_the_user_had_it_listen_on_leads_here_too(
    host: str, arrived_at: str, listens_on: str, expected: int
) -> None:
    assert answer_of(host, arrived_at=arrived_at, listens_on=listens_on) == expected


def test_the_page_of_phones_is_for_this_machine_and_loads_nothing_from_elsewhere(twilio: EmulatorServer) -> None:
    answer = httpx.get(twilio.url)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in set(re.findall(r'"(/[^"]+)"', answer.text)) - {"/"}:
        assert httpx.get(twilio.url + path).status_code == 200, path
    assert status(twilio, "/", host="evil.example") == 403


def test_every_module_of_the_phones_imports_what_is_there(twilio: EmulatorServer) -> None:
    for module in (Path(assets.__file__).parent).glob("*.js"):
        for path in re.findall(r'from "(/[^"]+)"', module.read_text()):
            assert httpx.get(twilio.url + path).headers["content-type"].startswith("text/javascript"), (module, path)
