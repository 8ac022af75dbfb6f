"""The files of messages: ours are uploaded; a customer's are read by their SID, never by a URL that they wrote.

Twilio's media service names an address for each file, which needs no credentials and ends after 300 seconds
(`links.content_direct_temporary`; Twilio: "Media resource"). Only an address of Twilio's is asked, and no redirect is
followed. None of this has been tried with an account.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioRestException

from switchboard.errors import NotSent, Permanent, Transient, Unknown
from switchboard.media import Media
from switchboard.twilio.rest.errors import classify_send, raise_twilio_errors
from switchboard.twilio.rest.services import Service

MEDIA_HOST = "https://mcs.us1.twilio.com"
OK = 200
UNAUTHORIZED = 401
UPLOADED = frozenset({200, 201})


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
        if answer.status_code == UNAUTHORIZED:
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


def upload_media(service: Service, *, content: bytes, content_type: str, filename: str) -> str:
    """Upload a file, once, and return its SID: a message may have it. Twilio deletes one that none has after 5 minutes.

    Raise `SendRefused` where Twilio never takes it; else `NotSent`, because a lost upload has reached nobody.
    """
    url = f"{MEDIA_HOST}/v1/Services/{service.service_sid}/Media"
    try:
        with classify_send("a file"):
            answer = service.http.request(
                "POST",
                url,
                params={"Filename": filename},
                data=content,
                headers={"Content-Type": content_type},
                auth=(service.client.username, service.client.password),
            )
            if answer.status_code not in UPLOADED:
                raise TwilioRestException(answer.status_code, url, code=_code(answer.text))
            return str(json.loads(answer.text)["sid"])
    except Unknown as error:
        raise NotSent(str(error)) from None


_LINK = "content_direct_temporary"


def _is_of_twilio(link: str, *, known: str) -> bool:
    """Tell whether a link is at the host that was asked, or at another of Twilio's."""
    address, host = urlsplit(link), urlsplit(link).hostname or ""
    if "\\" in link:  # what is the host then, urllib3 reads otherwise
        return False
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
