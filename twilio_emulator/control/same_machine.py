"""Keeps what needs no credentials to this machine: no other host's name leads there, and no other site's page.

A page of another site can send requests to this machine. It gives itself away by its `Origin` or `Sec-Fetch-Site`, or,
if it had its own name resolve to this machine (DNS rebinding), by that name in `Host`.
"""

from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twilio_emulator.exceptions import TwilioError

FORBIDDEN = 20403


class SameMachine:
    """Passes on the requests that are meant for this machine, and refuses any other with 403.

    `Host` must be a name or an address of the loopback interface, or the address at which the request arrived, or
    `host`, what the server was told to listen on. What arrives from a network may have any name without a dot, such as
    that of a container: no site has such a name.
    """

    def __init__(self, app: ASGIApp, *, host: str = "") -> None:
        self._app = app
        self._host = host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        reason = self._reason(scope) if scope["type"] == "http" else None
        await (self._app if reason is None else _refusal(scope, reason))(scope, receive, send)

    def _reason(self, scope: Scope) -> str | None:
        """Return why a request is refused, as a sentence; None if it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._is_ours(_name_of(host), arrived_at=(scope.get("server") or ("",))[0]):
            return "This is only for this machine: use http://127.0.0.1 or http://localhost, not another name"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return "This is only for pages of this server, not for those of another site"
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not _follows_a_link(scope, headers):
            return "This is only for pages of this server, not for those of another site"
        return None

    def _is_ours(self, name: str, *, arrived_at: str) -> bool:
        if _is_loopback(name) or (name and name in {self._host, arrived_at}):
            return True
        return bool(name) and "." not in name and ":" not in name and not _is_loopback(arrived_at)


def _name_of(host: str) -> str:
    """Return the name or address in a `Host`, without its port; empty if it is not valid."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is no number
    except ValueError:
        return ""
    return parts.hostname or ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _follows_a_link(scope: Scope, headers: Headers) -> bool:
    """Tell whether somebody clicked a link: they see the answer, and the site that has the link does not."""
    is_read = scope["method"] in {"GET", "HEAD"}
    return is_read and (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")


def _refusal(scope: Scope, reason: str) -> Response:
    if "text/html" in Headers(scope=scope).get("accept", ""):
        return PlainTextResponse(f"{reason}.\n", HTTPStatus.FORBIDDEN)
    return JSONResponse(TwilioError(FORBIDDEN, reason).body(), HTTPStatus.FORBIDDEN)
