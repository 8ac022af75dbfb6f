"""The names under which decisions are logged, counted and traced: alarms, dashboards and queries ask for them."""

from enum import StrEnum

import pytest

from switchboard.lifecycle import Effect
from switchboard.turn.context import Step
from switchboard.turn.result import RetryReason

NAMES: dict[type[StrEnum], list[str]] = {
    Effect: [
        *("taken_over", "opened_by_unknown_identity", "handed_back", "closed", "opted_out", "delivery_failed"),
        *("noted", "outdated", "none"),
    ],
    RetryReason: ["busy", "put_off", "fenced", "retry", "model_refused_us", "looking"],
    Step: ["claim", "resume", "gather", "gate", "think", "freeze", "send", "record", "settle"],
}


@pytest.mark.parametrize(("kind", "names"), NAMES.items(), ids=[kind.__name__ for kind in NAMES])
def test_a_decision_has_the_name_that_alarms_and_dashboards_ask_for(kind: type[StrEnum], names: list[str]) -> None:
    assert [str(each) for each in kind] == names
