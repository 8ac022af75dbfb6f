"""Effects: what a turn's tools change happens once, however often the turn is tried; of the rest a human is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from switchboard.agent import Answer, Question
from switchboard.conversation import OwnerReason
from switchboard.effects import LEFT_TO_HUMAN, UNKNOWN
from switchboard.errors import NotSent, Transient, Unknown
from switchboard.events import Owner
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.timing import COMMIT_WINDOW
from tests.builders import FALLBACK
from tests.unit.turn.harness import Harness

COMMITTED = COMMIT_WINDOW.total_seconds()


@dataclass
class BookingAgent:
    """Books so many times in a turn, then answers with what the tool said, or raises the next of `errors`.

    `ends` are the errors of the bookings, one after another; None is none. With `check`, the tool has one.
    """

    bookings: int = 1
    ends: list[BaseException | None] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    check: Callable[[], str | None] | None = None
    while_booking: Callable[[], object] = lambda: None
    answers: bool = True
    made: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    seen_so_far: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    def answer(self, question: Question) -> Answer:
        assert question.effects is not None
        self.questions.append(question)
        self.seen_so_far.append(question.effects.so_far)
        self.results = [
            json.loads(
                question.effects.run_once(
                    "book",
                    call,
                    arguments=json.dumps({"try": len(self.seen_so_far)}),
                    so_far=f"the run up to booking {call}",
                    run=partial(self._book, call),
                    check=self.check,
                )
            )
            for call in range(self.bookings)
        ]
        if self.errors:
            raise self.errors.pop(0)
        return Answer(text=" | ".join(self.results)) if self.answers else Answer(no_reply=True)

    def _book(self, call: int) -> str:
        self.while_booking()
        if self.ends and (error := self.ends.pop(0)):
            raise error
        self.made.append(f"booking {call}")
        return json.dumps(f"booked {call}")


def booking(harness: Harness, agent: BookingAgent) -> BookingAgent:
    harness.agent = agent
    return agent


def test_an_effect_runs_once_although_the_turn_fails_three_times_after_it(harness: Harness) -> None:
    agent = booking(harness, BookingAgent(bookings=2, errors=[Transient("the model is away")] * 3))

    results = harness.deliver_until_it_ends(*harness.customer_writes("book it twice"))

    assert [result.outcome for result in results] == ["retry", "retry", "retry", "answered"]
    assert agent.made == ["booking 0", "booking 1"]
    assert harness.replies == ["booked 0 | booked 1"]


def test_a_retry_goes_on_from_the_account_of_the_last_effect(harness: Harness) -> None:
    agent = booking(harness, BookingAgent(bookings=2, errors=[Transient("the model is away")]))

    harness.deliver_until_it_ends(*harness.customer_writes("book it twice"))

    assert agent.seen_so_far == ["", "the run up to booking 1"]


def test_a_turn_without_effects_reads_and_keeps_none(harness: Harness) -> None:
    agent = booking(harness, BookingAgent(bookings=0))
    agent.answers = False

    harness.deliver(*harness.customer_writes("thanks"))

    assert not harness.conversations.effects.get(harness.item.sid)
    assert not harness.item.has_effects


def test_the_next_turn_has_effects_of_its_own(harness: Harness) -> None:
    agent = booking(harness, BookingAgent())

    harness.says("book it")
    harness.says("book it again")

    assert agent.made == ["booking 0", "booking 0"]
    assert agent.seen_so_far == ["", ""]


def test_what_certainly_did_not_happen_is_tried_again(harness: Harness) -> None:
    agent = booking(harness, BookingAgent(ends=[NotSent("busy"), NotSent("busy")]))

    results = harness.deliver_until_it_ends(*harness.customer_writes("book it"))

    assert [result.outcome for result in results] == ["retry", "retry", "answered"]
    assert agent.made == ["booking 0"]
    assert harness.replies == ["booked 0"]


@pytest.mark.parametrize("error", [Unknown("timed out"), ValueError("a bug"), Transient("502")], ids=repr)
def test_where_nobody_knows_whether_it_happened_a_human_gets_the_conversation(
    harness: Harness, error: Exception
) -> None:
    agent = booking(harness, BookingAgent(bookings=2, ends=[error]))

    result = harness.deliver(*harness.customer_writes("book it"))

    assert result.outcome == "handed_off"
    assert agent.results == [UNKNOWN, LEFT_TO_HUMAN]
    assert agent.made == []
    assert (harness.item.owner, harness.item.owner_reason) == (Owner.HUMAN, OwnerReason.HANDOFF)


def test_a_handoff_of_what_nobody_knows_says_something(harness: Harness) -> None:
    booking(harness, BookingAgent(ends=[Unknown("timed out")], answers=False))

    result = harness.deliver(*harness.customer_writes("book it"))

    assert result.outcome == "handed_off"
    assert harness.replies == [FALLBACK]


def test_a_worker_that_died_between_leaves_what_nobody_knows(harness: Harness) -> None:
    agent = booking(harness, BookingAgent(ends=[KeyboardInterrupt()]))
    messages = harness.customer_writes("book it")
    with pytest.raises(KeyboardInterrupt):
        harness.deliver(*messages)
    harness.clock.move(seconds=61)

    result = harness.deliver(*messages)

    assert result.outcome == "handed_off"
    assert agent.results == [UNKNOWN]
    assert agent.made == []


@pytest.mark.parametrize(("found", "made"), [(json.dumps("booked before"), []), (None, ["booking 0"])])
def test_a_tool_with_a_check_says_whether_it_happened(harness: Harness, found: str | None, made: list[str]) -> None:
    agent = booking(harness, BookingAgent(ends=[Unknown("timed out")], check=lambda: found))

    results = harness.deliver_until_it_ends(*harness.customer_writes("book it"))

    assert results[-1].outcome == "answered"
    assert agent.made == made
    assert harness.replies == ["booked 0" if made else "booked before"]


def test_a_check_waits_until_what_was_sent_is_settled(harness: Harness) -> None:
    checked_at: list[float] = []
    began = harness.clock()
    agent = booking(harness, BookingAgent(ends=[Unknown("timed out")]))
    agent.check = lambda: checked_at.append((harness.clock() - began).total_seconds())

    harness.deliver_until_it_ends(*harness.customer_writes("book it"))

    assert len(checked_at) == 1
    assert checked_at[0] >= COMMITTED


def test_after_a_death_a_check_waits_for_the_end_of_the_lease_too(harness: Harness) -> None:
    booking(harness, BookingAgent(ends=[KeyboardInterrupt()], check=lambda: None))
    messages = harness.customer_writes("book it")
    with pytest.raises(KeyboardInterrupt):
        harness.deliver(*messages)

    harness.clock.move(seconds=60 + COMMITTED - 1)
    early = harness.deliver(*messages)
    harness.clock.move(seconds=1)
    in_time = harness.deliver(*messages)

    assert (early.outcome, in_time.outcome) == ("retry", "answered")


def test_an_effect_that_could_not_begin_in_time_is_none(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = booking(harness, BookingAgent())
    begin = ConversationsInMemory.begin_effect

    def slow_begin(*arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- as they are
        begin(*arguments, **named)
        harness.clock.move(seconds=50)

    messages = harness.customer_writes("book it")
    with monkeypatch.context() as patched:
        patched.setattr(ConversationsInMemory, "begin_effect", slow_begin)
        late = harness.deliver(*messages)
    made_late = list(agent.made)
    harness.clock.move(seconds=20)
    answered = harness.deliver(*messages)

    assert (late.outcome, answered.outcome) == ("retry", "answered")
    assert made_late == []
    assert agent.made == ["booking 0"]


def test_a_zombie_cannot_begin_an_effect(harness: Harness) -> None:
    agent = booking(harness, BookingAgent())
    messages = harness.customer_writes("book it")
    agent.while_booking = lambda: harness.conversations.take_over(harness.item.sid, index=None, at=harness.clock())
    agent.bookings = 2

    result = harness.deliver(*messages)

    assert result.outcome == "fenced"
    assert agent.made == ["booking 0"]


def test_the_history_tells_what_was_changed_and_what_nobody_knows(harness: Harness) -> None:
    agent = booking(harness, BookingAgent())
    harness.says("book it")
    agent.ends = [Unknown("timed out")]
    harness.says("another one")
    harness.clock.move(seconds=2)
    harness.conversations.hand_back(harness.item.sid, at=harness.clock())

    harness.says("and?")

    told = [entry.text for entry in agent.questions[-1].history if "called" in entry.text]
    assert told == [
        'The assistant called book with {"try": 1}. It returned "booked 0"',
        'The assistant called book with {"try": 2}. Nobody knows whether it happened.',
    ]


def test_what_a_human_ended_is_told_too(harness: Harness) -> None:
    agent = booking(harness, BookingAgent(errors=[Transient("the model is away")]))
    messages = harness.customer_writes("book it")
    harness.deliver(*messages)
    harness.conversations.take_over(harness.item.sid, index=None, at=harness.clock())
    harness.clock.move(seconds=61)

    result = harness.deliver(*messages)

    assert result.outcome == "refused"
    assert agent.made == ["booking 0"]
    [record] = harness.records
    assert record.effects == ('The assistant called book with {"try": 1}. It returned "booked 0"',)
