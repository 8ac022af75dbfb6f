"""The proofs are worth something only if they notice a broken protocol; `.ci/run` tries every mutant."""

import pytest

from tests.simulation.mutants import MUTANTS, SAMPLE, Mutant, caught_by


def test_the_unbroken_protocol_passes_what_notices_the_broken_ones() -> None:
    assert caught_by(None) == ""


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.name in SAMPLE], ids=str)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert caught_by(mutant)
