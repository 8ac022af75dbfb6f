"""`python -m local`: it starts everything, says where it is, and ends all of it."""

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
OURS = {
    *("HOST", "STATE", "ASSISTANT_MODEL", "PUBLIC_URL"),
    *("TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_CONVERSATIONS_SERVICE_SID"),
}


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


def test_a_second_run_that_cannot_start_leaves_the_log_and_the_environment_file_of_the_first() -> None:
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
def test_it_prints_the_addresses_and_ends_cleanly(how: signal.Signals) -> None:
    port, twilio_port = free_port(), free_port()

    with started(port, twilio_port) as process:
        descendants = children(process.pid)
        process.send_signal(how)
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert len(descendants) == 8  # the local AWS, three functions twice, and the sweeper
    assert all(has_ended(pid) for pid in descendants)
    assert f"http://127.0.0.1:{port}/webhook" in said
    assert f"curl http://127.0.0.1:{twilio_port}/_emulator/inbound" in said
    assert f"curl 'http://127.0.0.1:{twilio_port}/_emulator/inbox?address=%2B12025550110'" in said
    assert "Traceback" not in said
    assert status(port) == status(twilio_port) == 0


def test_two_signals_at_once_end_it_as_one_does() -> None:
    for first, second in [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)] * 2:
        with started(free_port(), free_port()) as process:
            descendants = children(process.pid)
            process.send_signal(first)
            process.send_signal(second)
            said, _ = process.communicate(timeout=30)

        assert (process.returncode, said.splitlines()[-1]) == (0, "ended")
        assert "Traceback" not in said
        assert "Exception" not in said
        assert all(has_ended(pid) for pid in descendants)


@pytest.mark.parametrize("processes", [1, 3, 7])
def test_a_signal_during_the_start_ends_what_has_started(processes: int) -> None:
    with command(free_port(), free_port()) as process:
        try:
            descendants = wait_until(lambda: len(found := children(process.pid)) >= processes and found)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=30)
        finally:
            process.kill()

    assert (process.returncode, said) == (0, "ended\n")
    assert descendants
    wait_until(lambda: all(has_ended(pid) for pid in descendants), what="the children's end")


def test_ctrl_c_while_it_imports_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")

    with command(free_port(), free_port(), PYTHONPATH=str(tmp_path)) as process:
        said, _ = process.communicate(timeout=30)

    assert (process.returncode, said) == (-signal.SIGINT, "")  # in a shell: 130


def test_nothing_outlives_it_even_if_it_is_killed() -> None:
    with started(free_port(), free_port()) as process:
        descendants = children(process.pid)
        process.kill()
        process.wait()

    assert descendants
    wait_until(lambda: all(has_ended(pid) for pid in descendants), what="the children's end")


@pytest.mark.parametrize("taken", ["PORT", "TWILIO_PORT"])
def test_a_port_in_use_is_one_line_that_names_the_option(taken: str) -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        ports = {"PORT": free_port(), "TWILIO_PORT": free_port()} | {taken: port}

        with command(ports["PORT"], ports["TWILIO_PORT"]) as process:
            said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said == f"Cannot start: 127.0.0.1:{port}: Address already in use. Choose another port with {taken}=\n"


def test_twilio_itself_without_an_account_is_refused_in_one_line() -> None:
    with command(free_port(), free_port(), TWILIO_BASE_URL="https://conversations.twilio.com") as process:
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said.count("\n") == 1
    assert "TWILIO_ACCOUNT_SID" in said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_writes_its_state_file_whichever_signal_ends_it(tmp_path: Path, how: signal.Signals) -> None:
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


def test_a_state_file_of_another_run_is_refused_until_that_run_ends(tmp_path: Path) -> None:
    state = tmp_path / "state.json"

    with started(free_port(), free_port(), STATE=str(state)) as first:
        with command(free_port(), free_port(), STATE=str(state)) as second:
            said, _ = second.communicate(timeout=30)
        first.kill()
        first.wait()
    with started(free_port(), free_port(), STATE=str(state)) as third:
        third.send_signal(signal.SIGINT)
        third.communicate(timeout=30)

    assert (second.returncode, said) == (1, f"Cannot start: {state}: Another run is using this file\n")
    assert third.returncode == 0
    assert list(tmp_path.iterdir()) == [state]


@pytest.mark.parametrize("content", ["", "{}", "garbage", '{"twilio": {"seed": "a"}, "tables": {}}'])
def test_a_file_that_is_not_a_valid_state_is_refused_in_one_line_and_stays(tmp_path: Path, content: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)

    with command(free_port(), free_port(), STATE=str(state)) as process:
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said.startswith(f"Cannot start: {state}: ")
    assert said.count("\n") == 1
    assert state.read_text() == content


def test_a_state_file_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    state = tmp_path / "missing" / "state.json"

    with command(free_port(), free_port(), STATE=str(state)) as process:
        said, _ = process.communicate(timeout=30)

    assert (process.returncode, said) == (1, f"Cannot start: {state}: No such file or directory\n")


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
