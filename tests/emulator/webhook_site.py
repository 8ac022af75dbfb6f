"""A web server that receives webhooks and records them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from tests.waiting import wait_until

TOKEN = "emulator-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A received webhook."""

    method: str
    url: str
    headers: dict[str, str]
    pairs: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def type(self) -> str:
        return self.fields["EventType"]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def is_signed(self) -> bool:
        """Return whether Twilio's validator accepts the signature, as Twilio documents it for this HTTP method."""
        fields: object = self if self.method == "POST" else {}
        return bool(RequestValidator(TOKEN).validate(self.url, fields, self.headers["x-twilio-signature"]))

    def getlist(self, name: str) -> list[str]:
        """Return all values of a field; `RequestValidator` calls this method."""
        return [value for key, value in self.pairs if key == name]


@dataclass(slots=True)
class Reply:
    """The response of the site; it is sent once `hold` is set, if there is one."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    hold: threading.Event | None = None


@dataclass(slots=True)
class WebhookSite:
    """`reply` returns the response to each webhook."""

    received: list[Received] = field(default_factory=list)
    reply: Callable[[Received], Reply] = lambda _received: Reply()
    _test: int = 0
    _server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                self._take(body)

            def do_GET(self) -> None:
                self._take(self.path.partition("?")[2])

            def _take(self, form: str) -> None:
                received = Received(
                    method=self.command,
                    url=f"http://{self.headers['Host']}{self.path}",
                    headers={name.lower(): value for name, value in self.headers.items()},
                    pairs=tuple(parse_qsl(form, keep_blank_values=True)),
                )
                if not f"{received.path}/".startswith(f"{site.path}/"):
                    self.send_error(404)  # it belongs to an earlier test
                    return
                site.received.append(received)
                reply = site.reply(received)
                if reply.hold is not None:
                    reply.hold.wait(30)
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body.encode())))
                self.end_headers()
                self.wfile.write(reply.body.encode())

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, *_: object) -> None:
                pass  # the emulator closed the connection, as Twilio does after 5 seconds

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self.path}"

    @property
    def path(self) -> str:
        return f"/webhook/{self._test}"

    def forget(self) -> None:
        """Forget all webhooks and use another URL, so that late webhooks of an earlier test are ignored."""
        self._test += 1
        self.received = []
        self.reply = lambda _received: Reply()

    def types(self) -> list[str]:
        return [received.type for received in self.received]

    def wait_for(self, *types: str) -> Sequence[Received]:
        """Wait for as many webhooks as there are types; check that they have these types, in this order."""
        wait_until(lambda: len(self.received) >= len(types), what=f"{types}, got {self.types()}")
        assert self.types() == list(types)
        return self.received

    def first(self, event_type: str) -> Received:
        """Wait for the first webhook of a type."""
        wait_until(lambda: event_type in self.types(), what=event_type)
        return next(each for each in self.received if each.type == event_type)
