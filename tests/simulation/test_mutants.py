"""The proofs are worth something only if they notice a broken protocol; `.ci/run` tries every mutant."""

import pytest

from tests.simulation.mutants import MUTANTS, ROOT, SAMPLE, Mutant, caught_by


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_what_a_mutant_breaks_stands_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.name in SAMPLE], ids=str)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert caught_by(mutant)
