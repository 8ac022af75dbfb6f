"""Who is told, in a schedule: an event bus that may refuse for a while, and workers that die before they publish."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from switchboard.conversation import Conversation, OwnerChange
from switchboard.events import Owner
from switchboard.notices import Notice, NoticeType
from switchboard.publisher import FAILURES_TOGETHER, LEFT_TO_ITS_WORKER
from tests.builders import NOON
from tests.simulation.models import ThrottledError

# What a write has made due: the type of its notice, the turn or the conversation, and which of its hand backs.
type Due = tuple[NoticeType, str, int]


@dataclass(slots=True)
class Bus:
    """The bus of a schedule. While it is away it takes nothing, or only every other notice.

    `shown` is what the conversations' attributes at Twilio show, by conversation.
    """

    clock: Callable[[], datetime]
    away: tuple[datetime, datetime] | None = None
    takes_half: bool = False
    published: list[Notice] = field(default_factory=list)
    shown: dict[str, OwnerChange] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)  # a generator of its own: others keep theirs

    @classmethod
    def planned(cls, seed: int, *, clock: Callable[[], datetime]) -> "Bus":
        """Return the bus of a schedule; in one of three it is away, for a minute to two hours."""
        chance = random.Random(f"bus {seed}")  # noqa: S311 -- a schedule, not a secret
        away = None
        if chance.random() < 1 / 3:
            begins = NOON + timedelta(minutes=chance.choice([0, 2, 10, 120]))
            away = (begins, begins + timedelta(minutes=chance.choice([1, 5, 30, 120])))
        return cls(clock=clock, away=away, takes_half=chance.random() < 1 / 2, chance=chance)

    @property
    def is_away(self) -> bool:
        """Whether it refuses now."""
        return self.away is not None and self.away[0] <= self.clock() < self.away[1]

    def happens(self, rate: float) -> bool:
        """Tell whether something goes wrong."""
        return self.chance.random() < rate

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        if self.is_away and not self.takes_half:
            raise ThrottledError
        taken = notices[::2] if self.is_away else notices
        self.published += taken
        return taken


def a_notice_that_is_due_is_published(due: Iterable[Due], published: Sequence[Notice]) -> None:
    """Whatever a write has decided that people must be told was on the bus, at least once."""
    told = Counter((each.type, each.turn or each.conversation_sid) for each in {n.id: n for n in published}.values())
    expected = Counter((what, whose) for what, whose, _ in due)
    failures = [key for key in expected if key[0] is NoticeType.TURN_FAILED]
    untold = expected - told - Counter(failures)
    assert not untold, f"nobody was told: {dict(untold)}"
    counted = sum(notice.count for notice in published if notice.type is NoticeType.TURN_FAILED)
    assert len(failures) <= counted, f"people were told of {counted} failures, there were {len(failures)}"


def the_attributes_show_who_owns(shown: Mapping[str, OwnerChange], items: Iterable[Conversation]) -> None:
    """Once everything is told, Twilio shows the owner that the item has, and why: the newest one, in any order."""
    for item in items:
        change = shown.get(item.sid)
        if item.closed or (change is None and item.owner is Owner.ASSISTANT):
            continue
        assert change, f"{item.sid}: nothing is shown, {item.owner} owns it"
        is_right = change.owner is item.owner and (item.owner is Owner.ASSISTANT or change.reason == item.owner_reason)
        assert is_right, f"{item.sid}: shown as {change}, {item.owner} owns it because of {item.owner_reason}"


def no_notice_outlasts_a_sweep(left: Iterable[Notice], *, now: datetime) -> None:
    """A sweep publishes whatever its worker has left for some seconds: so a crash delays a notice by two at most.

    A failure waits for others that follow it, as long as they are told together.
    """
    waits = {NoticeType.TURN_FAILED: LEFT_TO_ITS_WORKER + FAILURES_TOGETHER}
    overdue = [notice for notice in left if notice.at <= now - waits.get(notice.type, LEFT_TO_ITS_WORKER)]
    assert not overdue, f"still due after a sweep: {overdue}"
