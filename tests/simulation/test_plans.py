"""The exhaustive proof with fewer events; `.ci/run` runs it whole."""

import pytest

from tests.simulation.__main__ import QUICK_SCOPES, Scope, explore_scope


@pytest.mark.parametrize("scope", QUICK_SCOPES, ids=str)
def test_no_plan_of_a_few_deliveries_breaks_a_promise(scope: Scope) -> None:
    plans, violations, _seconds = explore_scope(scope)

    assert plans > 50
    assert not violations, "\n".join(violations[:20])
