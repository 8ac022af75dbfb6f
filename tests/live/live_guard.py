"""A client for somebody's real account: it touches what it made itself, reaches no phone, and leaves nothing behind."""

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


class WouldTouchOthers(AssertionError):
    """A call might reach what is not ours, or somebody's phone."""


def own_name() -> str:
    """Return a unique name or an identity that is certainly nobody else's."""
    return f"{PREFIX}{uuid.uuid4().hex}"


class Careful(TwilioHttpClient):  # type: ignore[misc]  # the package carries no types
    """Sends only what stays with our own conversations and users, and remembers them.

    `origin` takes the place of Twilio's; `ours` holds SIDs, unique names and identities, and what is nobody's; `made`
    is what there is to delete in the end.
    """

    def __init__(self, *, service_sid: str, origin: str = TWILIO) -> None:
        super().__init__(timeout=30)
        self._family = f"/v1/Services/{service_sid}/"
        self.origin = origin
        self._origins = {TWILIO, origin}  # pages point at the one that was called
        self.ours: set[str] = set()
        self.made: set[str] = set()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- handed on
        params, data = (_given(name, position, args, kwargs) for position, name in enumerate(("params", "data")))
        self.refuse_others(method, url, {**params, **data})
        origin = urlsplit(self.origin)
        own = urlsplit(url)._replace(scheme=origin.scheme, netloc=origin.netloc)
        answer = super().request(method, urlunsplit(own), *args, **kwargs)
        if method == "POST" and answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
            self._remember(urlsplit(url).path, data, json.loads(answer.text))
        return answer

    def refuse_others(self, method: str, url: str, form: Mapping[str, object]) -> None:
        """Raise `WouldTouchOthers` for whatever is not ours, and for whatever could reach a phone."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins or not parts.path.startswith(self._family):
            raise WouldTouchOthers(f"{method} {url} is not of the service's conversations")
        kind, _, rest = parts.path.removeprefix(self._family).partition("/")
        name = rest.partition("/")[0]
        if kind not in {"Conversations", "ConversationWithParticipants", "Users", "ParticipantConversations"}:
            raise WouldTouchOthers(f"{method} {url} is the service's own")
        if name and name not in self.ours:
            raise WouldTouchOthers(f"{method} {url} is not ours")
        if not name and method == "GET" and kind != "ParticipantConversations":
            raise WouldTouchOthers(f"{method} {url} lists what is not ours")
        self._refuse_people({**dict(parse_qsl(parts.query)), **form})

    def _refuse_people(self, form: Mapping[str, object]) -> None:
        if "binding" in str({**form, "Body": ""}).lower() or form.get("Address"):
            raise WouldTouchOthers("an address is somebody's phone")
        for identity in _identities(form):
            if not identity.startswith(PREFIX) and identity not in self.ours:
                raise WouldTouchOthers(f"{identity} may be somebody")
            self.ours.add(identity)

    def _remember(self, path: str, form: Mapping[str, object], made: Mapping[str, Any]) -> None:
        self.made.update(f"Users/{identity}" for identity in _identities(form))
        if path.endswith(("/Conversations", "/ConversationWithParticipants")):
            self.made.add(f"Conversations/{made['sid']}")
            self.ours.update(filter(None, (made["sid"], made["unique_name"])))
        elif path.endswith("/Users"):
            self.ours.add(made["sid"])


def _given(name: str, position: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, object]:
    return kwargs.get(name, args[position] if len(args) > position else None) or {}


def _identities(form: Mapping[str, object]) -> Iterator[str]:
    """Yield the identities that a form names, also those of a conversation's first participants."""
    if identity := form.get("Identity"):
        yield str(identity)
    participants = form.get("Participant", ())
    for text in [participants] if isinstance(participants, str) else list(participants):  # type: ignore[call-overload]
        yield str(json.loads(text).get("identity"))
