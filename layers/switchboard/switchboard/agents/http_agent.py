"""An assistant behind an HTTP endpoint, in any language: it is sent the question as JSON, and returns the answer.

    POST https://assistant.example.com/answer
    Idempotency-Key: 0f3c…                       the turn: the same each time it is tried again
    Authorization: Bearer …                      where a token is declared

    {"turn": "0f3c…", "history": [{"role": "customer", "text": "Hi", "at": "2026-11-20T10:00:00+00:00"}],
     "messages": ["Are you open?"], "media": [], "max_characters": null, "conversation": "CH…", "customer": "9f2c…",
     "now": "2026-11-20T10:00:05+00:00"}

    200 {"text": "Yes, until 7 pm.", "handoff": false, "no_reply": false}

`at` is null where no time is known. A file in `media` is `{"content_type": "image/png", "size": 42056, "sid": "ME…"}`.
`customer` is a key, never an address. Where `max_characters` is a number, a longer answer is sent in several messages.
`text` is Markdown; `handoff`, `no_reply` and `opt_out` may be left out.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from switchboard.agent import Answer, HistoryEntry, Question
from switchboard.content import Content
from switchboard.errors import Misconfigured, ModelMisconfigured, Permanent, Transient

CONNECT_SECONDS = 3.0
MAX_BYTES = 256 * 1024  # of an answer: a customer reads at most 8,000 characters
CHUNK_BYTES = 16 * 1024

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_PASSING = frozenset({408, 425, 429})
_REFUSING = frozenset({401, 402, 403, 404, 405})
_SERVER_ERRORS = 500


class HttpAgent:
    """The `Agent` behind a URL. `assistant = HttpAgent("https://…")` in assistant.py is all that it needs.

    `token` is a bearer token, such as `os.environ["SHOP_TOKEN"]`. Raises `Misconfigured` for what is not an http or
    https URL, for an empty token, and for one that would go over plain http to another machine.
    """

    def __init__(self, url: str, *, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Misconfigured(
                f"HttpAgent takes an http or https URL, such as https://example.com/answer, not {url!r}"
            )
        if token is not None and not token.strip():
            raise Misconfigured("the token of HttpAgent is empty: set its environment variable, or leave it out")
        if token and parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
            raise Misconfigured("HttpAgent sends a token over https only: anybody could read it")
        self._url, self._host, self._auth = url, parts.hostname, _Bearer(token.strip() if token else "")

    def answer(self, question: Question) -> Answer:
        """Return the endpoint's answer within `timeout_seconds`.

        Raises `Transient` for a time-out, a broken connection, 408, 425, 429, 5xx, and an answer that is cut off or
        empty; `ModelMisconfigured` for a redirect, 401, 402, 403, 404, 405, or a certificate that is not trusted;
        `Permanent` for anything else that is not an answer: HTML, other JSON, more than 256 KiB.
        """
        ends = time.monotonic() + question.timeout_seconds
        try:
            with requests.Session() as session, self._post(session, question) as response:
                self._check_status(response, question.turn)
                body = self._read(response, ends, question.turn)
        except requests.exceptions.SSLError as error:
            raise ModelMisconfigured(self._said(question.turn, f"no trusted connection: {_name(error)}")) from None
        except (requests.RequestException, HTTPError) as error:
            raise Transient(self._said(question.turn, f"no whole answer came: {_name(error)}")) from None
        return self._parsed(body, question.turn)

    def _post(self, session: requests.Session, question: Question) -> requests.Response:
        return session.post(
            self._url,
            data=json.dumps(_asked(question)),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Idempotency-Key": question.turn,
            },
            auth=self._auth,
            timeout=(min(CONNECT_SECONDS, question.timeout_seconds), question.timeout_seconds),
            allow_redirects=False,
            stream=True,
        )

    def _check_status(self, response: requests.Response, turn: str) -> None:
        status = response.status_code
        if status == requests.codes.ok:
            return
        text = self._said(turn, f"it answered with status {status}")
        if response.is_redirect:
            raise ModelMisconfigured(f"{text}: redirects are not followed; give HttpAgent the last URL")
        if status in _REFUSING:
            raise ModelMisconfigured(f"{text}: look at the URL and the token")
        raise Transient(text) if status in _PASSING or status >= _SERVER_ERRORS else Permanent(text)

    def _read(self, response: requests.Response, ends: float, turn: str) -> bytes:
        """Return the body. What drips never runs into the socket's time-out, so the time is watched here."""
        body = bytearray()
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                raise Permanent(self._said(turn, f"its answer is longer than {MAX_BYTES} bytes"))
            if time.monotonic() > ends:
                raise Transient(self._said(turn, "it did not answer in time"))
        return bytes(body)

    def _parsed(self, body: bytes, turn: str) -> Answer:
        if not body.strip():
            raise Transient(self._said(turn, "its answer is empty"))
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise Permanent(self._said(turn, "its answer is not JSON")) from None
        if not isinstance(answer, dict):
            raise Permanent(self._said(turn, "its answer is not a JSON object"))
        read = {name: answer.get(name, default) for name, default in (("text", ""), *_FLAGS)}
        if wrong := [name for name, is_right in _TYPES.items() if not is_right(read[name])]:
            raise Permanent(self._said(turn, f"{wrong[0]} in its answer has another type"))
        if answer.keys().isdisjoint(_TYPES):
            raise Permanent(self._said(turn, "its answer has neither text nor no_reply"))
        return Answer(**read, content=self._content(answer.get("content"), turn))

    def _content(self, value: Any, turn: str) -> Content | None:  # noqa: ANN401 -- JSON
        match value:
            case None:
                return None
            case {"sid": str(sid), "variables": dict(variables)}:
                return Content(sid=sid, variables=variables)
            case {"sid": str(sid)} if len(value) == 1:
                return Content(sid=sid)
            case _:
                raise Permanent(self._said(turn, 'content in its answer is not {"sid": "HX…", "variables": {…}}'))

    def _said(self, turn: str, what: str) -> str:
        return f"{turn}: the agent at {self._host}: {what}"


_FLAGS = (("handoff", False), ("no_reply", False), ("opt_out", False))
_TYPES: Mapping[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    **dict.fromkeys(("handoff", "no_reply", "opt_out"), lambda value: isinstance(value, bool)),
}


@dataclass(frozen=True, slots=True)
class _Bearer(AuthBase):
    """Sends the token, if there is one. Without any `auth`, requests would send a password of a .netrc file."""

    token: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _asked(question: Question) -> dict[str, Any]:
    return {
        "turn": question.turn,
        "history": [_entry(entry) for entry in question.history],
        "messages": list(question.messages),
        "media": [asdict(media) for media in question.media],
        "max_characters": question.max_characters,
        "conversation": question.conversation,
        "customer": question.customer,
        "now": question.now.isoformat(timespec="seconds"),
    }


def _entry(entry: HistoryEntry) -> dict[str, str | None]:
    return {"role": entry.role.value, "text": entry.text, "at": entry.at.isoformat() if entry.at else None}


def _name(error: Exception) -> str:
    return type(error).__name__
