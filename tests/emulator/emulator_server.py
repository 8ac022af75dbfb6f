"""An emulator that is served over HTTP, as its clients see it, and shorthands for calling it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tests.contract import description
from twilio_emulator import Emulator

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "emulator-token"
SERVICE = "IS00000000000000000000000000000001"
OUR_SMS = "+12025550100"
OUR_WHATSAPP = "whatsapp:+12025550101"
CUSTOMER = "+12025550110"
VISITOR = "visitor-" + "0" * 31 + "1"


def refused(*, code: int, status: int | None = None) -> pytest.RaisesExc[TwilioRestException]:
    """Expect Twilio's error, as the `twilio` package raises it."""
    return pytest.RaisesExc(
        TwilioRestException, check=lambda error: error.code == code and status in {None, error.status}
    )


class RedirectingHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the package has no types
    """The package's own HTTP client, which sends every request to the emulator instead of Twilio."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = urlsplit(base)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- passed through
        redirected = urlunsplit(urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc))
        return super().request(method, redirected, *args, **kwargs)


class _CheckingHttpClient(RedirectingHttpClient):
    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- passed through
        response = super().request(method, url, *args, **kwargs)
        data = kwargs.get("data", args[1] if len(args) > 1 else None)
        description.check(method, url, data, response.status_code, response.text)
        return response


class EmulatorServer:
    """An emulator at `url`; `client` is the client of the twilio package, `service` its resources of the service."""

    def __init__(self, *, emulator: Emulator, url: str) -> None:
        self.emulator = emulator
        self.url = url
        self._http = _CheckingHttpClient(url)
        self.client = Client(ACCOUNT, TOKEN, http_client=self._http)
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._http.session.close()

    @property
    def service(self) -> Any:  # noqa: ANN401 -- the package types its resources loosely
        return self.client.conversations.v1.services(SERVICE)

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:  # noqa: ANN401 -- passed through
        response = self._session.request(method, self.url + path, **{"auth": (ACCOUNT, TOKEN), "timeout": 30, **kwargs})
        description.check(method, response.url, kwargs.get("data"), response.status_code, response.text)
        return response

    def request_unchecked(self, method: str, path: str, body: bytes) -> requests.Response:
        """Send a request as it is, and do not check the response against Twilio's OpenAPI description."""
        request = requests.Request(method, self.url, data=body, auth=(ACCOUNT, TOKEN)).prepare()
        request.url = self.url + path
        return self._session.send(request, timeout=30)

    @staticmethod
    def raise_for_error(response: requests.Response) -> None:
        """Raise the error in a response as the `twilio` package would."""
        error = response.json()
        if response.status_code >= 400:
            raise TwilioRestException(response.status_code, response.url, msg=error["message"], code=error["code"])

    def text(self, body: str, *, sender: str = CUSTOMER, to: str = OUR_SMS) -> dict[str, str]:
        """Send a message as a customer; return the SIDs."""
        response = self.request("POST", "/_emulator/inbound", json={"from": sender, "to": to, "body": body})
        assert response.status_code == 202, response.text
        sids: dict[str, str] = response.json()
        return sids

    def arm(self, kind: str, **fault: object) -> None:
        """Arm a fault; it triggers once unless a rate or a count is given."""
        once = {} if "rate" in fault else {"count": 1}
        response = self.request("POST", "/_emulator/faults", json={"kind": kind, **once, **fault})
        assert response.status_code == 201, response.text

    def advance_clock(self, **ahead: float) -> None:
        """Move the emulator's clock forward; the arguments are those of `timedelta`."""
        seconds = timedelta(**ahead).total_seconds()
        assert self.request("POST", "/_emulator/clock", json={"advance_seconds": seconds}).status_code == 200

    @staticmethod
    def to_seconds(text: str) -> float:
        """Return a date in a response body as seconds."""
        return datetime.fromisoformat(text).timestamp()

    def typing(self, conversation_sid: str) -> list[str]:
        who: list[str] = self.request("GET", "/_emulator/typing", params={"conversation_sid": conversation_sid}).json()
        return who

    def inbox(self, address: str = CUSTOMER) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.request("GET", "/_emulator/inbox", params={"address": address}).json()
        return rows


def send_in_process(emulator: Emulator) -> dict[str, str]:
    """Send a message to an emulator that is not served over HTTP, and close it; return the SIDs."""

    async def send() -> dict[str, str]:
        transport = httpx.ASGITransport(emulator.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as http:
            response = await http.post("/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "hi"})
        await emulator.aclose()
        sids: dict[str, str] = response.json()
        return sids

    return asyncio.run(send())
