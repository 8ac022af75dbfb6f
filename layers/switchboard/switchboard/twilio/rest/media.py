"""The files of messages, read by their SID at Twilio: never by a URL that a customer wrote.

Twilio's media service names an address for each file, which needs no credentials and ends after 300 seconds
(`links.content_direct_temporary`; Twilio: "Media resource"). Only an address of Twilio's is asked, and no redirect is
followed. None of this has been tried with an account.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioRestException

from switchboard.errors import Permanent, Transient
from switchboard.media import Media
from switchboard.twilio.rest.errors import CREDENTIALS, raise_twilio_errors
from switchboard.twilio.rest.services import Service

MEDIA_HOST = "https://mcs.us1.twilio.com"
OK = 200


def read_media(service: Service, media: Media, max_bytes: int) -> bytes:
    """Return a file of at most so many bytes.

    Raise `Permanent` where there is no such file, it is larger, or not at Twilio's; `Transient` where Twilio may give
    it later.
    """
    if not media.sid:
        raise Permanent("a file has no SID, so that it cannot be read")
    url = f"{MEDIA_HOST}/v1/Services/{service.service_sid}/Media/{media.sid}"
    with raise_twilio_errors(media.sid):
        answer: Any = service.client.request("GET", url)
        if answer.status_code in CREDENTIALS:
            raise Transient(
                f"{media.sid}: Twilio answered {answer.status_code}: check the account SID and the auth token"
            )
        if answer.status_code != OK:
            raise TwilioRestException(answer.status_code, url, code=_code(answer.text))
        described = json.loads(answer.text)
        size, link = int(described["size"]), str(described["links"][_LINK])
    if size > max_bytes:
        raise Permanent(f"{media.sid}: the file has {size} bytes, more than {max_bytes}")
    if not _is_of_twilio(link, known=service.http.rewritten(url)):
        raise Permanent(f"{media.sid}: Twilio names an address for the file that is not its own")
    with raise_twilio_errors(media.sid):
        return service.http.download(link, max_bytes=max_bytes, auth=_auth(service, link, known=url))


_LINK = "content_direct_temporary"


def _is_of_twilio(link: str, *, known: str) -> bool:
    """Tell whether a link is at the host that was asked, or at another of Twilio's."""
    address, host = urlsplit(link), urlsplit(link).hostname or ""
    return _origin(link) == _origin(known) or (address.scheme == "https" and host.endswith(".twilio.com"))


def _auth(service: Service, link: str, *, known: str) -> tuple[str, str] | None:
    """Return the credentials for the host that knows them; a link elsewhere has what it needs in itself."""
    is_same = _origin(link) == _origin(service.http.rewritten(known))
    return (service.client.username, service.client.password) if is_same else None


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url).scheme, urlsplit(url).netloc


def _code(text: str) -> int | None:
    try:
        return int(json.loads(text)["code"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
