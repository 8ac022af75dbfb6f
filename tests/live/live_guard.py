"""A client for a real account: it uses only what it created, sends nothing to a phone, and deletes everything."""

import json
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

PREFIX = "switchboard-live-"
TWILIO = "https://conversations.twilio.com"


class NotOurs(AssertionError):
    """A request would use a resource that the tests did not create, or an address of a phone."""


def own_name() -> str:
    """Return a unique name or identity that no one else uses."""
    return f"{PREFIX}{uuid.uuid4().hex}"


class GuardedClient(TwilioHttpClient):  # type: ignore[misc]  # the package carries no types
    """Sends only requests for conversations and users that it created.

    `origin` replaces Twilio's. `ours` are the SIDs, unique names and identities that a request may name. `created` are
    the paths to delete in the end.
    """

    def __init__(self, *, service_sid: str, origin: str = TWILIO) -> None:
        super().__init__(timeout=30)
        self._service_path = f"/v1/Services/{service_sid}/"
        self.origin = origin
        self._origins = {TWILIO, origin}  # pages point at the one that was called
        self.ours: set[str] = set()
        self.created: set[str] = set()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- passed on
        params, data = (_argument(name, position, args, kwargs) for position, name in enumerate(("params", "data")))
        self.check(method, url, {**params, **data})
        origin = urlsplit(self.origin)
        target = urlsplit(url)._replace(scheme=origin.scheme, netloc=origin.netloc)
        response = super().request(method, urlunsplit(target), *args, **kwargs)
        if method == "POST" and response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            self._remember(urlsplit(url).path, data, json.loads(response.text))
        return response

    def check(self, method: str, url: str, form: Mapping[str, object]) -> None:
        """Raise `NotOurs` if the request names a resource that is not ours, or the address of a phone."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins or not parts.path.startswith(self._service_path):
            raise NotOurs(f"{method} {url} is outside of the service")
        kind, _, rest = parts.path.removeprefix(self._service_path).partition("/")
        name = rest.partition("/")[0]
        if kind not in {"Conversations", "ConversationWithParticipants", "Users", "ParticipantConversations"}:
            raise NotOurs(f"{method} {url} would change the service")
        if name and name not in self.ours:
            raise NotOurs(f"{method} {url} is not ours")
        if not name and method == "GET" and kind != "ParticipantConversations":
            raise NotOurs(f"{method} {url} lists what is not ours")
        self._refuse_addresses_and_identities({**dict(parse_qsl(parts.query)), **form})

    def _refuse_addresses_and_identities(self, form: Mapping[str, object]) -> None:
        if "binding" in str({**form, "Body": ""}).lower() or form.get("Address"):
            raise NotOurs("an address would reach a phone")
        for identity in _identities(form):
            if not identity.startswith(PREFIX) and identity not in self.ours:
                raise NotOurs(f"{identity} may belong to someone")
            self.ours.add(identity)

    def _remember(self, path: str, form: Mapping[str, object], created: Mapping[str, Any]) -> None:
        self.created.update(f"Users/{identity}" for identity in _identities(form))
        if path.endswith(("/Conversations", "/ConversationWithParticipants")):
            self.created.add(f"Conversations/{created['sid']}")
            self.ours.update(filter(None, (created["sid"], created["unique_name"])))
        elif path.endswith("/Users"):
            self.ours.add(created["sid"])


def _argument(name: str, position: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, object]:
    return kwargs.get(name, args[position] if len(args) > position else None) or {}


def _identities(form: Mapping[str, object]) -> Iterator[str]:
    """Yield the identities that a form names, also those of a conversation's first participants."""
    if identity := form.get("Identity"):
        yield str(identity)
    participants = form.get("Participant", ())
    for text in [participants] if isinstance(participants, str) else list(participants):  # type: ignore[call-overload]
        yield str(json.loads(text).get("identity"))
