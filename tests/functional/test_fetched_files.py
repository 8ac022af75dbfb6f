"""Files of other hosts, fetched from a real server: what is asked for, and what is not taken."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket

import pytest

from switchboard.agents.fetched_files import FileFetcher, public_addresses
from switchboard.errors import Permanent, SwitchboardError, Transient
from switchboard.files import FetchedFile

HOST = "files.shop.example"
URL = f"https://{HOST}/menus/menu.pdf?v=2"
MENU = b"%PDF-1.4 our menu"


class NoTls:
    """Stands in for what checks certificates: the server speaks no TLS."""

    def wrap_socket(self, connected: socket, *, server_hostname: str) -> socket:
        assert server_hostname == HOST
        return connected


@dataclass
class Shop:
    """A server; `answer` says what it does, in the end of each request."""

    answer: Callable[[BaseHTTPRequestHandler], None]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def fetch(self, url: str = URL, *, max_bytes: int = 1000, seconds: float = 5) -> FetchedFile:
        fetcher = FileFetcher(
            allowed_hosts={"shop.example"},
            addresses=lambda _: [("127.0.0.1", self.port)],
            trusted=NoTls,  # type: ignore[arg-type]  # of a context, it is all that is used
            seconds=seconds,
        )
        return fetcher.fetch(url, max_bytes=max_bytes)


@contextmanager
def shop_that(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[Shop]:
    shop = Shop(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.asked.append((self.path, dict(self.headers)))
            shop.answer(self)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield shop
    finally:
        shop.released.set()
        server.shutdown()
        server.server_close()


def gives(
    content: bytes = MENU, *, status: int = 200, length: int | None = None, **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/pdf; name=menu")
        request.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return answer


def test_a_file_comes_with_its_type_and_nothing_of_ours_is_told() -> None:
    with shop_that(gives()) as shop:
        assert shop.fetch() == FetchedFile(content=MENU, content_type="application/pdf")

    [(path, headers)] = shop.asked
    assert path == "/menus/menu.pdf?v=2"
    assert headers == {"Host": HOST, "Accept": "*/*", "Accept-Encoding": "identity"}


@pytest.mark.parametrize(
    "answer",
    [
        gives(status=404),
        gives(status=302, Location=URL),
        gives(bytes(1001)),
        gives(length=len(MENU) + 1),
        gives(Content_Encoding="gzip"),
        lambda request: request.connection.close(),
    ],
    ids=["gone", "redirect", "too large", "broken off", "in an encoding", "no answer"],
)
def test_what_is_not_the_whole_file_is_not_taken(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with shop_that(answer) as shop, pytest.raises(SwitchboardError):
        shop.fetch()

    assert len(shop.asked) == 1


def test_a_file_of_the_allowed_size_is_taken() -> None:
    with shop_that(gives(bytes(1000))) as shop:
        assert len(shop.fetch().content) == 1000


def test_a_host_that_does_not_end_its_answer_is_left_in_time() -> None:
    def drips(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        shop.released.wait(20)

    with shop_that(drips) as shop, pytest.raises(Transient, match="did not send a file in time"):
        shop.fetch(seconds=0.2)
    assert not shop.asked or shop.released.is_set()


@pytest.mark.parametrize(
    "url",
    [
        "http://files.shop.example/menu.pdf",
        "https://other.example/menu.pdf",
        "https://notshop.example/menu.pdf",
        "https://shop.example@other.example/menu.pdf",
        "https://user:word@shop.example/menu.pdf",
        "https://shop.example:8443/menu.pdf",
        "https://127.0.0.1/menu.pdf",
        "https://[::1]/menu.pdf",
        "https://shop.example\\@other.example/menu.pdf",
        "https://shop.example/menu.pdf\r\nX: y",
        "https://shop.example/a b.pdf",
        f"https://shop.example/{'a' * 1000}.pdf",
        "https://shop.example",
    ],
)
def test_only_a_plain_url_of_an_allowed_host_is_asked(url: str) -> None:
    with shop_that(gives()) as shop, pytest.raises(Permanent, match="not one of an allowed host"):
        shop.fetch(url)

    assert shop.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_no_address_inside_a_network_is_connected_to(host: str) -> None:
    with pytest.raises(Permanent, match="an address that is not public"):
        public_addresses(host)


def test_an_address_on_the_internet_may_be_connected_to() -> None:
    assert public_addresses("8.8.8.8") == [("8.8.8.8", 443)]


def test_a_host_that_cannot_prove_its_name_is_not_asked() -> None:
    with shop_that(gives()) as shop:
        fetcher = FileFetcher(allowed_hosts={"shop.example"}, addresses=lambda _: [("127.0.0.1", shop.port)])

        with pytest.raises(Transient, match="SSL"):
            fetcher.fetch(URL, max_bytes=1000)

    assert shop.asked == []
    assert fetcher.trusted().verify_mode is ssl.CERT_REQUIRED
    assert fetcher.trusted().check_hostname
