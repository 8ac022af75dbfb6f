"""The proofs are worth something only if they notice broken code; `.ci/run` tries every mutant."""

import subprocess
import sys

import pytest

from tests.simulation.mutants import MUTANTS, ROOT, SAMPLE, Mutant, is_noticed


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_changes_one_place_of_what_is_deployed(mutant: Mutant) -> None:
    assert mutant.file.startswith(("layers/", "functions/"))
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_breaks_a_rule_and_not_the_program(mutant: Mutant) -> None:
    broken = (ROOT / mutant.file).read_text().replace(mutant.old, mutant.new)

    # A name that does not exist would be noticed by any test that comes by.
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--target-version", "py313", "-"],
        input=broken,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.name in SAMPLE], ids=str)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert is_noticed(mutant)
