"""docs/emulator.md says what is so: its commands are run, and answer as it shows; its tables name what there is."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.emulator.emulator_process import ROOT, started
from tests.emulator.emulator_server import Served
from tests.skips import program
from twilio_emulator.control.api import Control
from twilio_emulator.faults.armed import Kind

PAGE = (ROOT / "docs" / "emulator.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
THERE = "127.0.0.1:8081"
NEXT = "\x1e"  # between the answers of blocks


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the page's examples in a language, each with what it shows as the answer; `…` stands for anything."""
    return [(code, answer.rstrip("\n")) for found, code, answer in BLOCK.findall(PAGE) if found == language]


def answers(shown: str, given: str) -> bool:
    """Tell whether an answer is the one that is shown, lines aside: curl ends none."""
    pattern = ".*?".join(re.escape(part) for part in shown.replace("\n", "").split("…"))
    return re.fullmatch(pattern, given.replace("\n", "")) is not None


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    """Return the host and port of an emulator that runs alone."""
    with started() as (_, url):
        yield url.removeprefix("http://")


def test_every_command_answers_as_the_page_shows(here: str) -> None:
    program("curl")
    examples = blocks("sh")
    script = "".join(f"{code}printf '{NEXT}'\n" for code, _ in examples).replace(THERE, here)

    done = subprocess.run(  # noqa: S603 -- our own page
        [program("bash"), "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    given = done.stdout.split(NEXT)
    assert len(given) == len(examples) + 1
    for (code, shown), answer in zip(examples, given, strict=False):
        assert answers(shown, answer), f"{code}\nshown: {shown}\ngiven: {answer}"


@pytest.mark.parametrize(("code", "shown"), blocks("python"), ids=["client", "phone", "webhook"])
def test_every_python_example_prints_what_the_page_shows(here: str, code: str, shown: str) -> None:
    done = subprocess.run(  # noqa: S603 -- our own page
        [sys.executable, "-c", code.replace(THERE, here)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert answers(shown, done.stdout), done.stdout


def test_every_order_and_every_fault_is_on_the_page(twilio: Served) -> None:
    orders = {f"{next(iter(route.methods or ()))} {route.path}" for route in Control(twilio.emulator).routes()}
    orders = {order for order in orders if not order.startswith("HEAD")}
    of_faults = PAGE.partition("## Faults")[2].partition("## The clock")[0]

    assert {order for order in orders if f"`{order}`" not in PAGE} == set()
    assert {kind for kind in Kind if f"| `{kind}` |" not in of_faults} == set()
    assert {kind for kind in Kind if f'{{"kind": "{kind}"' not in of_faults} == set()


def test_every_live_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`…(\w+)…?`", PAGE)
    there = re.findall(r"^def (test_\w+)", (ROOT / "tests" / "live" / "test_open_points.py").read_text(), re.MULTILINE)

    assert named
    assert {name for name in named if not any(name in test for test in there)} == set()
