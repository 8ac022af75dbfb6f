"""The worker of a web process: what waits in the store is handled, in order, once, and what fails is tried again."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from switchboard.answer_settings import AnswerSettings
from switchboard.channels.channel import Channel
from switchboard.consent_sentences import OPT_OUT
from switchboard.conversation import TurnRecord
from switchboard.cost import facts_of_cost
from switchboard.errors import Permanent, Transient
from switchboard.events import ConversationState, ConversationStateUpdated, Owner, OwnerSet
from switchboard.languages import Language
from switchboard.notices import NoticeType
from switchboard.prices import PriceTable
from switchboard.worker import AFTER_A_FAULT_OF_OURS
from tests.builders import CONVERSATION, NOON, from_human, message_added, sid
from tests.fakes.web_process import InThisThread, WebProcess
from tests.unit.turn.harness import EchoAgent


@pytest.fixture
def process() -> WebProcess:
    return WebProcess(agent=EchoAgent())


def agent_of(process: WebProcess) -> EchoAgent:
    assert isinstance(process.agent, EchoAgent)
    return process.agent


def test_a_text_is_answered_a_second_after_it_came(process: WebProcess) -> None:
    process.writes("hi")
    process.worker.run_due()
    assert process.replies() == []

    process.clock.move(seconds=1)
    process.worker.run_due()

    assert process.replies() == ["You said: hi"]


def test_texts_within_a_second_are_one_turn(process: WebProcess) -> None:
    process.writes("one")
    process.clock.move(seconds=0.9)
    process.writes("two")
    process.run_for(minutes=1)

    assert process.replies() == ["You said: one | two"]


def test_forty_texts_at_once_are_one_turn(process: WebProcess) -> None:
    process.writes(*map(str, range(40)))
    process.run_for(minutes=1)

    assert len(process.replies()) == 1


def test_a_webhook_that_comes_twice_is_answered_once(process: WebProcess) -> None:
    (message,) = process.writes("hi")
    process.accept(message)
    process.run_for(minutes=1)
    process.accept(message)
    process.run_for(minutes=1)

    assert process.replies() == ["You said: hi"]


def test_a_text_whose_webhook_was_lost_is_found_within_a_minute(process: WebProcess) -> None:
    process.run_for(minutes=5)
    process.writes("hi", webhook=False)
    process.run_for(minutes=1.1)

    assert process.replies() == ["You said: hi"]


def test_a_model_that_is_away_is_asked_again_and_after_five_minutes_the_fallback_is_sent(process: WebProcess) -> None:
    agent_of(process).errors += [Transient("away")] * 3
    process.writes("hi")
    process.run_for(minutes=4)
    assert process.replies() == ["You said: hi"]

    agent_of(process).errors += [Transient("away")] * 100
    process.writes("still there?")
    process.run_for(minutes=8)

    assert process.replies()[1:] == [AnswerSettings().fallback_sentence]
    assert [notice.type for notice in process.notices] == [NoticeType.TURN_FAILED]


def test_a_model_that_is_away_for_a_moment_costs_seconds(process: WebProcess) -> None:
    process.run_for(minutes=0.1)  # the next sweep is a minute away
    agent_of(process).errors += [Transient("away")]
    process.writes("hi")
    process.run_for(minutes=0.3)

    assert process.replies() == ["You said: hi"]


def test_what_a_killed_process_had_begun_is_gone_on_with_in_seconds(tmp_path: Path) -> None:
    process = WebProcess(agent=EchoAgent(), file=tmp_path / "store.sqlite")
    process.run_for(minutes=0.1)
    process.writes("hi")
    process.calls.crash_at = process.calls.count + 3  # it has read the inbox and claimed the conversation
    process.run_for(minutes=0.2)

    assert process.crashes == 1
    assert process.replies() == ["You said: hi"]
    process.stop()


def test_a_conversation_has_one_turn_at_a_time(process: WebProcess) -> None:
    begun: list[Callable[[], object]] = []

    class Later(InThisThread):
        def submit[T, **P](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
            begun.append(lambda: fn(*args, **kwargs))
            return Future()

    process.run_for(minutes=0.1)
    process.worker.threads = Later()
    process.writes("one")
    process.clock.move(seconds=2)
    process.worker.run_due()
    process.writes("two")
    process.clock.move(seconds=2)
    process.worker.run_due()

    assert len(begun) == 1
    begun[0]()
    process.clock.move(seconds=2)
    process.worker.run_due()
    assert process.replies() == ["You said: one | two"]


def test_a_human_silences_the_assistant_and_their_hand_back_has_it_answer_what_waits(process: WebProcess) -> None:
    process.writes("hi")
    process.run_for(minutes=1)
    human = from_human(index=2, at=process.clock())
    process.twilio.add(human)
    process.accept(human)
    process.run_for(minutes=1)
    process.writes("are you there?")
    process.run_for(minutes=1)
    assert process.replies() == ["You said: hi"]
    assert [change.owner for change in process.twilio.shown] == [Owner.HUMAN]

    process.accept(OwnerSet(conversation_sid=CONVERSATION, owner=Owner.ASSISTANT, at=process.clock()))
    process.run_for(minutes=1)

    assert process.replies()[1:] == ["You said: are you there?"]
    assert process.twilio.shown[-1].owner is Owner.ASSISTANT
    assert [notice.type for notice in process.notices] == [NoticeType.HANDED_BACK]


def test_a_human_who_writes_while_the_assistant_thinks_keeps_it_from_answering(process: WebProcess) -> None:
    def human_writes() -> None:
        human = from_human(index=1, at=process.clock())
        process.twilio.add(human)
        process.accept(human)
        process.worker.run_due()

    agent_of(process).while_thinking = human_writes
    process.writes("hi")
    process.run_for(minutes=3)

    assert process.replies() == []


def test_an_opt_out_waits_behind_no_turn_that_thinks(process: WebProcess) -> None:
    def customer_stops() -> None:
        process.writes("Please stop texting me")
        process.worker.run_due()

    agent_of(process).while_thinking = customer_stops
    process.writes("hi")
    process.run_for(minutes=3)

    assert process.replies() == [OPT_OUT[Language.ENGLISH]]
    assert len(agent_of(process).questions) == 1


def test_a_handoff_is_told(process: WebProcess) -> None:
    agent_of(process).handoff = True
    process.writes("a human, please")
    process.run_for(minutes=1)

    assert [notice.type for notice in process.notices] == [NoticeType.HUMAN_NEEDED]
    assert [change.owner for change in process.twilio.shown] == [Owner.HUMAN]


def test_a_notice_that_nobody_could_be_told_is_told_by_a_sweep(process: WebProcess) -> None:
    agent_of(process).handoff = True
    told = []

    def fails_once(notice: object) -> None:
        told.append(notice)
        if len(told) == 1:
            raise OSError("no mail today")

    process.worker.on_notice = fails_once
    process.writes("a human, please")
    process.run_for(minutes=2)

    assert len(told) == 2
    assert told[0] == told[1]


def test_a_closed_conversation_gets_no_answer_and_is_told_once(process: WebProcess) -> None:
    closed = ConversationStateUpdated(conversation_sid=CONVERSATION, state=ConversationState.CLOSED, at=NOON)
    process.accept(closed)
    process.run_for(minutes=0.2)
    process.accept(closed)
    process.writes("hi")
    process.run_for(minutes=1)

    assert process.replies() == []
    assert [notice.type for notice in process.notices] == [NoticeType.CONVERSATION_CLOSED]


def test_what_is_too_old_is_a_dead_letter_and_a_redrive_answers_it(process: WebProcess) -> None:
    process.worker.settings = replace(process.settings, max_event_age_minutes=2)
    process.writes("first")
    process.run_for(minutes=1)
    agent_of(process).errors += [Transient("away")] * 100
    (late,) = process.writes("late")
    process.run_for(minutes=0)
    process.clock.move(seconds=180)
    agent_of(process).errors.clear()
    process.run_for(minutes=1)
    assert process.replies() == ["You said: first"]
    assert [letter.message_sid for letter in process.store.dead_letters.all().values()] == [late.message_sid]

    assert process.worker.redrive() == 1
    process.run_for(minutes=1)

    assert process.replies()[1:] == ["You said: late"]
    assert process.worker.redrive() == 0


def test_a_fault_of_ours_is_tried_again_and_the_others_are_answered(process: WebProcess) -> None:
    lifecycle = process.store.lifecycle
    other = sid("CH", 2)
    faults = [KeyError("a fault")]

    class Faulty:
        def __getattr__(self, name: str) -> object:
            return getattr(lifecycle, name)

        def close(self, conversation_sid: str, *, at: object) -> None:
            if conversation_sid == CONVERSATION and faults:
                raise faults.pop()
            lifecycle.close(conversation_sid, at=at)  # type: ignore[arg-type]

    process.worker.store = replace(process.worker.store, lifecycle=Faulty())  # type: ignore[arg-type]
    for conversation_sid in (CONVERSATION, other):
        process.accept(
            ConversationStateUpdated(conversation_sid=conversation_sid, state=ConversationState.CLOSED, at=NOON)
        )
    process.run_for(minutes=0.1)
    assert [notice.conversation_sid for notice in process.notices] == [other]

    process.clock.move(seconds=AFTER_A_FAULT_OF_OURS.total_seconds())
    process.run_for(minutes=0.1)

    assert [notice.conversation_sid for notice in process.notices] == [other, CONVERSATION]


def test_a_hand_back_by_time_is_a_setting(process: WebProcess) -> None:
    process.worker.settings = replace(process.settings, hand_back_after_minutes=10)
    process.writes("hi")
    process.run_for(minutes=0.1)
    human = from_human(index=2, at=process.clock())
    process.twilio.add(human)
    process.accept(human)
    process.run_for(minutes=0.1)
    process.writes("and now?")
    process.run_for(minutes=30)

    assert process.replies() == ["You said: hi", "You said: and now?"]


def test_the_threads_answer_and_stop_when_they_are_told_to(process: WebProcess) -> None:
    answered = Event()
    process.agent = agent = EchoAgent(while_thinking=answered.set)
    process.worker.agent = agent
    process.worker.threads = ThreadPoolExecutor(2)
    process.worker.start()
    process.worker.settings = replace(process.settings, coalesce_seconds=0)

    process.worker.accept(message_added(body="hi"))
    assert answered.wait(10)
    process.worker.stop()

    assert process.replies() == ["You said: hi"]
    assert not process.worker.store.messages.due_at()


def test_an_agent_that_gives_up_is_not_asked_again(process: WebProcess) -> None:
    agent_of(process).errors += [Permanent("no")]
    process.writes("hi")
    process.run_for(minutes=1)

    assert process.replies() == [AnswerSettings().fallback_sentence]
    assert len(agent_of(process).questions) == 1
    assert timedelta(minutes=5) == process.settings.for_turns().answer_within


def test_what_a_reply_cost_is_kept_in_the_file_and_is_on_the_log_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prices = PriceTable(currency="USD", sms={"+1": Decimal("0.0083")})
    settings = AnswerSettings(disclosure_sentence="off", prices=prices)
    process = WebProcess(agent=EchoAgent(), file=tmp_path / "store.sqlite", settings=settings)
    caplog.set_level(logging.INFO, "switchboard")

    process.writes("hi")
    process.run_for(minutes=1)
    process.stop()
    process.start()  # another process, on the same file

    (record,) = process.store.turns.history(CONVERSATION).items
    (logged,) = [each for each in caplog.records if "answered" in each.getMessage()]
    assert isinstance(record, TurnRecord)
    assert record.cost == prices.cost(Channel.SMS, "+12025550110", ["You said: hi"])
    assert vars(logged).items() >= facts_of_cost(record.cost).items()
    process.stop()


def test_what_goes_wrong_is_logged_as_a_warning_and_says_why(
    process: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    agent_of(process).errors += [Transient("T: the model is away"), Permanent("T: no such order")]
    process.writes("hi")
    process.run_for(minutes=1)

    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == [
        f"{CONVERSATION}: retry: T: the model is away",
        f"{CONVERSATION}: fell_back: T: no such order",
    ]


def test_an_answer_is_no_warning(process: WebProcess, caplog: pytest.LogCaptureFixture) -> None:
    process.writes("hi")
    process.run_for(minutes=1)

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def restarted_without_its_store(process: WebProcess) -> None:
    process.stop()
    process.start()


def test_a_handoff_outlives_a_store_in_memory(process: WebProcess) -> None:
    agent_of(process).handoff = True
    process.writes("a human, please")
    process.run_for(minutes=1)
    agent_of(process).handoff = False

    restarted_without_its_store(process)
    process.writes("hello?")
    process.run_for(minutes=5)

    assert process.replies() == ["You said: a human, please"]


def test_a_failure_does_not_silence_an_assistant_whose_store_is_new(process: WebProcess) -> None:
    agent_of(process).errors += [Permanent("no")]
    process.writes("first")
    process.run_for(minutes=1)

    restarted_without_its_store(process)
    process.writes("second")
    process.run_for(minutes=1)

    assert process.replies()[1:] == ["You said: second"]
