"""The proofs are worth something only if they notice broken code; `.ci/run` tries every mutant, on all tests."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation import bus, effects, invariants
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.mutant import PROOFS, ROOT, Mutant
from tests.simulation.mutants.trial import NoVerdictError, noticed_by, unbroken_copy

SAMPLE = (
    "R4 a pending reply survives a takeover",
    "R6 refused by the fencing token, acknowledged",
    "freeze after send",
    "a swallowed error",
)


@pytest.fixture(scope="module")
def unbroken() -> Iterator[Path]:
    with unbroken_copy() as copy:
        yield copy


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_changes_one_place_of_what_is_deployed(mutant: Mutant) -> None:
    assert mutant.file.startswith(("layers/", "functions/"))
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1


@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant.breaks], ids=str)
def test_what_a_mutant_breaks_is_an_invariant_of_the_proofs(mutant: Mutant) -> None:
    assert any(hasattr(module, mutant.breaks) for module in (invariants, bus, effects))


def test_no_two_mutants_have_the_same_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_a_mutant_breaks_a_rule_and_not_the_program(tmp_path: Path) -> None:
    for mutant in MUTANTS:
        broken = (ROOT / mutant.file).read_text().replace(mutant.old, mutant.new)
        (tmp_path / f"{mutant.name.replace('/', ' ')}.py").write_text(broken)

    # A name that does not exist would be noticed by any test that comes by.
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--target-version", "py313", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.name in SAMPLE], ids=str)
def test_the_proofs_notice_a_broken_rule(mutant: Mutant, unbroken: Path) -> None:
    assert noticed_by(mutant, unbroken=unbroken, runs=[PROOFS])


@pytest.mark.parametrize("new", ["undefined", "__import__('undefined')", "("])
def test_a_broken_program_is_no_verdict(new: str, unbroken: Path) -> None:
    mutant = Mutant(
        name="a broken program",
        file="layers/switchboard/switchboard/channels/split.py",
        old="    parts: list[str] = []\n",
        new=f"    parts: list[str] = {new}\n",
    )

    with pytest.raises(NoVerdictError):
        noticed_by(mutant, unbroken=unbroken, runs=[("tests/unit/channels",)])
