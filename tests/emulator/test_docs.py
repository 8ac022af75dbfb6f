"""docs/emulator.md: the output of its commands is as shown, and its tables are complete."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.code_blocks import blocks, matches
from tests.emulator.emulator_process import ROOT, running_emulator
from tests.emulator.emulator_server import EmulatorServer
from tests.skips import program
from twilio_emulator.control.api import ControlApi
from twilio_emulator.faults.armed import FaultKind

PAGE = (ROOT / "docs" / "emulator.md").read_text()
DOCUMENTED_HOST = "127.0.0.1:8081"
SEPARATOR = "\x1e"  # between the outputs of two blocks


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """Return the host and port of an emulator in a process of its own."""
    with running_emulator() as (_, url):
        yield url.removeprefix("http://")


def test_every_command_prints_what_the_page_shows(host: str) -> None:
    program("curl")
    examples = blocks(PAGE, "sh")
    script = "".join(f"{code}printf '{SEPARATOR}'\n" for code, _ in examples).replace(DOCUMENTED_HOST, host)

    done = subprocess.run(  # noqa: S603 -- our own page
        [program("bash"), "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    given = done.stdout.split(SEPARATOR)
    assert len(given) == len(examples) + 1
    for (code, shown), answer in zip(examples, given, strict=False):
        assert matches(shown, answer), f"{code}\nshown: {shown}\ngiven: {answer}"


@pytest.mark.parametrize(("code", "shown"), blocks(PAGE, "python"), ids=["client", "customer", "webhook"])
def test_every_python_example_prints_what_the_page_shows(host: str, code: str, shown: str) -> None:
    done = subprocess.run(  # noqa: S603 -- our own page
        [sys.executable, "-c", code.replace(DOCUMENTED_HOST, host)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert matches(shown, done.stdout), done.stdout


def test_every_control_route_and_every_fault_is_on_the_page(twilio: EmulatorServer) -> None:
    routes = {f"{next(iter(route.methods or ()))} {route.path}" for route in ControlApi(twilio.emulator).routes()}
    routes = {route.replace(":int}", "}") for route in routes if not route.startswith("HEAD")}
    of_faults = PAGE.partition("## Faults")[2].partition("## The clock")[0]

    assert {route for route in routes if f"`{route}`" not in PAGE} == set()
    assert {kind for kind in FaultKind if f"| `{kind}` |" not in of_faults} == set()
    assert {kind for kind in FaultKind if f'{{"kind": "{kind}"' not in of_faults} == set()


def test_every_live_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`…(\w+)…?`", PAGE)
    there = re.findall(r"^def (test_\w+)", (ROOT / "tests" / "live" / "test_open_points.py").read_text(), re.MULTILINE)

    assert named
    assert {name for name in named if not any(name in test for test in there)} == set()
