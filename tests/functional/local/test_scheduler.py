"""A schedule invokes its function at its rate."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.aws.execution_environment import Raised
from local.aws.scheduler import Schedule, ScheduleSpec
from local.aws.template import UnsupportedTemplate
from tests.waiting import wait_until

ACCOUNT: Mapping[str, str] = {"account_id": "000000000000", "region": "us-east-1"}


class FakeFunction:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def invoke(self, event: object) -> object:
        self.events.append(event)
        raise Raised("every time")


@pytest.mark.parametrize(
    ("expression", "every"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(2 hours)", timedelta(hours=2)),
    ],
)
def test_a_rate_is_parsed(expression: str, every: timedelta) -> None:
    assert ScheduleSpec.of(expression, **ACCOUNT).every == every


def test_another_expression_is_an_error_that_names_it() -> None:
    with pytest.raises(UnsupportedTemplate, match="cron"):
        ScheduleSpec.of("cron(0 12 * * ? *)", **ACCOUNT)


def test_a_function_that_fails_is_invoked_again_with_schedulers_event() -> None:
    function = FakeFunction()

    schedule = Schedule(ScheduleSpec(every=timedelta(milliseconds=1), **ACCOUNT), function)
    wait_until(lambda: len(function.events) >= 2)
    schedule.stop()
    schedule.join()

    assert function.events[0]["source"] == "aws.scheduler"
    assert function.events[0]["id"] != function.events[1]["id"]
