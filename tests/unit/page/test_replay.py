"""A webhook that is sent again: what the page says became of it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.aws.execution_environment import FunctionSpec
from local.page.replay import AT_WORK, KNOWN_TO_THE_QUEUE, Replay
from tests.unit.page.happenings import CONVERSATION, Stage
from tests.waiting import pause

ANSWERED = "The customer was answered."


@pytest.fixture
def stage() -> Stage:
    told = Stage(now=time.time() - 60)
    told.webhook()
    return told


@contextmanager
def webhook_function(when_called: Callable[[], object], later: Callable[[], object]) -> Iterator[str]:
    """Serve a webhook function that takes everything; yield its URL. `later` is called once it has answered."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            when_called()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            pause(0.2)  # the page has begun to wait
            later()

        def log_message(self, *_args: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def became(
    stage: Stage,
    *,
    when_called: Callable[[], object] = lambda: None,
    later: Callable[[], object] = lambda: None,
    agent_seconds: int = 20,
) -> str:
    """Send the webhook again, and return what is said; it waits for no delivery that has not begun."""
    agent = FunctionSpec(
        name="agent", handler="app.handler", paths=(Path(),), timeout_seconds=agent_seconds, environment={}, arn=""
    )

    async def send() -> str:
        told = await replay.webhook(stage.recorder.of(CONVERSATION)[0])
        return str(told["said"])

    with webhook_function(when_called, later) as url:
        replay = Replay(
            recorder=stage.recorder,
            webhook_url=url,
            local_url=url,
            auth_token="0",
            agent=agent,
            ahead=timedelta,
            seconds_to_arrive=0,
        )
        return asyncio.run(send())


def test_a_repeat_that_nobody_is_given_was_known_to_the_queue(stage: Stage) -> None:
    with stage.attempt():
        stage.after(10)
    stage.after(1_000)

    assert became(stage) == KNOWN_TO_THE_QUEUE


def test_a_turn_that_works_on_it_is_waited_for(stage: Stage) -> None:
    attempt = ExitStack()
    requests: list[str] = []

    def take() -> None:
        stage.now = time.time()
        requests.append(attempt.enter_context(stage.attempt()))

    def answer() -> None:
        stage.now = time.time()
        stage.decide("answered", requests[0])

    assert became(stage, when_called=take, later=answer) == ANSWERED


def test_a_turn_that_began_before_is_waited_for(stage: Stage) -> None:
    with stage.attempt() as request:

        def answer() -> None:
            stage.now = time.time() + 1
            stage.decide("answered", request)

        assert became(stage, later=answer) == ANSWERED


def test_what_takes_longer_than_the_agent_may_is_said_to_be_at_work(stage: Stage) -> None:
    with stage.attempt():
        assert became(stage, agent_seconds=0) == AT_WORK
