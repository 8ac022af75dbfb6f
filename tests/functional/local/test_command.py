"""`python -m local`: one command that is up in seconds, and gone without a trace."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from local.console import CUSTOMER
from tests.processes import children, has_ended
from tests.waiting import wait_until
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import listen

ROOT = Path(__file__).parents[3]
OURS = ("STATE", "TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_CONVERSATIONS_SERVICE_SID")


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        port: int = listening.getsockname()[1]
        return port


def command(port: int, twilio_port: int, **variables: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env={**environment, "PORT": str(port), "TWILIO_PORT": str(twilio_port), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def started(port: int, twilio_port: int, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until both ports are ready; it is killed at the end if it still runs."""
    with command(port, twilio_port, **variables) as process:
        try:
            for each in (port, twilio_port):
                wait_until(lambda each=each: status(each) == 200, within_seconds=60, what=f"port {each}")  # type: ignore[misc]
            yield process
        finally:
            process.kill()


def status(port: int) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code
    except httpx.TransportError:
        return 0


def test_a_second_run_that_cannot_start_leaves_the_first_its_log_and_its_environment() -> None:
    port, twilio_port = free_port(), free_port()
    log = ROOT / ".local" / f"functions-{port}.log"

    with started(port, twilio_port) as first:
        with CustomerClient(f"http://127.0.0.1:{twilio_port}", CUSTOMER) as phone:
            phone.send("hi")
            wait_until(lambda: phone.inbox() and "answered" in log.read_text())
        with command(port, free_port()) as second:
            said, _ = second.communicate(timeout=60)
        kept, environment_file = log.read_text(), ROOT / ".local" / "env.json"

        assert "Cannot start" in said
        assert "answered" in kept
        assert f"http://127.0.0.1:{port}/webhook" in environment_file.read_text()
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=30)
    assert not environment_file.exists()
    log.unlink()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_what_is_where_and_ends_cleanly(how: signal.Signals) -> None:
    port, twilio_port = free_port(), free_port()

    with started(port, twilio_port) as process:
        descendants = children(process.pid)
        process.send_signal(how)
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert len(descendants) == 8  # the local AWS, each function twice, and the sweeper
    assert all(has_ended(pid) for pid in descendants)
    assert f"http://127.0.0.1:{port}/webhook" in said
    assert f"curl http://127.0.0.1:{twilio_port}/_emulator/inbound" in said
    assert f"curl 'http://127.0.0.1:{twilio_port}/_emulator/inbox?address=%2B12025550110'" in said
    assert "Traceback" not in said
    assert status(port) == status(twilio_port) == 0


def test_nothing_outlives_it_even_if_it_is_killed() -> None:
    with started(free_port(), free_port()) as process:
        descendants = children(process.pid)
        process.kill()
        process.wait()

    assert descendants
    wait_until(lambda: all(has_ended(pid) for pid in descendants), what="the children's end")


def test_a_port_in_use_is_told_in_one_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with command(port, free_port()) as process:
            said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said == f"Cannot start: 127.0.0.1:{port}: Address already in use\n"


def test_twilio_itself_without_an_account_is_refused_in_one_line() -> None:
    with command(free_port(), free_port(), TWILIO_BASE_URL="https://conversations.twilio.com") as process:
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said.count("\n") == 1
    assert "TWILIO_ACCOUNT_SID" in said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_with_a_state_file_leaves_it_behind_however_it_is_ended(tmp_path: Path, how: signal.Signals) -> None:
    state, twilio_port = tmp_path / "state.json", free_port()

    with (
        started(free_port(), twilio_port, STATE=str(state)) as process,
        CustomerClient(url(twilio_port), CUSTOMER) as phone,
    ):
        phone.send("When are you open?")
        process.send_signal(how)  # in the middle of a turn
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert str(state) in said
    assert "Traceback" not in said
    kept = json.loads(state.read_text())
    assert kept["twilio"]["conversations"]
    assert list(kept["tables"]) == ["ConversationsTable"]


@pytest.mark.parametrize("content", ["", "{}", "garbage", '{"twilio": {"seed": "a"}, "tables": {}}'])
def test_a_state_file_that_is_none_is_told_in_one_line_and_stays(tmp_path: Path, content: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)

    with command(free_port(), free_port(), STATE=str(state)) as process:
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said.startswith(f"Cannot start: {state}: ")
    assert said.count("\n") == 1
    assert state.read_text() == content


def test_a_state_file_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    state = tmp_path / "missing" / "state.json"

    with command(free_port(), free_port(), STATE=str(state)) as process:
        said, _ = process.communicate(timeout=30)

    assert (process.returncode, said) == (1, f"Cannot start: {state}: No such file or directory\n")


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
