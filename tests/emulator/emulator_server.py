"""The emulator as its clients see it: a URL."""

from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

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
    """Expect Twilio's error, as the package raises it."""
    return pytest.RaisesExc(
        TwilioRestException, check=lambda error: error.code == code and status in {None, error.status}
    )


class Rewriting(TwilioHttpClient):  # type: ignore[misc]  # the package carries no types
    """The package's own HTTP client, with the emulator in Twilio's place."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = urlsplit(base)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- handed on
        own = urlunsplit(urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc))
        return super().request(method, own, *args, **kwargs)


class _Checking(Rewriting):
    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- handed on
        answer = super().request(method, url, *args, **kwargs)
        data = kwargs.get("data", args[1] if len(args) > 1 else None)
        description.check(method, url, data, answer.status_code, answer.text)
        return answer


class Served:
    """`client` is the twilio package; `conversations` its resources of our service."""

    def __init__(self, *, emulator: Emulator, url: str) -> None:
        self.emulator = emulator
        self.url = url
        self._http = _Checking(url)
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

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:  # noqa: ANN401 -- handed on
        answer = self._session.request(method, self.url + path, **{"auth": (ACCOUNT, TOKEN), "timeout": 30, **kwargs})
        description.check(method, answer.url, kwargs.get("data"), answer.status_code, answer.text)
        return answer

    def bare(self, method: str, path: str, body: bytes) -> requests.Response:
        """Make a call as it is: neither encoded nor held to the description."""
        request = requests.Request(method, self.url, data=body, auth=(ACCOUNT, TOKEN)).prepare()
        request.url = self.url + path
        return self._session.send(request, timeout=30)

    @staticmethod
    def raises(answer: requests.Response) -> None:
        """Raise the error that an answer is, as the package would."""
        error = answer.json()
        if answer.status_code >= 400:
            raise TwilioRestException(answer.status_code, answer.url, msg=error["message"], code=error["code"])

    def text(self, body: str, *, sender: str = CUSTOMER, to: str = OUR_SMS) -> dict[str, str]:
        """Send a text from a customer's phone; return the SIDs."""
        answer = self.request("POST", "/_emulator/inbound", json={"from": sender, "to": to, "body": body})
        assert answer.status_code == 202, answer.text
        sids: dict[str, str] = answer.json()
        return sids

    def arm(self, kind: str, **fault: object) -> None:
        """Arm a fault; once, unless a rate or a count says otherwise."""
        once = {} if "rate" in fault else {"count": 1}
        answer = self.request("POST", "/_emulator/faults", json={"kind": kind, **once, **fault})
        assert answer.status_code == 201, answer.text

    def advance_clock(self, **ahead: float) -> None:
        """Move the emulator's clock, by what `timedelta` takes."""
        seconds = timedelta(**ahead).total_seconds()
        assert self.request("POST", "/_emulator/clock", json={"advance_seconds": seconds}).status_code == 200

    @staticmethod
    def seconds(number: float) -> timedelta:
        return timedelta(seconds=number)

    @staticmethod
    def instant(text: str) -> float:
        """Return an instant of a body as seconds."""
        return datetime.fromisoformat(text).timestamp()

    def typing(self, conversation_sid: str) -> list[str]:
        who: list[str] = self.request("GET", "/_emulator/typing", params={"conversation_sid": conversation_sid}).json()
        return who

    def inbox(self, address: str = CUSTOMER) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = self.request("GET", "/_emulator/inbox", params={"address": address}).json()
        return rows
