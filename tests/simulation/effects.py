"""What the tools of the proofs change outside: bookings, each of which must be made once.

A reply says "booked" once for each booking that it knows to be made.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from switchboard.agent import Question
from switchboard.conversation import ReplyKind, TurnRecord
from switchboard.errors import NotSent, Unknown
from tests.simulation.invariants import require
from tests.simulation.models import CLIENT_TIMEOUT_SECONDS, COMMITS_WITHIN_SECONDS

if TYPE_CHECKING:
    from tests.simulation.models import Clock

BOOK = "book"
BOOKED = "booked"
BOOKING_ENDS = ("request_lost", "response_lost", "late", "late_then_gone", "not_sent")


@dataclass(frozen=True, slots=True)
class LateBooking:
    """A booking that is made after its client gave up."""

    at: datetime
    turn: str
    call: int


@dataclass(slots=True)
class Bookings:
    """The other side of the tool `book`. `checked` says of each call in a turn whether the tool has a `check`.

    `asked_anew` are the turns in which the agent was asked as if it had never begun a booking. `unwritten` are those in
    which one was made that no store knew of.
    """

    clock: "Clock"
    checked: Sequence[bool] = ()
    faults: int = 0
    made: Counter[tuple[str, int]] = field(default_factory=Counter)
    late: list[LateBooking] = field(default_factory=list)
    asked_anew: set[str] = field(default_factory=set)
    unwritten: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)

    def words(self, question: Question, *, at: "Callable[[Callable[[str], str]], str]") -> list[str]:
        """Make what bookings there are to make in a turn, and return a word for each that is known to be made.

        `at` calls the tool, at a point at which something may go wrong: it gives it the end of its request.
        """
        effects = question.effects
        assert effects is not None
        if question.turn in self.begun and not effects.so_far:
            self.asked_anew.add(question.turn)
        results = [
            effects.run_once(
                BOOK,
                call,
                arguments="{}",
                so_far=f"{BOOK} {call}",
                run=partial(at, partial(self._book, question, call)),
                check=partial(self._check, question.turn, call) if is_checked else None,
            )
            for call, is_checked in enumerate(self.checked)
        ]
        return [BOOKED for result in results if json.loads(result) == BOOKED]

    def _book(self, question: Question, call: int, end: str) -> str:
        self.begun.add(question.turn)
        if not (question.effects and question.effects.so_far):
            self.unwritten.add(question.turn)
        match end:
            case "not_sent":
                raise NotSent("the shop is busy")
            case "request_lost":
                raise Unknown("timed out")
            case "late" | "late_then_gone":
                self.clock.move(CLIENT_TIMEOUT_SECONDS)
                at = self.clock() + timedelta(seconds=COMMITS_WITHIN_SECONDS)
                self.late.append(LateBooking(at, question.turn, call))
                raise Unknown("timed out")
            case "response_lost":
                self.made[question.turn, call] += 1
                raise Unknown("timed out")
            case _:
                self.made[question.turn, call] += 1
                return json.dumps(BOOKED)

    def _check(self, turn: str, call: int) -> str | None:
        self.commit_late()
        return json.dumps(BOOKED) if self.made[turn, call] else None

    def commit_late(self) -> None:
        """Make the late bookings whose time has come."""
        for late in [late for late in self.late if late.at <= self.clock()]:
            self.late.remove(late)
            self.made[late.turn, late.call] += 1


def plan_bookings(seed: int) -> tuple[bool, ...]:
    """Return of which kinds a turn's bookings are in a schedule: in two of three there are none."""
    chance = random.Random(f"bookings {seed}")  # noqa: S311 -- a schedule, not a secret
    if chance.random() < 2 / 3:
        return ()
    return tuple(chance.random() < 1 / 2 for _ in range(chance.randint(1, 2)))


def no_effect_happens_twice(bookings: Bookings) -> None:
    """Each call of a tool in a turn changes something once, however often the turn is tried."""
    twice = [key for key, times in bookings.made.items() if times > 1]
    assert not twice, f"made twice: {twice}"


def an_effect_is_written_down_before_it_happens(bookings: Bookings) -> None:
    """Whoever tries a turn again knows what was begun, and is not asked anew."""
    assert not bookings.unwritten, f"made, and not written down: {bookings.unwritten}"
    assert not bookings.asked_anew, f"asked anew after an effect was begun: {bookings.asked_anew}"


def what_an_answer_says_has_happened(bookings: Bookings, records: Iterable[TurnRecord]) -> None:
    """An answer says of each effect that it happened, and it did; where nobody knows, the turn is handed over."""
    for record in records:
        if record.kind is not ReplyKind.ANSWER:
            continue
        said = " ".join(record.parts).split().count(BOOKED)
        made = sum(bookings.made[record.turn, call] for call in range(len(bookings.checked)))
        assert said == made == len(bookings.checked), f"turn {record.turn} says {said} bookings, and {made} are made"


def a_record_tells_the_effects(bookings: Bookings, records: Iterable[TurnRecord]) -> None:
    """What a turn began to change is in its record, however it ended: the next turn is told of it."""
    for record in records:
        if record.turn in bookings.begun:
            assert record.effects, f"turn {record.turn} does not say what it has changed"


def no_zombie_begins_an_effect(begun_by_zombies: Collection[str]) -> None:
    """Who has lost the conversation, to another worker, a human or a close, changes nothing any more."""
    assert not begun_by_zombies, f"begun by a zombie: in the turns {begun_by_zombies}"


def check_bookings(bookings: Bookings, records: Sequence[TurnRecord], *, begun_by_zombies: Collection[str]) -> None:
    """Check every invariant of the effects."""
    require(no_zombie_begins_an_effect, begun_by_zombies)
    require(no_effect_happens_twice, bookings)
    require(an_effect_is_written_down_before_it_happens, bookings)
    require(what_an_answer_says_has_happened, bookings, records)
    require(a_record_tells_the_effects, bookings, records)
