"""What the sweeper function reports: its metrics, and a log line for each conversation that failed."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from switchboard.bootstrap.sweeper import CHECKS_SIDE_BY_SIDE, TIME_FOR_CHECKS, SweeperFunction
from switchboard.errors import Transient
from switchboard.notices import Notice, NoticeReason, NoticeType
from switchboard.ports import MessagePage
from switchboard.stores.checks import ChecksInMemory
from switchboard.stores.memory import ConversationsInMemory
from switchboard.sweeper import SweepResult, sweep
from switchboard.telemetry import Telemetry
from switchboard.twilio.rest.http import CONNECTIONS
from tests.builders import NOON, Clock, message_added, sid
from tests.lambda_context import LambdaContext

WORDS = "my card number"

type Lines = list[dict[str, Any]]
type Run = Callable[..., Lines]


class Ports:
    """Twilio and the queues: a page that cannot be parsed, and a list of conversations that may fail."""

    def __init__(self, failing: str, *, lists_fail: bool) -> None:
        self._failing = failing
        self._lists_fail = lists_fail

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        if conversation_sid == self._failing:
            raise ValueError(WORDS)
        yield MessagePage(messages=(message_added(index=from_index, conversation_sid=conversation_sid),), is_last=True)

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        if self._lists_fail:
            raise Transient(f"{since} {limit}: Twilio answered 503")
        return []

    def send_again(self, messages: object, *, since: datetime) -> None: ...


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(
        *,
        lists_fail: bool = False,
        publish_due: Callable[[], Sequence[Notice]] = tuple,
        show_due: Callable[[datetime], None] = lambda _until: None,
    ) -> Lines:
        """Sweep eleven minutes after two conversations became active, and return what was logged and counted."""
        clock = Clock()
        checks = ChecksInMemory(clock=clock, store=ConversationsInMemory())
        for number in (1, 2):
            checks.is_active(sid("CH", number))
        clock.move(seconds=12 * 60)
        ports = Ports(sid("CH", 1), lists_fail=lists_fail)
        metrics = Metrics(namespace="Switchboard", service="sweeper")
        metrics.clear_metrics()
        function = SweeperFunction(
            sweep=partial(
                sweep,
                checks=checks,
                conversations=ports,
                messages=ports,
                messages_queue=ports,
                lifecycle_queue=ports,
                takeovers=checks.store,
                clock=clock,
                max_event_age=timedelta(hours=1),
                max_requests=600,
            ),
            publish_due=publish_due,
            show_due=show_due,
            telemetry=Telemetry(
                logger=Logger(service="sweeper", location=None), metrics=metrics, name_invocation=lambda *_: None
            ),
        )
        with function.telemetry.invocation(LambdaContext()):
            function.run(deadline=NOON + timedelta(hours=1))
        output = capsys.readouterr().out
        assert WORDS not in output
        return [json.loads(line) for line in output.splitlines()]

    return run


def counted(lines: Lines) -> dict[str, float]:
    """Return the metrics of the last line, which CloudWatch reads."""
    (names,) = lines[-1]["_aws"]["CloudWatchMetrics"]
    return {each["Name"]: sum(lines[-1][each["Name"]]) for each in names["Metrics"]}


def test_a_check_that_failed_is_logged_with_its_conversation_and_counted_and_the_others_are_made(run: Run) -> None:
    lines = run()

    (failed,) = [line for line in lines if line.get("level") == "ERROR"]
    assert (failed["conversation_sid"], failed["error"]) == (sid("CH", 1), "ValueError")
    assert counted(lines) == {"failed": 1, "oldest_due_check_seconds": 11 * 60, "found_again": 1}


def test_the_age_of_the_oldest_due_check_is_a_value_in_seconds(run: Run) -> None:
    metrics = run()[-1]["_aws"]["CloudWatchMetrics"][0]["Metrics"]

    assert {"Name": "oldest_due_check_seconds", "Unit": "Seconds"} in metrics


def test_a_sweep_that_could_not_list_is_counted_and_makes_the_checks(run: Run) -> None:
    assert counted(run(lists_fail=True)) == {
        "failed": 2,
        "oldest_due_check_seconds": 11 * 60,
        "found_again": 1,
        "sweep_incomplete": 1,
    }


def test_each_hand_back_is_counted_and_logged_with_its_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics(namespace="Switchboard", service="sweeper")
    metrics.clear_metrics()
    swept = SweepResult(
        requests=2,
        checked=2,
        found=0,
        left=0,
        oldest_due=timedelta(0),
        handed_back=(sid("CH", 1), sid("CH", 2)),
        failures=(),
    )
    # A logger of another name: one keeps the stdout of the test that made it first.
    function = SweeperFunction(
        sweep=partial(lambda **_: swept),
        publish_due=tuple,
        show_due=lambda _until: None,
        telemetry=Telemetry(
            logger=Logger(service="hand_backs", location=None), metrics=metrics, name_invocation=lambda *_: None
        ),
    )

    with function.telemetry.invocation(LambdaContext()):
        function.run(deadline=NOON)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["conversation_sid"] for line in lines if "conversation_sid" in line] == [sid("CH", 1), sid("CH", 2)]
    assert counted(lines)["handed_back"] == 2


def test_each_notice_that_the_sweeper_publishes_is_counted(run: Run) -> None:
    notice = Notice(
        id="T1",
        type=NoticeType.HUMAN_NEEDED,
        reason=NoticeReason.HANDOFF,
        conversation_sid=sid("CH", 7),
        at=NOON,
        turn="T1",
    )

    lines = run(publish_due=lambda: [notice])

    assert counted(lines)["notified"] == 1


def test_a_sweep_whose_notices_cannot_be_published_is_counted_and_makes_the_checks(run: Run) -> None:
    def fail() -> Sequence[Notice]:
        raise Transient("EventBridge answered 503")

    assert counted(run(publish_due=fail)) == {"failed": 2, "oldest_due_check_seconds": 11 * 60, "found_again": 1}


def test_a_sweep_shows_owners_and_leaves_the_checks_their_time(run: Run) -> None:
    until: list[datetime] = []

    run(show_due=until.append)

    assert until == [NOON + timedelta(hours=1) - TIME_FOR_CHECKS]


def test_the_checks_side_by_side_wait_for_no_connection() -> None:
    assert CHECKS_SIDE_BY_SIDE <= CONNECTIONS
