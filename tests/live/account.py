"""The account under test: the emulator's, or with TWILIO_LIVE=1 a real one at Twilio."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from twilio.base.exceptions import TwilioRestException
from twilio.http.response import Response
from twilio.rest import Client

from tests import skips
from tests.emulator.emulator_server import ACCOUNT, SERVICE, TOKEN
from tests.live.live_guard import TWILIO, GuardedClient, NotOurs, own_name
from tests.waiting import pause
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

VARIABLES = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_CONVERSATIONS_SERVICE_SID")
PAUSES = (1, 2, 4, 8)  # before a refused delete is repeated: nothing may be left behind


class Account:
    """`service` is the twilio package's, over a guarded client."""

    def __init__(self, *, account_sid: str, auth_token: str, service_sid: str, origin: str = TWILIO) -> None:
        self.http = GuardedClient(service_sid=service_sid, origin=origin)
        self._client = Client(account_sid, auth_token, http_client=self.http)
        self._url = f"{TWILIO}/v1/Services/{service_sid}/"

    @property
    def service(self) -> Any:  # noqa: ANN401 -- the package types its resources loosely
        return self._client.conversations.v1.services(self._url.split("/")[-2])

    def conversation(self, **given: object) -> Any:  # noqa: ANN401 -- see service
        """Create a conversation."""
        return self.service.conversations.create(**{"unique_name": own_name(), **given})

    def request(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Response:
        """Send a request that the package cannot send; raise the error that the package would."""
        response = self._client.request(method, self._url + path, data=data)
        if response.status_code >= 400:
            raise self._client.conversations.v1.exception(method, path, response, "Refused")
        return response

    def clean_up(self) -> None:
        """Delete every created conversation and user, also where another cannot be deleted."""
        failed = [path for path in sorted(self.http.created) if not self._is_gone(path)]
        self.http.created.clear()
        self.http.ours.clear()
        assert failed == [], f"could not be deleted: {failed}"

    def _is_gone(self, path: str) -> bool:
        for pause_seconds in PAUSES:
            try:
                self.request("DELETE", path)
            except TwilioRestException as error:
                if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                    pause(pause_seconds)
                    continue
                return bool(error.status == HTTPStatus.NOT_FOUND)
            except (NotOurs, OSError):
                return False
            return True
        return False


@contextmanager
def emulated() -> Iterator[Account]:
    emulator = Emulator(actions_per_second=None)  # tests send requests faster than Twilio allows
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    account = Account(account_sid=ACCOUNT, auth_token=TOKEN, service_sid=SERVICE, origin=origin)
    try:
        yield account
    finally:
        account.http.session.close()
        servers.close()
    left = [*emulator.backend.state.conversations, *emulator.backend.state.users[SERVICE]]
    assert left == [], "tests left something behind"


@contextmanager
def live() -> Iterator[Account]:
    if os.environ.get("TWILIO_LIVE") != "1":
        skips.missing("TWILIO_LIVE", allowed=True)
    for name in VARIABLES:
        if not os.environ.get(name):
            skips.missing(name)
    account_sid, auth_token, service_sid = (os.environ[name] for name in VARIABLES)
    account = Account(account_sid=account_sid, auth_token=auth_token, service_sid=service_sid)
    yield account
    account.http.session.close()
