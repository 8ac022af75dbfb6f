"""An HTTP client for the twilio package: keep-alive, two timeouts, no retries, and errors that say whether it left.

The package's own client has one timeout for connecting and reading, none by default, and logs query strings with phone
numbers in them (twilio 9.13).
"""

from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from switchboard.errors import NotSent, Permanent, Unknown
from switchboard.twilio.rest.errors import TOO_MANY, TooManyRequests

CONNECT_SECONDS = 2
UPLOAD_SECONDS = 12  # of a file: urllib3 holds the whole body to the time for connecting
READ_SECONDS = 8
CONNECTIONS = 20  # ten conversations of a batch at once, with room
DOWNLOAD_SECONDS = 20  # of a whole file
DOWNLOAD_CHUNK = 64 * 1024
OK = 200
UNAUTHORIZED = 401


class KeepAliveClient(HttpClient):  # type: ignore[misc]  # the package carries no types
    """Sends to Twilio, or to whatever stands at `base_url` in its place.

    Where Twilio refuses the credentials, `refresh_credentials` is called, and the next request uses what it returns.
    The refused request is not repeated: a send has the time of one request.
    """

    def __init__(self, *, base_url: str | None, refresh_credentials: Callable[[], tuple[str, str] | None]) -> None:
        super().__init__(logger=None, is_async=False, timeout=None)
        self._refresh_credentials = refresh_credentials
        self._newer_auth: tuple[str, str] | None = None
        self._base = urlsplit(base_url) if base_url else None
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=0))

    def request(  # noqa: D102 -- the package's interface
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | bytes | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 -- ours holds for every call
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 -- the package's interface
    ) -> Response:
        url = self.rewritten(url)
        try:
            answer = self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                auth=self._newer_auth or auth,
                timeout=(UPLOAD_SECONDS if isinstance(data, bytes) else CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=allow_redirects,
            )
        except requests.RequestException as error:
            if _never_left(error):
                raise NotSent(f"no connection to {urlsplit(url).netloc} could be made") from None
            raise Unknown(f"Twilio did not answer ({type(error).__name__})") from None
        if answer.status_code == UNAUTHORIZED:
            self._newer_auth = self._refresh_credentials() or self._newer_auth
        if answer.status_code == TOO_MANY:
            raise TooManyRequests(url, answer.text, retry_after=answer.headers.get("Retry-After"))
        return Response(answer.status_code, answer.text, answer.headers)

    def download(self, url: str, *, max_bytes: int, auth: tuple[str, str] | None) -> bytes:
        """Return what is at a URL, without following redirects. Raise `Permanent` where it is larger, or elsewhere.

        Other errors are raised as by `request`, and as the package raises them.
        """
        ends = monotonic() + DOWNLOAD_SECONDS
        auth = auth and (self._newer_auth or auth)
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            with self._session.get(url, auth=auth, timeout=timeout, allow_redirects=False, stream=True) as answer:
                if answer.status_code != OK:
                    raise TwilioRestException(answer.status_code, urlsplit(url).path)
                content = bytearray()
                while chunk := answer.raw.read1(DOWNLOAD_CHUNK, decode_content=True):  # what drips never times out
                    content += chunk
                    if len(content) > max_bytes:
                        raise Permanent(f"the file at Twilio has more than {max_bytes} bytes")
                    if monotonic() > ends:
                        raise Unknown("Twilio sends the file too slowly")
                return bytes(content)
        except (requests.RequestException, HTTPError) as error:
            raise Unknown(f"Twilio did not send the file ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def rewritten(self, url: str) -> str:
        """Return the URL that is asked in the place of one of Twilio's."""
        if self._base is None:
            return url
        return urlunsplit(urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc))


def _never_left(error: requests.RequestException) -> bool:
    """Tell whether no connection was made: only then is it certain that nothing was sent."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
