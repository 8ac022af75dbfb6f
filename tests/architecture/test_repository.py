"""What is committed: nothing of the machine it was written on, and nobody's telephone number."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.conftest import TEMPLATE
from tests.skips import program

ROOT = TEMPLATE.parent

# Split, so that this file is not found itself.
OF_A_MACHINE = re.compile("|".join(("/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "/tm" + "p/w")))
REGISTRIES = re.compile(
    "|".join(("pypi" + r"\.org", "python" + r"hosted", "npm" + r"js\.(org|com)", "find-" + "links ="))
)
NUMBER = re.compile(r"(?<![\w+/.])\+[1-9]\d{9,14}\b")
FICTITIOUS = re.compile(r"\+1\d{3}55501\d\d")  # set aside for examples by the North American Numbering Plan
IN_TWILIOS_VECTORS = {"+14158675309", "+14158675310", "+18005551212"}  # its published signatures are over these
SECRET = re.compile(r"\b(?:AC|SK)(?!0{20})[0-9a-f]{32}\b|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY")


@pytest.mark.parametrize(
    ("what", "pattern"), [("a machine's path", OF_A_MACHINE), ("a registry", REGISTRIES), ("a secret", SECRET)]
)
def test_no_file_names(what: str, pattern: re.Pattern[str]) -> None:
    found = [f"{path}: {match[0]}" for path, text in texts() if (match := pattern.search(text))]

    assert found == [], what


def test_every_telephone_number_is_a_fictitious_one() -> None:
    numbers = {(number, path) for path, text in texts() for number in NUMBER.findall(text)}

    real = {each for each in numbers if not FICTITIOUS.fullmatch(each[0]) and each[0] not in IN_TWILIOS_VECTORS}

    assert real == set()


def texts() -> Iterator[tuple[str, str]]:
    """Yield every file that git keeps, with its text."""
    git = [program("git"), "ls-files", "-z"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- it only lists
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            yield name, path.read_text(errors="replace")


def test_the_repository_is_where_it_is_looked_for() -> None:
    assert Path("template.yaml") in {Path(path) for path, _ in texts()}
