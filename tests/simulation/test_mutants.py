"""The proofs are worth something only if they notice a broken protocol; `.ci/run` tries every mutant."""

import os

import pytest

from tests.simulation.mutants import MUTANTS, SAMPLE, Mutant, caught_by

CHOSEN = MUTANTS if os.environ.get("EVERY_MUTANT") == "1" else [each for each in MUTANTS if each.name in SAMPLE]


@pytest.mark.parametrize("mutant", CHOSEN, ids=str)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert caught_by(mutant)
