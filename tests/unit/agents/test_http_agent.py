"""An assistant behind an HTTP endpoint, asked over a real connection: its answers, and each way in which it fails."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from switchboard.agent import Answer, EntryRole, HistoryEntry, Question
from switchboard.agents.http_agent import MAX_BYTES, HttpAgent
from switchboard.content import Content
from switchboard.errors import Misconfigured, ModelMisconfigured, Permanent, Transient
from switchboard.media import Media
from tests.builders import CONVERSATION, NOON, sid
from twilio_emulator.server import listen

WORDS = "the customer's words"
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ANSWER = json.dumps({"text": "Yes."}).encode()


@dataclass
class Endpoint:
    """An assistant over HTTP: what it answers to every request, and what it was asked."""

    status: int = 200
    body: bytes = ANSWER
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    declared_length: int | None = None  # another one than the body has: the answer is cut off
    drips: bool = False  # it sends a byte now and then, until the test ends
    asked: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    ended = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.asked.append(({name.lower(): value for name, value in self.headers.items()}, asked))
            self.send_response(endpoint.status)
            length = len(endpoint.body) if endpoint.declared_length is None else endpoint.declared_length
            for name, value in {"Content-Type": endpoint.content_type, **endpoint.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            while endpoint.drips and not ended.wait(0.01):
                self.wfile.write(b" ")
            self.wfile.write(endpoint.body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client hung up, as it should
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/answer"
    try:
        yield endpoint
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


def question(timeout_seconds: float = 20.0) -> Question:
    history = (
        HistoryEntry(role=EntryRole.CUSTOMER, text="Hi", at=AT),
        HistoryEntry(role=EntryRole.MARK, text="A human took over."),
    )
    return Question(
        turn="turn-1",
        history=history,
        messages=(WORDS, "Open?"),
        timeout_seconds=timeout_seconds,
        conversation=CONVERSATION,
        customer="a-key",
        address="+12025550110",  # never sent
        media=(Media(content_type="image/jpeg", size=42_056, sid="ME1"),),
        max_characters=1_500,
        now=NOON,
    )


def answer_of(endpoint: Endpoint, *, token: str | None = None, timeout_seconds: float = 20.0) -> Answer:
    with serving(endpoint):
        return HttpAgent(endpoint.url, token=token).answer(question(timeout_seconds))


def test_the_endpoint_is_sent_the_question_and_its_answer_is_the_agents() -> None:
    endpoint = Endpoint(body=json.dumps({"text": "One moment.", "handoff": True, "more": 1}).encode())

    assert answer_of(endpoint, token="a-token") == Answer(text="One moment.", handoff=True)

    headers, asked = endpoint.asked[0]
    assert (headers["idempotency-key"], headers["authorization"]) == ("turn-1", "Bearer a-token")
    assert asked == {
        "turn": "turn-1",
        "history": [
            {"role": "customer", "text": "Hi", "at": "2026-11-20T10:00:00+00:00"},
            {"role": "mark", "text": "A human took over.", "at": None},
        ],
        "messages": [WORDS, "Open?"],
        "media": [{"content_type": "image/jpeg", "size": 42_056, "sid": "ME1"}],
        "max_characters": 1_500,
        "conversation": CONVERSATION,
        "customer": "a-key",
        "now": "2026-03-02T12:00:00+00:00",
    }


def test_silence_is_an_answer() -> None:
    assert answer_of(Endpoint(body=b'{"no_reply": true}')) == Answer(no_reply=True)


def test_an_opt_out_is_an_answer() -> None:
    assert answer_of(Endpoint(body=b'{"opt_out": true}')) == Answer(opt_out=True)


@pytest.mark.parametrize(("variables", "filled"), [({}, {}), ({"variables": {"1": "Anna"}}, {"1": "Anna"})])
def test_an_answer_may_be_content(variables: dict[str, object], filled: dict[str, str]) -> None:
    body = json.dumps({"text": "Yes or no?", "content": {"sid": sid("HX", 1), **variables}}).encode()

    assert answer_of(Endpoint(body=body)) == Answer(
        text="Yes or no?", content=Content(sid=sid("HX", 1), variables=filled)
    )


@pytest.mark.parametrize(
    "content", ["HX1", {}, {"sid": 1}, {"sid": "HX1"}, {"sid": sid("HX", 1), "variables": [1]}, {"sid": "x", "y": 1}]
)
def test_what_is_no_content_is_refused(content: object) -> None:
    with pytest.raises(Permanent):
        answer_of(Endpoint(body=json.dumps({"text": "x", "content": content}).encode()))


@pytest.mark.parametrize(
    ("endpoint", "error", "said"),
    [
        (Endpoint(status=401), ModelMisconfigured, "status 401: look at the URL and the token"),
        (Endpoint(status=403), ModelMisconfigured, "status 403"),
        (Endpoint(status=404), ModelMisconfigured, "status 404"),
        (Endpoint(status=307, headers={"Location": "http://127.0.0.2:9/"}), ModelMisconfigured, "are not followed"),
        (Endpoint(status=408), Transient, "status 408"),
        (Endpoint(status=429), Transient, "status 429"),
        (Endpoint(status=500, body=b"<html>no</html>"), Transient, "status 500"),
        (Endpoint(status=503), Transient, "status 503"),
        (Endpoint(status=400), Permanent, "status 400"),
        (Endpoint(status=204, body=b""), Permanent, "status 204"),
        (Endpoint(declared_length=500), Transient, "no whole answer came: ProtocolError"),
        (Endpoint(body=b""), Transient, "its answer is empty"),
        (Endpoint(body=b" \n"), Transient, "its answer is empty"),
        (Endpoint(body=b'{"text": "Yes'), Permanent, "its answer is not JSON"),
        (Endpoint(body=b"\xff\xfe\x00"), Permanent, "its answer is not JSON"),
        (Endpoint(body=b"[" * 100_000), Permanent, "its answer is not JSON"),
        (Endpoint(body=b"<html>Welcome</html>", content_type="text/html"), Permanent, "its answer is not JSON"),
        (Endpoint(body=b'["Yes."]'), Permanent, "its answer is not a JSON object"),
        (Endpoint(body=b'{"answer": "Yes."}'), Permanent, "has neither text nor no_reply"),
        (Endpoint(body=b'{"text": 7}'), Permanent, "text in its answer has another type"),
        (Endpoint(body=b'{"text": null}'), Permanent, "text in its answer has another type"),
        (Endpoint(body=b'{"text": "Yes.", "handoff": "no"}'), Permanent, "handoff in its answer has another type"),
        (Endpoint(body=b"x" * (MAX_BYTES + 1)), Permanent, "its answer is longer than"),
    ],
)
def test_each_failure_says_who_must_act_and_repeats_nobodys_words(
    endpoint: Endpoint, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=r"turn-1: the agent at 127\.0\.0\.1: ") as raised:
        answer_of(endpoint)

    assert type(raised.value) is error
    assert said in str(raised.value)
    assert WORDS not in str(raised.value)
    assert len(endpoint.asked) == 1


def test_an_endpoint_that_goes_on_and_on_is_left_when_the_time_is_over() -> None:
    began = time.monotonic()

    with pytest.raises(Transient, match="it did not answer in time"):
        answer_of(Endpoint(drips=True, declared_length=10**6), timeout_seconds=0.3)

    assert time.monotonic() - began < 10


def test_a_silent_endpoint_is_left_when_the_time_is_over() -> None:
    with listen("127.0.0.1", 0) as silent:  # it takes the connection, and says nothing
        agent = HttpAgent(f"http://127.0.0.1:{silent.getsockname()[1]}/")

        with pytest.raises(Transient, match="ReadTimeout"):
            agent.answer(question(timeout_seconds=0.2))


def test_where_nobody_listens_the_turn_is_tried_again() -> None:
    with serving(Endpoint()) as endpoint:
        pass

    with pytest.raises(Transient, match="no whole answer came: ConnectionError"):
        HttpAgent(endpoint.url).answer(question())


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("example.com/answer", None, "takes an http or https URL"),
        ("ftp://example.com", None, "takes an http or https URL"),
        ("https://example.com", " ", "the token of HttpAgent is empty"),
        ("http://example.com", "a-token", "over https only"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(url: str, token: str | None, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        HttpAgent(url, token=token)
