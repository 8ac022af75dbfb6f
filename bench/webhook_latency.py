"""From an inbound text to its signed webhook at a local site, against one bare POST of that webhook to the site."""

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

TEXTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    at: float
    body: bytes
    signature: str


def measure() -> tuple[float, float]:
    """Return the medians, in seconds, of interleaved texts and POSTs; the emulator is idle, in its own process."""
    arrived: queue.SimpleQueue[_Arrived] = queue.SimpleQueue()
    site = ThreadingHTTPServer(("127.0.0.1", 0), _site(arrived))
    Thread(target=site.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{site.server_port}/webhook"
    ours, reference = [], []
    with (
        running_emulator("--webhook", url) as (_, twilio),
        CustomerClient(twilio, CUSTOMER) as customer,
        httpx.Client() as http,
    ):
        customer.send("the first opens the conversation")
        webhook = [arrived.get() for _ in ("onConversationAdded", "onParticipantAdded", "onMessageAdded")][-1]
        if not RequestValidator(TOKEN).validate(url, dict(parse_qsl(webhook.body.decode())), webhook.signature):
            raise RuntimeError("the webhook is not signed, and the figure would mean nothing")
        for _ in range(TEXTS):
            ours.append(_took(arrived, lambda: customer.send("hello")))
            reference.append(_took(arrived, lambda: http.post(url, content=webhook.body)))
    site.shutdown()
    site.server_close()
    return statistics.median(ours), statistics.median(reference)


def _took(arrived: "queue.SimpleQueue[_Arrived]", send: Callable[[], object]) -> float:
    began = time.perf_counter()
    send()
    return arrived.get().at - began


def _site(arrived: "queue.SimpleQueue[_Arrived]") -> type[BaseHTTPRequestHandler]:
    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.put(
                _Arrived(at=time.perf_counter(), body=body, signature=self.headers.get("X-Twilio-Signature", ""))
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Site
