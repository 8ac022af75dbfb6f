"""How many active conversations a day the sweeper keeps up with: `python -m tests.simulation.sweep_capacity`.

Virtual days with the sweeper's own code, the checks in memory as the table keeps them, and one request for each check.
A conversation is a few messages within some minutes. Most begin in the day's busy hours, and a twentieth of a day's
conversations begin within ten minutes at noon, as after a mailing. The first day fills the line of older checks, and
the second is measured.
"""
# ruff: noqa: T201 -- a command prints

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Annotated

import typer

from switchboard.events import MessageAdded
from switchboard.ports import DueCheck, DueConversation, MessagePage
from switchboard.stores.checks import ChecksInMemory
from switchboard.stores.memory import ConversationsInMemory
from switchboard.sweeper import sweep
from tests.builders import NOON, Clock, sid

DAY = 24 * 60  # minutes
BY_HOUR = (
    1,
    1,
    1,
    1,
    1,
    2,
    4,
    8,
    12,
    14,
    14,
    14,
    12,
    12,
    13,
    14,
    14,
    13,
    11,
    9,
    7,
    5,
    3,
    2,
)  # how a day's work spreads
BURST_SHARE = 0.05
LATEST_SECOND_CHECK = timedelta(minutes=4)  # two sweeps, a minute apart, and a minute for either to begin


@dataclass(slots=True)
class Report:
    """What a day came to. `first` and `second` are how long after the last activity the checks came."""

    conversations: int
    requests: list[int] = field(default_factory=list)
    first: list[timedelta] = field(default_factory=list)
    second: list[timedelta] = field(default_factory=list)
    oldest_due: list[timedelta] = field(default_factory=list)

    @property
    def in_time(self) -> bool:
        """True if every second check came in time."""
        return max(self.second) <= LATEST_SECOND_CHECK


class Index(ChecksInMemory):
    """The checks, which also note when a conversation that is still active had its first and its second."""

    def __init__(self, clock: Clock, report: Report) -> None:
        super().__init__(clock=clock, store=ConversationsInMemory())
        self.report = report
        self.measures = False

    def due(self, *, now: datetime, limit: int) -> list[DueCheck]:
        """Return what is due, with no object for what is not: a day has a million checks."""
        by_number: defaultdict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for conversation_sid, tracked in self.tracked.items():
            if tracked.active_check and tracked.active_check <= now:
                by_number[0].append((tracked.active_check, conversation_sid))
            elif tracked.next_check and tracked.next_check <= now:
                by_number[tracked.number].append((tracked.next_check, conversation_sid))
        return [
            DueCheck(conversation_sid=conversation_sid, number=number, due=at)
            for number, waiting in by_number.items()
            for at, conversation_sid in nsmallest(limit, waiting)
        ]

    def postpone(self, checked: DueConversation, *, until: datetime | None, now: datetime) -> None:
        """Note the first two checks after the last activity."""
        if self.measures and checked.checks < 2:
            (self.report.second if checked.checks else self.report.first).append(now - checked.activity)
        super().postpone(checked, until=until, now=now)
        if until is None:
            del self.tracked[checked.conversation.sid]


class Quiet:
    """Twilio without lost messages, and a queue that is never used."""

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        """Yield one empty page."""
        assert conversation_sid
        assert from_index >= 0
        yield MessagePage(messages=(), is_last=True)

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        """Return none: their listing costs a request for each hundred."""
        assert since
        assert limit
        return []

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        """Take nothing."""
        assert since
        assert not messages


def activities(conversations: int, chance: random.Random) -> dict[int, list[str]]:
    """Return which conversations are active in each minute of two days."""
    by_minute: defaultdict[int, list[str]] = defaultdict(list)
    for number in range(2 * conversations):
        day = DAY * (number // conversations)
        if chance.random() < BURST_SHARE:
            minute = 12 * 60 + chance.randrange(10)
        else:
            minute = 60 * chance.choices(range(24), BY_HOUR)[0] + chance.randrange(60)
        for _ in range(chance.randint(1, 8)):  # a message and its answer
            by_minute[day + minute].append(sid("CH", number))
            minute += chance.choice([0, 1, 1, 2, 3, 5, 10])
    return by_minute


def simulate(conversations: int, *, requests: int, seed: int = 1) -> Report:
    """Run two days of so many conversations, and return what came of the second."""
    clock, report, quiet = Clock(NOON.replace(hour=0)), Report(conversations), Quiet()
    index = Index(clock, report)
    by_minute = activities(conversations, random.Random(seed))  # noqa: S311 -- a schedule, not a secret
    for minute in range(2 * DAY):
        clock.move(seconds=30)
        for conversation_sid in by_minute.get(minute, ()):
            index.is_active(conversation_sid)
        clock.move(seconds=30)
        index.measures = minute >= DAY
        swept = sweep(
            checks=index,
            conversations=quiet,
            messages=quiet,
            messages_queue=quiet,
            lifecycle_queue=quiet,
            takeovers=ConversationsInMemory(),
            clock=clock,
            max_event_age=timedelta(hours=1),
            max_requests=requests,
            deadline=clock() + timedelta(seconds=55),
        )
        assert swept.failures == ()
        if index.measures:
            report.requests.append(swept.requests)
            report.oldest_due.append(swept.oldest_due)
    return report


def main(
    conversations: Annotated[list[int], typer.Argument(help="active conversations a day")] = [5_000, 20_000],  # noqa: B006 -- typer copies it
    *,
    requests: Annotated[int, typer.Option(help="requests a sweep, SweepRequests")] = 600,
) -> None:
    """Print, for each number of conversations a day, how late their checks come."""
    print("conversations  requests/sweep  first check  second check  oldest due, worst  second checks in time")
    print("       a day    mean      max        worst         worst                                       ")
    for number in conversations:
        report = simulate(number, requests=requests)
        mean = sum(report.requests) / len(report.requests)
        worst = [_minutes(max(times)) for times in (report.first, report.second, report.oldest_due)]
        print(
            f"{number:13,}  {mean:6.0f}  {max(report.requests):7}  {worst[0]:>11}  {worst[1]:>12}  {worst[2]:>17}"
            f"  {'all' if report.in_time else 'not all':>22}"
        )


def _minutes(time: timedelta) -> str:
    return f"{time / timedelta(minutes=1):.1f} min"


if __name__ == "__main__":
    typer.run(main)
