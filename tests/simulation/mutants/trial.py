"""Try a mutant: break a copy of the project, run the tests that must notice, and say which one did."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.simulation.mutants.mutant import ROOT, Mutant

PYTEST = ("-q", "-Wignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider", "--hypothesis-seed=0")
RECORD = Path(__file__).with_name("noticed.json")
SERVER = Path(__file__).with_name("pytest_server.py")
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


def check_unbroken(unbroken: Path, tests: Iterable[str]) -> None:
    """Run tests that noticed a mutant on what is not broken: they must pass there."""
    ids = sorted(set(filter(None, tests)))
    if failed := _failed_test(unbroken, ids, "-x", "--numprocesses", str(os.cpu_count())):
        raise NoVerdictError(f"the unbroken project fails {failed}")


def last_noticed_by() -> dict[str, str]:
    """Return which test noticed each mutant the last time, by the mutant's name."""
    recorded: dict[str, str] = json.loads(RECORD.read_text())
    return recorded


def record(noticed: Mapping[str, str]) -> None:
    """Keep which test noticed each mutant, for the next time."""
    RECORD.write_text(json.dumps(noticed, indent=0, sort_keys=True) + "\n")


def noticed_by(mutant: Mutant, *, unbroken: Path, runs: Sequence[Sequence[str]] = (), first: str = "") -> str:
    """Break a copy of the project, and return the first test that fails; none, if the mutant survives.

    With `runs`, any test of them may be the one. `first` is tried before all others, if it is there.
    """
    must_say = "" if runs else mutant.breaks
    with tempfile.TemporaryDirectory(dir=unbroken.parent) as folder:
        copy = Path(folder) / "broken"
        shutil.copytree(unbroken, copy, copy_function=os.link)  # files are replaced, never written to
        _break(copy / mutant.file, mutant)
        if first and (test := _failed_test(copy, [first], saying=must_say)):
            return test
        options = () if must_say else ("-x",)  # another test may fail before the one that must
        tried = (_failed_test(copy, paths, *options, saying=must_say) for paths in runs or mutant.runs)
        return next((test for test in tried if test), "")


def _break(file: Path, mutant: Mutant) -> None:
    text = file.read_text()
    file.unlink()
    file.write_text(text.replace(mutant.old, mutant.new))
    Path(cache_from_source(str(file))).unlink(missing_ok=True)


class _Pytest:
    """Runs pytest in folders, one after the other, by `pytest_server.py`."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        self._process = subprocess.Popen(  # noqa: S603 -- our own script
            [sys.executable, "-P", str(SERVER)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, arguments: Sequence[str], *, output: Path) -> int:
        """Return the exit code; `output` gets what pytest prints."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("Popen got PIPE")
        run = {"folder": str(folder), "arguments": arguments, "output": str(output)}
        self._process.stdin.write(json.dumps(run) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


_OF_THIS_THREAD = threading.local()


def _pytest() -> _Pytest:
    """Return this thread's; it ends with this process."""
    if not hasattr(_OF_THIS_THREAD, "pytest"):
        _OF_THIS_THREAD.pytest = _Pytest()
    pytest_of_this_thread: _Pytest = _OF_THIS_THREAD.pytest
    return pytest_of_this_thread


def _failed_test(copy: Path, paths: Sequence[str], *options: str, saying: str = "") -> str:
    """Return the first test that fails, and says so; none where no such test does."""
    result, output = copy.with_suffix(".xml"), copy.with_suffix(".txt")  # not in the copy, whose files others have
    code = _pytest().run(copy, [*PYTEST, f"--junitxml={result}", *options, *paths], output=output)
    if code in {pytest.ExitCode.OK, pytest.ExitCode.USAGE_ERROR}:  # a test that is recorded may have another name now
        return ""
    for case in ET.parse(result).iter("testcase") if result.exists() else ():  # noqa: S314 -- pytest's
        failure = case.find("failure")
        if failure is None or failure.get("message", "").startswith(BROKEN_PROGRAM):
            continue
        if saying in f"{failure.get('message')}{failure.text}":
            return f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
    if saying and code == pytest.ExitCode.TESTS_FAILED:
        return ""
    raise NoVerdictError(output.read_text(errors="replace"))
