"""What is wrong on purpose reaches a function's process with each invocation, and ends with the one after it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.activity import LogLine
from local.aws.execution_environment import Crashed
from local.aws.trouble import Trouble
from tests.functional.local.sample_function import of_type, running, spec, written

LAYER = Path(__file__).parents[3] / "layers" / "switchboard"
DAY = timedelta(days=1)

# Reads the clock in every way that is common, and says whether each value is a plain one.
READS_THE_CLOCK = """
times = [datetime.now(UTC), dt.datetime.now(UTC), datetime.now(timezone(timedelta(hours=5)))]
values = [*times, datetime(2026, 1, 1), datetime.fromisoformat("2026-01-01T00:00:00"), date.today()]
assert all(isinstance(each, datetime) for each in values[:-1]) and isinstance(values[-1], date)
assert not isinstance(date.today(), datetime) and isinstance(times[0], date)
return {
    "times": [each.timestamp() for each in times],
    "today": date.today().isoformat(),
    "plain": all(type(each).__init__ is object.__init__ and "_D" not in repr(type(each)) for each in values),
    "left": context.get_remaining_time_in_millis(),
    "records": [record["attributes"] for record in event.get("Records", [])],
}
"""
CLOCK_IMPORTS = "import datetime as dt\nfrom datetime import UTC, date, datetime, timedelta, timezone"


def ahead(now: dict[str, timedelta]) -> Trouble:
    return Trouble(ahead=lambda: now["ahead"])


def test_a_function_whose_clock_is_ahead_reads_a_later_time_in_every_way_and_plain_values(tmp_path: Path) -> None:
    folder, clock = written(tmp_path / "sample", READS_THE_CLOCK, imports=CLOCK_IMPORTS), {"ahead": DAY}

    with running(spec(folder), trouble=ahead(clock)) as (function, _):
        read = function.invoke({})

    assert isinstance(read, dict)
    later = datetime.now(UTC) + DAY
    assert all(abs(each - later.timestamp()) < 60 for each in read["times"])
    assert read["today"] in {(datetime.now() + DAY - timedelta(seconds=60 * n)).date().isoformat() for n in (0, 1)}  # noqa: DTZ005 -- as `date.today`
    assert read["plain"]
    assert 0 < read["left"] <= 30_000  # a moved clock shortens no invocation


def test_a_clock_that_moves_on_moves_with_the_next_invocation_and_a_new_process(tmp_path: Path) -> None:
    folder, clock = written(tmp_path / "sample", READS_THE_CLOCK, imports=CLOCK_IMPORTS), {"ahead": timedelta()}
    read: list[int] = []

    with running(spec(folder), trouble=ahead(clock)) as (function, _):
        for each in (timedelta(), DAY, 2 * DAY, timedelta()):
            clock["ahead"] = each
            read.append(_days_ahead(function.invoke({})))
        clock["ahead"] = 3 * DAY
        function.kill()
        read.append(_days_ahead(function.invoke({})))

    assert read == [0, 1, 2, 0, 3]


def _days_ahead(read: object) -> int:
    assert isinstance(read, dict)
    return round(float(read["times"][0] - datetime.now(UTC).timestamp()) / DAY.total_seconds())


def test_the_times_of_sqs_agree_with_a_moved_clock(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", READS_THE_CLOCK, imports=CLOCK_IMPORTS)
    attributes = {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1"}

    with running(spec(folder), trouble=ahead({"ahead": timedelta(seconds=90)})) as (function, _):
        read = function.invoke({"Records": [{"attributes": attributes}]})

    assert isinstance(read, dict)
    assert read["records"] == [{"SentTimestamp": "1700000090000", "ApproximateReceiveCount": "1"}]


# An assistant that is a plain function, as a team may declare it, and what becomes of its error.
ASKS_A_FUNCTION = """
try:
    answer = FunctionAgent(lambda question: "yes").answer(SimpleNamespace(turn="t", timeout_seconds=20))
except SwitchboardError as error:
    return type(error).__name__
return answer.text
"""
AGENT_IMPORTS = """
from types import SimpleNamespace
from switchboard.agents.function_agent import FunctionAgent
from switchboard.errors import SwitchboardError
"""


@pytest.fixture
def asks(tmp_path: Path) -> Path:
    return written(tmp_path / "agent", ASKS_A_FUNCTION, imports=AGENT_IMPORTS)


@pytest.mark.parametrize("status", [503, 429])
def test_the_model_of_a_plain_function_is_away_until_it_is_mended(asks: Path, status: int) -> None:
    trouble = Trouble()

    with running(spec(asks, layer=LAYER, name="agent"), trouble=trouble) as (function, activities):
        assert function.invoke({}) == "yes"
        trouble.break_model(seconds=60, status=status)
        away = function.invoke({})
        trouble.mend_model()
        mended = function.invoke({})

    assert (away, mended, trouble.model_struck) == ("Transient", "yes", 1)
    assert [line.text for line in of_type(LogLine, activities)] == [f"[TROUBLE] the model is away: {status}"]


def test_trouble_ends_by_itself(asks: Path) -> None:
    trouble = Trouble()
    trouble.break_model(seconds=0, status=503)

    with running(spec(asks, layer=LAYER, name="agent"), trouble=trouble) as (function, _):
        assert function.invoke({}) == "yes"

    assert trouble.model is None


def test_only_the_function_that_asks_a_model_meets_its_trouble(asks: Path) -> None:
    trouble = Trouble()
    trouble.break_model(seconds=60, status=503)
    trouble.arm_kill()

    with running(spec(asks, layer=LAYER, name="lifecycle"), trouble=trouble) as (function, _):
        assert function.invoke({}) == "yes"

    assert (trouble.kill_is_armed, trouble.killed) == (True, 0)


def test_a_worker_is_killed_once_while_it_thinks(asks: Path) -> None:
    trouble = Trouble()
    trouble.arm_kill()

    with running(spec(asks, layer=LAYER, name="agent"), trouble=trouble) as (function, _):
        with pytest.raises(Crashed, match="SIGKILL"):
            function.invoke({})
        assert function.invoke({}) == "yes"

    assert (trouble.kill_is_armed, trouble.killed) == (False, 1)


def test_an_invocation_that_asks_no_model_leaves_the_kill_to_the_next(tmp_path: Path) -> None:
    trouble = Trouble()
    trouble.arm_kill()

    with running(spec(written(tmp_path / "agent", "return 1"), name="agent"), trouble=trouble) as (function, _):
        assert function.invoke({}) == 1

    with trouble.of("agent") as told, trouble.of("agent") as told_at_the_same_time:
        assert (told, told_at_the_same_time) == ({"kill": True}, {})
