"""A file of an allowed host, fetched to be attached: by https, with no redirect, in a limited time and size.

What a model writes is asked for, so it is asked only where the team allows it, and never inside a network: the host's
addresses must be public, and the one that was checked is the one that is connected to. No credentials, no proxy.
"""

import re
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from switchboard.agents.links import is_allowed
from switchboard.errors import Permanent, Transient
from switchboard.files import FetchedFile

FETCH_SECONDS = 8.0  # of all of it: the name, the connection, the answer
PORT = 443
MAX_URL_CHARACTERS = 1000
_CHUNK = 64 * 1024
_OK = 200
_URL = re.compile(r"https://[a-z0-9.-]+/[!#$%&'()*+,./:;=?@\[\]_~A-Za-z0-9-]*")

type Address = tuple[str, int]


def public_addresses(host: str) -> Sequence[Address]:
    """Return a host's addresses; raise `Permanent` where one of them is not public, `OSError` where it has none."""
    found = [(str(each[4][0]), PORT) for each in socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)]
    if not all(_is_public(address) for address, _ in found):
        raise Permanent(f"{host} has an address that is not public")
    return found


def _is_public(address: str) -> bool:
    ip = ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFetcher:
    """Fetches files of the allowed hosts and their subdomains; `switchboard.ports.FileFetcher` says what it does."""

    allowed_hosts: Collection[str]
    addresses: Callable[[str], Sequence[Address]] = public_addresses
    trusted: Callable[[], ssl.SSLContext] = _trusted
    seconds: float = field(default=FETCH_SECONDS)

    def may_fetch(self, url: str) -> bool:
        """Tell whether a URL is at an allowed host, by its name, with no port and no credentials; nothing is asked."""
        if len(url) > MAX_URL_CHARACTERS or not _URL.fullmatch(url):
            return False
        host = url.split("/")[2]
        return is_allowed(host, self.allowed_hosts) and not re.fullmatch(r"[0-9.]+", host)

    def fetch(self, url: str, *, max_bytes: int) -> FetchedFile:
        """Return what is at a URL. Raise `Permanent` or `Transient` where it is not all there within the time."""
        if not self.may_fetch(url):
            raise Permanent("the URL of a file is not one of an allowed host")
        download = _Download(self, url, max_bytes)
        thread = Thread(target=download.run, daemon=True)  # a name that is looked up has no time limit of its own
        thread.start()
        thread.join(self.seconds)
        return download.result()


class _Download:
    """One request, in a thread that may outlive the time."""

    def __init__(self, fetcher: FileFetcher, url: str, max_bytes: int) -> None:
        self._fetcher, self._max_bytes = fetcher, max_bytes
        address = urlsplit(url)
        self._host = address.netloc
        self._target = f"{address.path}?{address.query}" if address.query else address.path
        self._ends = monotonic() + fetcher.seconds
        self._connection: _Connection | None = None
        self._ended: FetchedFile | Exception | None = None

    def run(self) -> None:
        try:
            self._ended = self._fetched()
        except (Permanent, Transient) as error:
            self._ended = error
        except (OSError, HTTPException, ValueError) as error:
            self._ended = Transient(f"{self._host} did not send a file ({type(error).__name__})")

    def result(self) -> FetchedFile:
        """Return what came; raise what went wrong, and end what is not done."""
        match self._ended:
            case FetchedFile() as file:
                return file
            case Exception() as error:
                raise error
            case None:
                if self._connection:
                    self._connection.end()
                raise Transient(f"{self._host} did not send a file in time")

    def _fetched(self) -> FetchedFile:
        address = self._fetcher.addresses(self._host)[0]
        left = max(0.1, self._ends - monotonic())
        self._connection = connection = _Connection(self._host, address, self._fetcher.trusted(), timeout=left)
        try:
            connection.request("GET", self._target, headers={"Accept": "*/*", "Accept-Encoding": "identity"})
            answer = connection.getresponse()
            connection.answer = answer
            if answer.status != _OK or answer.headers.get("Content-Encoding", "identity") != "identity":
                raise Permanent(f"{self._host} answered {answer.status}, or in an encoding")
            content = bytearray()
            while chunk := answer.read1(_CHUNK):
                content += chunk
                if len(content) > self._max_bytes:
                    raise Permanent(f"the file at {self._host} has more than {self._max_bytes} bytes")
                if monotonic() > self._ends:
                    raise Transient(f"{self._host} sends a file too slowly")
            if answer.length:  # it broke off
                raise Transient(f"{self._host} did not send all of a file")
            return FetchedFile(content=bytes(content), content_type=answer.headers.get_content_type())
        finally:
            connection.end()


class _Connection(HTTPConnection):
    """Connects to an address that was checked, and to no other that the host's name may mean by now."""

    default_port = PORT
    answer: HTTPResponse | None = None

    def __init__(self, host: str, address: Address, trusted: ssl.SSLContext, *, timeout: float) -> None:
        super().__init__(host, timeout=timeout)
        self._address, self._trusted = address, trusted
        self._opened: list[socket.socket] = []  # an answer that ends with its connection takes `sock` away

    def connect(self) -> None:
        """Connect, and have the host prove its name."""
        plain = socket.create_connection(self._address, self.timeout)
        self._opened.append(plain)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)
        self._opened.append(self.sock)

    def end(self) -> None:
        """Close the connection, also where another thread reads from it."""
        for opened in reversed(self._opened):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        if self.answer:
            self.answer.close()
        self.close()
