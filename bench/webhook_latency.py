"""From a customer's message to its signed webhook at a local site, compared with one plain POST of that webhook."""

import queue
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

import httpx
from twilio.request_validator import RequestValidator

from tests.emulator.emulator_process import running_emulator
from tests.emulator.emulator_server import CUSTOMER, TOKEN
from twilio_emulator.client import CustomerClient

MESSAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    at: float
    body: bytes
    signature: str


def measure() -> tuple[float, float]:
    """Return the medians, in seconds, of alternating messages and POSTs. The idle emulator has its own process."""
    received: queue.SimpleQueue[_Received] = queue.SimpleQueue()
    site = ThreadingHTTPServer(("127.0.0.1", 0), _site(received))
    Thread(target=site.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{site.server_port}/webhook"
    ours, reference = [], []
    with (
        running_emulator("--webhook", url) as (_, twilio),
        CustomerClient(twilio, CUSTOMER) as customer,
        httpx.Client() as http,
    ):
        customer.send("the first opens the conversation")
        webhook = [received.get() for _ in ("onConversationAdded", "onParticipantAdded", "onMessageAdded")][-1]
        if not RequestValidator(TOKEN).validate(url, dict(parse_qsl(webhook.body.decode())), webhook.signature):
            raise RuntimeError("the webhook is not signed, and the figure would mean nothing")
        for _ in range(MESSAGES):
            ours.append(_took(received, lambda: customer.send("hello")))
            reference.append(_took(received, lambda: http.post(url, content=webhook.body)))
    site.shutdown()
    site.server_close()
    return statistics.median(ours), statistics.median(reference)


def _took(received: "queue.SimpleQueue[_Received]", send: Callable[[], object]) -> float:
    started = time.perf_counter()
    send()
    return received.get().at - started


def _site(received: "queue.SimpleQueue[_Received]") -> type[BaseHTTPRequestHandler]:
    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put(
                _Received(at=time.perf_counter(), body=body, signature=self.headers.get("X-Twilio-Signature", ""))
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Site
