"""A web process that is killed at any call of its store or of Twilio loses nothing and says nothing twice."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from switchboard.agent import Agent, Answer, Question
from switchboard.answer_settings import AnswerSettings
from switchboard.stores import sqlite
from tests.fakes.twilio import PostEnd
from tests.fakes.web_process import WebProcess
from tests.simulation.invariants import DISCLOSURE
from tests.unit.turn.harness import EchoAgent

type Story = Callable[[WebProcess], None]
FIRST, SECOND = "first question", "second question"


def two_texts_with_a_pause(process: WebProcess) -> None:
    process.writes(FIRST)
    process.run_for(minutes=0.5)
    process.writes(SECOND)
    process.run_for(minutes=5)


def two_texts_at_once(process: WebProcess) -> None:
    process.writes(FIRST, SECOND)
    process.run_for(minutes=5)


def a_webhook_that_is_lost(process: WebProcess) -> None:
    process.writes(FIRST)
    process.writes(SECOND, webhook=False)
    process.run_for(minutes=5)


def the_same_webhook_twice(process: WebProcess) -> None:
    first, second = process.writes(FIRST, SECOND)
    process.accept(first)
    process.run_for(minutes=1)
    process.accept(second)
    process.run_for(minutes=5)


STORIES = (two_texts_with_a_pause, two_texts_at_once, a_webhook_that_is_lost, the_same_webhook_twice)


def run(
    story: Story, file: Path | None, *, post_end: PostEnd, crash_at: int | None = None, agent: Agent | None = None
) -> WebProcess:
    settings = AnswerSettings(disclosure_sentence=DISCLOSURE)
    process = WebProcess(agent=agent or EchoAgent(), file=file, settings=settings)
    process.twilio.post_ends.append(post_end)
    process.calls.crash_at = crash_at
    story(process)
    process.stop()
    return process


@pytest.fixture(autouse=True)
def files_without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost without it is lost with the machine, not with the process."""
    monkeypatch.setattr(sqlite, "PRAGMAS", (*sqlite.PRAGMAS[:-1], "synchronous = OFF"))


RUNS = [
    *product((two_texts_with_a_pause,), ("sent", "response_lost", "not_sent", "request_lost")),
    (two_texts_at_once, "response_lost"),
    (a_webhook_that_is_lost, "sent"),
    (the_same_webhook_twice, "sent"),
]


@pytest.mark.parametrize(("story", "post_end"), RUNS)
def test_each_text_is_answered_once_wherever_the_process_is_killed(
    story: Story, post_end: PostEnd, tmp_path: Path
) -> None:
    calls = run(story, tmp_path / "whole.sqlite", post_end=post_end).calls.count

    for crash_at in range(1, calls + 1):
        process = run(story, tmp_path / f"{crash_at}.sqlite", post_end=post_end, crash_at=crash_at)

        said = " ".join(process.replies())
        assert process.crashes == 1
        assert (said.count(FIRST), said.count(SECOND)) == (1, 1), f"killed before call {crash_at}: {said}"
        assert said.startswith(DISCLOSURE)
        assert said.count(DISCLOSURE) == 1, f"killed before call {crash_at}: {said}"


@dataclass
class Booker:
    """Books whatever it is asked, and says so. With `has_check` it can tell later whether it did."""

    has_check: bool
    booked: Counter[str] = field(default_factory=Counter)

    def answer(self, question: Question) -> Answer:
        assert question.effects is not None
        book, check = partial(self._book, question.turn), partial(self._check, question.turn)
        result = question.effects.run_once(
            "book", 0, arguments="{}", so_far="booking", run=book, check=check if self.has_check else None
        )
        return Answer(text=f"{' | '.join(question.messages)}: {json.loads(result)}")

    def _book(self, turn: str) -> str:
        self.booked[turn] += 1
        return json.dumps("booked")

    def _check(self, turn: str) -> str | None:
        return json.dumps("booked") if self.booked[turn] else None


@pytest.mark.parametrize("has_check", [True, False])
def test_a_booking_is_made_once_wherever_the_process_is_killed(tmp_path: Path, *, has_check: bool) -> None:
    def one_text(process: WebProcess) -> None:
        process.writes(FIRST)
        process.run_for(minutes=5)

    calls = run(one_text, tmp_path / "whole.sqlite", post_end="sent", agent=Booker(has_check)).calls.count
    handed_over = 0

    for crash_at in range(1, calls + 1):
        booker = Booker(has_check)
        process = run(one_text, tmp_path / f"{crash_at}.sqlite", post_end="sent", crash_at=crash_at, agent=booker)

        said = " ".join(process.replies())
        assert process.crashes == 1
        assert said.count(FIRST) == 1, f"killed before call {crash_at}: {said}"
        assert max(booker.booked.values(), default=0) <= 1, f"killed before call {crash_at}: {booker.booked}"
        handed_over += "Nobody knows" in said
        assert ("booked" in said) == (booker.booked.total() == 1 and "Nobody knows" not in said)

    assert handed_over == (0 if has_check else 1)  # killed after it was booked, before its result was kept


@pytest.mark.parametrize("story", STORIES[:3])  # a webhook that is repeated after a crash is new to this store
def test_a_store_in_memory_loses_no_text_and_answers_none_again_that_twilio_shows_as_answered(story: Story) -> None:
    calls = run(story, None, post_end="sent").calls.count

    for crash_at in range(1, calls + 1):
        said = " ".join(run(story, None, post_end="sent", crash_at=crash_at).replies())

        assert (said.count(FIRST), said.count(SECOND)) == (1, 1), f"killed before call {crash_at}: {said}"
