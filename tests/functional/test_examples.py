"""The programs in examples/, run as a user runs them, beside an emulator on another port than the default one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import Servers, listen

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DISCLOSURE = SENTENCES[Language.ENGLISH]
CUSTOMER = "+12025550110"
ACCOUNT = ("AC00000000000000000000000000000001", "emulator-token")
WEBHOOKS = "/v1/Services/IS00000000000000000000000000000001/Configuration/Webhooks"
MAKE_RUN = "http://127.0.0.1:9/webhook"  # where the emulator's webhooks went before

# Python ignores SIGINT where its parent does, as a shell does for what it starts in the background.
RUN = (
    "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_path(sys.argv[1], run_name='__main__')"
)


@pytest.fixture
def twilio() -> Iterator[str]:
    """Return the URL of an emulator of the test's own."""
    emulator, listening = Emulator(), listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    servers.close()


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        return int(listening.getsockname()[1])


def environment(twilio: str, **variables: str) -> Mapping[str, str]:
    """Return the environment of a user who has set no variable of ours but these."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "WEBHOOK_", "PORT"))}
    path = f"{ROOT / 'layers' / 'switchboard'}"
    return {**theirs, "PYTHONPATH": path, "TWILIO_PORT": twilio.rpartition(":")[2], **variables}


@contextmanager
def running(name: str, *, twilio: str, folder: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run a web server's example in a folder, and yield it once Twilio calls it and it answers."""
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-c", RUN, EXAMPLES / name],
        cwd=folder,
        env={**environment(twilio), "PORT": str(port), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            wait_until(lambda: process.poll() is not None or is_ready(twilio, port), what=f"{name} to answer")
            yield process
        finally:
            process.kill()


def is_ready(twilio: str, port: int) -> bool:
    url = f"http://127.0.0.1:{port}/webhook"
    try:
        return called_by(twilio) == url and httpx.post(url, content=b"").status_code == httpx.codes.FORBIDDEN
    except httpx.TransportError:
        return False


def called_by(twilio: str) -> str:
    """Return the URL that Twilio calls."""
    return str(httpx.get(f"{twilio}{WEBHOOKS}", auth=ACCOUNT).json()["post_webhook_url"])


def ended(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """End a program as a user does, and return what it printed."""
    process.send_signal(how)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    assert "Traceback" not in printed
    return printed


def run(name: str, twilio: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, EXAMPLES / name],
        env=environment(twilio, **variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("name", "most"), [("first.py", 12), ("complete.py", 40)])
def test_an_example_is_as_short_as_the_guide_says(name: str, most: int) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) <= most


def test_the_first_example_runs_to_the_end(twilio: str) -> None:
    done = run("first.py", twilio)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" from switchboard: Hello!\n")


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("complete.py", signal.SIGINT),
        ("fastapi_app.py", signal.SIGTERM),
        ("flask_app.py", signal.SIGINT),
    ],
)
def test_a_text_is_answered_and_the_program_ends_cleanly(
    name: str, how: signal.Signals, twilio: str, tmp_path: Path
) -> None:
    with running(name, twilio=twilio, folder=tmp_path) as process, CustomerClient(twilio, CUSTOMER) as customer:
        customer.send("hello")
        wait_until(customer.inbox, what="the answer")
        ended(process, how)

        assert [message.body for message in customer.inbox()] == [f"{DISCLOSURE}\n\nYou wrote: hello"]


def test_the_complete_example_hands_off_and_leaves_the_service_as_it_was(twilio: str, tmp_path: Path) -> None:
    httpx.post(f"{twilio}{WEBHOOKS}", data={"PostWebhookUrl": MAKE_RUN}, auth=ACCOUNT).raise_for_status()
    with (
        running("complete.py", twilio=twilio, folder=tmp_path) as process,
        CustomerClient(twilio, CUSTOMER) as customer,
    ):
        customer.send("I want a human")
        wait_until(customer.inbox, what="the last answer")
        printed = ended(process, signal.SIGTERM)

        assert [message.body for message in customer.inbox()] == [f"{DISCLOSURE}\n\nOne moment, please."]
    assert "'reason': 'handoff'" in printed
    assert called_by(twilio) == MAKE_RUN
