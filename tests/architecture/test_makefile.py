"""The Makefile's targets on a first day: variables from the environment, a broken environment, a missing tool."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architecture.conftest import TEMPLATE
from tests.skips import program

ROOT = TEMPLATE.parent


def make(
    *arguments: str, folder: Path = ROOT, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    theirs = {"PORT", "TWILIO_PORT", "HOST", "OPEN", "STATE", "SEEDS", "FLAGS", "MAKEFLAGS", "MAKELEVEL"}
    environment = {name: value for name, value in os.environ.items() if name not in theirs}
    return subprocess.run(  # noqa: S603 -- our own Makefile
        [program("make"), *arguments],
        cwd=folder,
        env={**environment, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the Makefile alone, whose `make run` requires no package."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "local.txt").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ((), {"PORT": "9000", "TWILIO_PORT": "9001", "HOST": "127.0.0.2", "STATE": "demo.json", "SCRIPT": "a.yaml"}),
        (
            ("PORT=9000", "TWILIO_PORT=9001", "HOST=127.0.0.2", "STATE=demo.json", "SCRIPT=a.yaml"),
            {"PORT": "1", "STATE": "other"},
        ),
    ],
)
def test_make_run_takes_its_variables_from_the_command_line_then_from_the_environment(
    arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    planned = make("--dry-run", "run", *arguments, variables=variables)

    assert planned.returncode == 0, planned.stderr
    command = " ".join(planned.stdout.replace("\\\n", " ").split())
    assert "local --port 9000 --twilio-port 9001 --host 127.0.0.2 --state 'demo.json' --script 'a.yaml'" in command


@pytest.mark.parametrize(("given", "is_opened"), [("OPEN=1", True), ("OPEN=0", False), ("OPEN=", False)])
def test_make_run_opens_the_page_where_it_is_asked_to(given: str, is_opened: bool) -> None:  # noqa: FBT001 -- an example
    assert ("--open" in make("--dry-run", "run", given).stdout) is is_opened


def test_make_demo_is_a_run_that_keeps_nothing_whatever_the_environment_says() -> None:
    planned = make("--dry-run", "demo", "PORT=9000", variables={"STATE": "demo.json"})

    assert "local --demo --port 9000 --twilio-port 8081" in planned.stdout
    assert "--state" not in planned.stdout


def test_an_environment_whose_creation_was_interrupted_is_made_again(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)  # noqa: S603 -- our own Python
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    made = make(".venv/local", folder=checkout, variables={"PATH": path})

    assert made.returncode == 0, made.stdout + made.stderr
    assert ".venv is incomplete" in made.stdout
    assert (checkout / ".venv" / "local").exists()
    subprocess.run([python, "-m", "pip", "--version"], check=True, capture_output=True)  # noqa: S603 -- just made


def test_the_library_can_be_imported_from_any_folder(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    package = checkout / "layers" / "switchboard" / "switchboard"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    made = make(".venv/local", folder=checkout)

    assert made.returncode == 0, made.stdout + made.stderr
    subprocess.run(  # noqa: S603 -- just made
        [checkout / ".venv" / "bin" / "python", "-c", "import switchboard"],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=environment,
        check=True,
    )


def test_make_lock_without_uv_says_how_to_install_it(checkout: Path) -> None:
    locked = make("lock", folder=checkout, variables={"PATH": str(checkout)})

    assert locked.returncode != 0
    assert locked.stdout == "make lock needs uv. Install it, for example: pipx install uv\n"


def test_make_clean_removes_what_make_makes_and_nothing_else(checkout: Path) -> None:
    for name in (
        ".venv/bin",
        ".venv-sam",
        ".venv-mutation",
        ".aws-sam/build",
        ".local",
        ".mypy_cache",
        "local/aws/__pycache__",
    ):
        (checkout / name).mkdir(parents=True)
    (checkout / "local" / "stack.py").touch()

    cleaned = make("clean", folder=checkout)

    assert cleaned.returncode == 0, cleaned.stderr
    left = {path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()}
    assert left == {"Makefile", "requirements/local.txt", "local/stack.py"}
    assert not (checkout / ".venv").exists()
    assert not (checkout / "local" / "aws" / "__pycache__").exists()


def test_make_alone_explains_every_target(checkout: Path) -> None:
    (phony,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:")]

    explained = [line.split()[1] for line in make(folder=checkout).stdout.splitlines()]

    assert explained == phony.split()[1:]


def test_every_test_that_make_mutate_runs_is_there() -> None:
    named = set(re.findall(r'"(tests/[^"]+)"', (ROOT / "tests" / "mutation" / "trial.py").read_text()))

    assert len(named) > 5
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_make_mutate_takes_the_size_of_its_sample_and_its_seed() -> None:
    planned = make("--dry-run", "mutate", "SAMPLE=50", "SEED=7")

    assert planned.returncode == 0, planned.stderr
    assert ".venv-mutation/bin/python -m tests.mutation --sample 50 --seed 7" in planned.stdout
