"""The command `python -m twilio_emulator`."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.emulator.emulator_process import running_emulator, start_emulator
from tests.emulator.emulator_server import CUSTOMER
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import listen

CTRL_C = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"  # a module that is interrupted


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_the_next_run_continues(tmp_path: Path, how: signal.Signals) -> None:
    state = str(tmp_path / "state.json")
    with running_emulator("--state", state) as (process, url), CustomerClient(url, CUSTOMER) as customer:
        first = customer.send("hi")
        process.send_signal(how)
        said, _ = process.communicate(timeout=120)

    with running_emulator("--state", state) as (_, url), CustomerClient(url, CUSTOMER) as customer:
        second = customer.send("again")

    assert (process.returncode, said) == (0, "Stopped\n")
    assert second.conversation_sid == first.conversation_sid


def test_two_signals_at_once_end_it_as_one_does(tmp_path: Path) -> None:
    state = tmp_path / "state.json"

    for first, second in [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)] * 5:
        with running_emulator("--state", str(state)) as (process, _):
            process.send_signal(first)
            process.send_signal(second)
            said, _ = process.communicate(timeout=120)

        assert (process.returncode, said) == (0, "Stopped\n")
        assert list(tmp_path.iterdir()) == [state]


SERVES_AND_IS_NOT_CLOSED = """
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

emulator = Emulator()
Servers({listen("127.0.0.1", 0): emulator.app}, at_end=emulator.aclose)
"""


def test_servers_that_nobody_closes_keep_no_process_alive() -> None:
    ended = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", SERVES_AND_IS_NOT_CLOSED], capture_output=True, text=True, check=False, timeout=120
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


ENDS_NEVER = """
import os, signal, sys, threading
from twilio_emulator import server

def serve(wait):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        wait()
    finally:
        threading.Event().wait()

server.SECONDS_TO_END = 0.2
server.run_until_interrupted(serve)
"""


def test_an_end_that_never_comes_says_what_it_waits_for_and_is_made() -> None:
    ended = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", ENDS_NEVER], capture_output=True, text=True, check=False, timeout=120
    )

    assert ended.returncode == 1
    assert "in serve" in ended.stderr


def test_ctrl_c_while_it_imports_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text(CTRL_C)

    with start_emulator(PYTHONPATH=str(tmp_path)) as process:
        said, _ = process.communicate(timeout=120)

    assert (process.returncode, said) == (-signal.SIGINT, "")  # in a shell: 130


def test_a_state_file_of_another_run_is_refused_until_that_run_ends(tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")

    with running_emulator("--state", state) as (first, _):
        with start_emulator("--port", "0", "--state", state) as second:
            said, _ = second.communicate(timeout=120)
        first.kill()
        first.wait()
        with running_emulator("--state", state) as (third, _):
            third.terminate()
            third.communicate(timeout=120)

    assert (second.returncode, said) == (1, f"Cannot start: {state}: Another run is using this file\n")
    assert third.returncode == 0


def test_a_hanging_call_does_not_prevent_saving_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with running_emulator("--state", str(state)) as (process, url), CustomerClient(url, CUSTOMER) as customer:
        customer.send("hi")
        hangs = {"kind": "timeout", "on": "GET /2010-04-01/*", "count": 1, "seconds": 3600}
        httpx.post(f"{url}/_emulator/faults", json=hangs).raise_for_status()
        account = "AC00000000000000000000000000000001"
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/2010-04-01/Accounts/{account}.json", auth=(account, "emulator-token"), timeout=0.5)

        process.terminate()
        process.communicate(timeout=120)

    assert process.returncode == 0
    assert '"body":"hi"' in state.read_text()


def test_a_port_in_use_is_reported_in_one_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with start_emulator("--port", str(port)) as process:
            said, _ = process.communicate(timeout=120)

    assert (process.returncode, said) == (
        1,
        f"Cannot start: 127.0.0.1:{port}: Address already in use. Choose another port with --port\n",
    )


@pytest.mark.parametrize(
    "options", [["--port", "99999"], ["--host", "nowhere.invalid"], ["--state", "Makefile"], ["--state", "no/such"]]
)
def test_an_invalid_option_is_reported_in_one_line(options: list[str]) -> None:
    with start_emulator("--port", "0", *options) as process:
        said, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert said.startswith("Cannot start: ")
    assert said.count("\n") == 1


def test_a_state_that_cannot_be_saved_is_reported_in_one_line(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with running_emulator("--state", str(state)) as (process, _):
        state.mkdir()
        process.terminate()
        said, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert said == f"Stopped, but could not save the state: {state}: Is a directory\n"
