"""examples/quickstart.py, run as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

SCRIPT = Path(__file__).parents[2] / "examples" / "quickstart.py"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    emulator = Emulator()
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    servers.close()


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "QUICKSTART_"))}
    return subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, SCRIPT], env={**environment, **settings}, capture_output=True, text=True, check=False
    )


def test_it_runs_to_the_end_and_again(url: str) -> None:
    first, second = run(TWILIO_BASE_URL=url), run(TWILIO_BASE_URL=url)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    steps = [line.split()[0] for line in first.stdout.splitlines()]
    assert steps == ["Connected", "Created", *["Added"] * 3, "Sent", *["Received"] * 2, "Closed", "Done"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"TWILIO_AUTH_TOKEN": "wrong"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_CONVERSATIONS_SERVICE_SID": f"IS{'0' * 31}9"}, "TWILIO_CONVERSATIONS_SERVICE_SID"),
    ],
)
def test_a_wrong_setting_ends_it_with_one_sentence_that_names_it(
    url: str, settings: dict[str, str], named: str
) -> None:
    ended = run(TWILIO_BASE_URL=url, **settings)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert named in ended.stderr


def test_credentials_that_twilio_refuses_are_told(url: str) -> None:
    ended = run(
        TWILIO_BASE_URL=url,
        TWILIO_ACCOUNT_SID=f"AC{'0' * 31}2",
        TWILIO_AUTH_TOKEN="a-token",
        TWILIO_CONVERSATIONS_SERVICE_SID=f"IS{'0' * 31}1",
    )

    assert "401" in ended.stderr


def test_it_says_what_to_do_if_nothing_answers() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]

    ended = run(TWILIO_BASE_URL=f"http://127.0.0.1:{port}")

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"TWILIO_BASE_URL is http://127.0.0.1:{port}: start `make run`, or set it to the address" in ended.stderr


def test_a_real_account_needs_all_its_settings() -> None:
    ended = run(TWILIO_ACCOUNT_SID=f"AC{'0' * 31}2")

    assert ended.returncode == 1
    assert "TWILIO_AUTH_TOKEN" in ended.stderr
