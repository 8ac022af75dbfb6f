"""Try a mutant: break a copy of the project, run the tests that must notice, and say which one did."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.simulation.mutants.mutant import NOTICED_BY, ROOT, Mutant

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")
BROKEN_PROGRAM = ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "SyntaxError")


class NoVerdictError(Exception):
    """The tests could not run, or something other than a test failed: nobody can tell whether the mutant is noticed."""


@contextmanager
def unbroken_copy() -> Iterator[Path]:
    """Give a copy of the project, until the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "unbroken"
        # With the bytecode, which stays valid: the dates are copied too. Without environments, builds and histories.
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "node_modules"))
        yield copy


def check_unbroken(unbroken: Path) -> None:
    """Run all tests that must notice a mutant, on what is not broken."""
    paths = sorted({path for runs in NOTICED_BY.values() for paths in runs for path in paths})
    if failed := _failed_test(unbroken, paths, "-x", "--numprocesses", str(os.cpu_count())):
        raise NoVerdictError(f"the unbroken project fails {failed}")


def noticed_by(mutant: Mutant, *, unbroken: Path, runs: Sequence[Sequence[str]] = ()) -> str:
    """Break a copy of the project, and return the first test that fails; none, if the mutant survives.

    With `runs`, any test of them may be the one.
    """
    must_say = "" if runs else mutant.breaks
    with tempfile.TemporaryDirectory(dir=unbroken.parent) as folder:
        copy = Path(folder) / "broken"
        shutil.copytree(unbroken, copy, copy_function=os.link)  # files are replaced, never written to
        _break(copy / mutant.file, mutant)
        options = () if must_say else ("-x",)  # another test may fail before the one that must
        tried = (_failed_test(copy, paths, *options, saying=must_say) for paths in runs or mutant.runs)
        return next((test for test in tried if test), "")


def _break(file: Path, mutant: Mutant) -> None:
    text = file.read_text()
    file.unlink()
    file.write_text(text.replace(mutant.old, mutant.new))
    Path(cache_from_source(str(file))).unlink(missing_ok=True)


def _failed_test(copy: Path, paths: Sequence[str], *options: str, saying: str = "") -> str:
    """Return the first test that fails, and says so; none where no such test does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    result = copy.with_suffix(".xml")  # not in the copy, whose files are those of all other copies
    done = subprocess.run(  # noqa: S603 -- our own tests
        [sys.executable, *PYTEST, f"--junitxml={result}", *options, *paths],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == pytest.ExitCode.OK:
        return ""
    for case in ET.parse(result).iter("testcase") if result.exists() else ():  # noqa: S314 -- pytest's
        failure = case.find("failure")
        if failure is None or failure.get("message", "").startswith(BROKEN_PROGRAM):
            continue
        if saying in f"{failure.get('message')}{failure.text}":
            return f"{case.get('classname')}::{case.get('name')}"
    if saying and done.returncode == pytest.ExitCode.TESTS_FAILED:
        return ""
    raise NoVerdictError(done.stdout + done.stderr)
