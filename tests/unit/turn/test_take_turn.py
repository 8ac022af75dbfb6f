"""The turn protocol, step by step, against fakes at its ports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from switchboard.agent import Answer, Question
from switchboard.author import AuthorRole
from switchboard.conversation import Conversation
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded, Owner
from switchboard.turn.context import Step, TurnPorts
from switchboard.turn.result import TurnResult
from switchboard.turn.take_turn import take_turn
from tests.builders import CONVERSATION, FALLBACK, PLENTY, Clock, from_colleague, message_added, turn_settings
from tests.fakes.conversations import ConversationsInMemory
from tests.fakes.twilio import TwilioInMemory


@dataclass
class EchoAgent:
    """Answers with what it was asked; `raises` comes first, `interrupted_by` happens while it thinks."""

    asked: list[Question] = field(default_factory=list)
    raises: list[Exception] = field(default_factory=list)
    interrupted_by: Callable[[], object] = lambda: None
    says: str = ""
    handoff: bool = False

    def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        self.interrupted_by()
        if self.raises:
            raise self.raises.pop(0)
        return Answer(text=self.says or f"You said: {' | '.join(question.messages)}", handoff=self.handoff)


@dataclass
class DeadLetterList:
    messages: list[MessageAdded] = field(default_factory=list)

    def copy(self, messages: Sequence[MessageAdded]) -> None:
        self.messages += [message for message in messages if message not in self.messages]


class Harness:
    """One conversation's world, and a worker that can be sent in again and again."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.twilio = TwilioInMemory(clock=self.clock)
        self.conversations = ConversationsInMemory()
        self.agent = EchoAgent()
        self.dead_letters = DeadLetterList()
        self.ids = (f"id{number}" for number in count())
        self.dies_at = ""
        self.settings = turn_settings()

    def deliver(self, *messages: MessageAdded, lease_seconds: float = 60) -> TurnResult:
        return take_turn(
            messages,
            lease_until=self.clock() + timedelta(seconds=lease_seconds),
            ports=TurnPorts(
                agent=self.agent,
                conversations=self.conversations,
                takeovers=self.conversations,
                budgets=self.conversations,
                messenger=self.twilio,
                dead_letters=self.dead_letters,
                clock=self.clock,
                observe=self._observe,
            ),
            settings=self.settings,
            new_id=lambda: next(self.ids),
        )

    def say(self, *bodies: str, at: datetime | None = None) -> list[MessageAdded]:
        standing = self.twilio.messages.setdefault(CONVERSATION, [])
        said = [
            message_added(index=len(standing) + n, body=body, at=at or self.clock()) for n, body in enumerate(bodies)
        ]
        self.twilio.has(*said)
        return said

    @property
    def replies(self) -> list[str]:
        return self.twilio.replies(CONVERSATION)

    @property
    def item(self) -> Conversation:
        return self.conversations.items[CONVERSATION]

    def _observe(self, step: Step) -> None:
        if step == self.dies_at:
            self.dies_at = ""
            raise KeyboardInterrupt(step)


@pytest.fixture
def house() -> Harness:
    return Harness()


def test_a_message_is_answered_and_acknowledged(house: Harness) -> None:
    said = house.say("hi")

    outcome = house.deliver(*said)

    assert house.replies == ["You said: hi"]
    assert outcome.outcome == "answered"
    assert outcome.acknowledged == {said[0].message_sid}


def test_an_undisturbed_turn_posts_once_and_lists_nothing(house: Harness) -> None:
    house.deliver(*house.say("hi"))

    assert (house.twilio.posts, house.twilio.lists) == (1, 0)


def test_a_redelivered_message_is_answered_once(house: Harness) -> None:
    said = house.say("hi")
    house.deliver(*said)

    again = house.deliver(*said)

    assert house.replies == ["You said: hi"]
    assert again.outcome == "dropped"
    assert again.acknowledged == {said[0].message_sid}


def test_messages_that_wait_together_are_answered_together_in_order(house: Harness) -> None:
    first, second = house.say("one", "two")

    house.deliver(second, first)

    assert house.replies == ["You said: one | two"]


def test_a_message_whose_webhook_is_late_is_found_in_the_gap_and_its_own_record_dropped(house: Harness) -> None:
    first, second = house.say("one", "two")

    house.deliver(second)
    late = house.deliver(first)

    assert house.replies == ["You said: one | two"]
    assert late.outcome == "dropped"


def test_a_webhook_that_overtakes_two_others_loses_none(house: Harness) -> None:
    first, second, third = house.say("one", "two", "three")
    house.twilio.hidden = {0, 1, 2}
    house.deliver(first)
    house.deliver(third)
    house.twilio.hidden = set()

    house.deliver(second)

    assert house.replies == ["You said: one", "You said: three", "You said: two"]


def test_two_workers_never_work_on_one_conversation(house: Harness) -> None:
    said = house.say("hi")
    second_worker: list[TurnResult] = []
    house.agent.interrupted_by = lambda: second_worker.append(house.deliver(*said))

    house.deliver(*said)

    assert [outcome.outcome for outcome in second_worker] == ["busy"]
    assert house.replies == ["You said: hi"]


def test_a_busy_conversation_costs_no_attempt(house: Harness) -> None:
    said = house.say("hi")
    second_worker: list[TurnResult] = []
    house.agent.interrupted_by = lambda: second_worker.append(house.deliver(*said))
    house.agent.raises = [Transient("the model is away")]

    house.deliver(*said)

    assert second_worker
    assert house.item.attempts == 1


@pytest.mark.parametrize("step", [Step.CLAIM, Step.THINK])
def test_a_crash_before_the_freeze_is_answered_by_the_next_worker_under_the_same_turn(
    house: Harness, step: str
) -> None:
    said = house.say("hi")
    house.dies_at = step
    with pytest.raises(KeyboardInterrupt):
        house.deliver(*said)
    turn = house.item.turn
    house.clock.move(seconds=61)

    house.deliver(*said)

    assert house.replies == ["You said: hi"]
    assert {question.turn for question in house.agent.asked} == {turn}


@pytest.mark.parametrize("step", [Step.FREEZE, Step.SEND, Step.RECORD])
def test_a_crash_after_the_freeze_says_the_frozen_text_once(house: Harness, step: str) -> None:
    said = house.say("hi")
    house.dies_at = step
    with pytest.raises(KeyboardInterrupt):
        house.deliver(*said)
    house.agent.says = "something else"
    house.clock.move(seconds=91)

    outcome = house.deliver(*said)

    assert house.replies == ["You said: hi"]
    assert outcome.acknowledged == {said[0].message_sid}


def test_nobody_looks_for_a_sent_part_before_its_post_must_have_landed(house: Harness) -> None:
    said = house.say("hi")
    house.twilio.ends.append("unseen")

    unknown = house.deliver(*said)
    house.clock.move(seconds=10)
    too_early = house.deliver(*said)

    assert (unknown.outcome, unknown.retry_after_seconds) == ("looking", 30)
    assert (too_early.outcome, too_early.retry_after_seconds) == ("looking", 20)
    assert house.twilio.lists == 0


def test_a_post_whose_answer_was_lost_is_not_repeated_when_the_list_shows_it(house: Harness) -> None:
    said = house.say("hi")
    house.twilio.ends.append("unseen")
    house.deliver(*said)
    house.clock.move(seconds=31)

    house.deliver(*said)

    assert house.twilio.posts == 1
    assert house.replies == ["You said: hi"]


def test_a_part_is_posted_at_most_twice_then_a_human_has_it(house: Harness) -> None:
    said = house.say("hi")
    house.twilio.ends.extend(["lost", "lost", "lost"])

    outcomes = []
    for _ in range(3):
        outcomes.append(house.deliver(*said))
        house.clock.move(seconds=31)

    assert house.twilio.posts == 2
    assert outcomes[-1].outcome == "unsure"
    assert house.item.owner is Owner.HUMAN


def test_a_post_that_never_left_does_not_count_as_one(house: Harness) -> None:
    said = house.say("hi")
    house.twilio.ends.extend(["not_sent", "not_sent", "not_sent"])

    for _ in range(4):
        house.deliver(*said)
        house.clock.move(seconds=31)

    assert house.replies == ["You said: hi"]


def test_a_draft_that_twilio_never_takes_goes_to_a_human_after_twice_the_attempts(house: Harness) -> None:
    said = house.say("hi")
    house.twilio.ends.extend(["not_sent"] * 20)

    outcomes = []
    for _ in range(7):
        outcomes.append(house.deliver(*said).outcome)
        house.clock.move(seconds=31)

    assert outcomes[-1] == "unsure"
    assert house.item.owner is Owner.HUMAN


def test_a_refused_post_is_recorded_with_its_code_and_acknowledged(house: Harness) -> None:
    said = house.say("hi")
    house.twilio.ends.append("refused")

    outcome = house.deliver(*said)

    assert (outcome.outcome, outcome.cause) == ("refused", "twilio_50377")
    assert outcome.acknowledged == {said[0].message_sid}


def test_past_the_last_attempt_the_customer_is_told_the_human_has_it_and_the_records_are_dead_letters(
    house: Harness,
) -> None:
    said = house.say("hi")
    house.agent.raises = [Transient("away")] * 3

    decisions = []
    for _ in range(4):
        decisions.append(house.deliver(*said).outcome)
        house.clock.move(seconds=31)

    assert decisions == ["retry", "retry", "retry", "fell_back"]
    assert house.replies == [FALLBACK]
    assert house.dead_letters.messages == said
    assert house.item.owner is Owner.HUMAN


def test_a_message_that_joined_and_was_not_delivered_again_is_a_dead_letter_too(house: Harness) -> None:
    first, second = house.say("one", "two")
    house.agent.raises = [Transient("away")] * 3
    for _ in range(3):
        house.deliver(first, second)
        house.clock.move(seconds=31)

    house.deliver(first)

    assert [letter.message_sid for letter in house.dead_letters.messages] == [first.message_sid, second.message_sid]


def test_a_turn_is_remembered_once_though_a_message_joins_behind_its_draft(house: Harness) -> None:
    first, second = house.say("one", "two")
    house.twilio.hidden = {first.index}
    house.dies_at = Step.RECORD
    with pytest.raises(KeyboardInterrupt):
        house.deliver(second)
    house.twilio.hidden = set()
    house.clock.move(seconds=121)

    house.deliver(first, second)

    (record,) = house.conversations.records[CONVERSATION].values()
    assert record.message_sids == (second.message_sid,)


def test_a_conversation_that_is_gone_at_twilio_ends_as_refused(house: Harness) -> None:
    second = message_added(index=1, at=house.clock())
    house.twilio.gone = True

    decisions = []
    for _ in range(4):
        decisions.append(house.deliver(second).outcome)
        house.clock.move(seconds=31)

    assert decisions == ["retry", "retry", "retry", "refused"]


def test_an_agent_that_can_never_answer_is_not_asked_again(house: Harness) -> None:
    house.agent.raises = [Permanent("the key is wrong")]

    outcome = house.deliver(*house.say("hi"))

    assert house.replies == [FALLBACK]
    assert len(house.agent.asked) == 1
    assert outcome.cause == "the key is wrong"


def test_an_empty_answer_is_the_fallback_not_silence(house: Harness) -> None:
    house.agent.says = "  \n"

    house.deliver(*house.say("hi"))

    assert house.replies == [FALLBACK]


def test_a_handoff_says_its_sentence_then_the_agent_is_silent(house: Harness) -> None:
    house.agent.handoff = True
    house.deliver(*house.say("a person please"))
    later = house.say("hello?")

    outcome = house.deliver(*later)

    assert len(house.replies) == 1
    assert (outcome.outcome, outcome.cause) == ("refused", "human")


def test_a_takeover_while_the_agent_thinks_silences_it(house: Harness) -> None:
    said = house.say("hi")
    house.agent.interrupted_by = lambda: house.conversations.take_over(CONVERSATION, index=1, at=house.clock())

    fenced = house.deliver(*said)
    gated = house.deliver(*said)

    assert house.replies == []
    assert (fenced.outcome, fenced.acknowledged) == ("fenced", frozenset())
    assert (gated.outcome, gated.cause) == ("refused", "human")


def test_a_close_while_the_agent_thinks_silences_it(house: Harness) -> None:
    said = house.say("hi")
    house.agent.interrupted_by = lambda: house.conversations.close(CONVERSATION, at=house.clock())

    house.deliver(*said)
    gated = house.deliver(*said)

    assert house.replies == []
    assert gated.cause == "closed"


def test_a_draft_frozen_before_a_takeover_is_never_sent_after_it(house: Harness) -> None:
    said = house.say("hi")
    house.dies_at = Step.FREEZE
    with pytest.raises(KeyboardInterrupt):
        house.deliver(*said)
    house.conversations.take_over(CONVERSATION, index=1, at=house.clock())
    house.conversations.hand_back(CONVERSATION, at=house.clock() + timedelta(seconds=1))
    house.clock.move(seconds=91)

    outcome = house.deliver(*said)

    assert house.replies == []
    assert outcome.outcome == "void"


def test_a_colleague_found_in_a_gap_takes_over(house: Harness) -> None:
    house.twilio.has(from_colleague(index=0, at=house.clock()))
    said = message_added(index=1, at=house.clock())
    house.twilio.has(said)

    house.deliver(said)
    outcome = house.deliver(said)

    assert house.replies == []
    assert outcome.cause == "human"


def test_messages_left_to_a_human_wait_for_an_answer_again_after_the_hand_back(house: Harness) -> None:
    house.conversations.take_over(CONVERSATION, index=0, at=house.clock())
    house.twilio.has(from_colleague(index=0))
    said = message_added(index=1, body="still there?", at=house.clock())
    house.twilio.has(said)
    house.deliver(said)

    requeued = house.conversations.hand_back(CONVERSATION, at=house.clock() + timedelta(seconds=5))
    house.deliver(said)

    assert requeued == frozenset({1})
    assert house.replies == ["You said: still there?"]


def test_a_message_that_waited_too_long_goes_to_a_human(house: Harness) -> None:
    said = house.say("hi", at=house.clock() - timedelta(hours=2))

    outcome = house.deliver(*said)

    assert (outcome.outcome, outcome.cause) == ("refused", "too_old")
    assert house.item.owner is Owner.HUMAN


def test_a_duplicate_days_later_is_dropped_before_it_is_too_old(house: Harness) -> None:
    said = house.say("hi")
    house.deliver(*said)
    house.clock.move(seconds=3 * 86_400)

    outcome = house.deliver(*said)

    assert outcome.outcome == "dropped"
    assert house.item.owner is Owner.ASSISTANT


def test_what_stood_in_a_conversation_before_we_saw_it_is_history(house: Harness) -> None:
    house.say("an old question", at=house.clock() - timedelta(days=3))
    (fresh,) = house.say("a new question")

    house.deliver(fresh)

    assert house.replies == ["You said: a new question"]


def test_where_the_table_was_lost_nobody_is_answered_again(house: Harness) -> None:
    house.deliver(*house.say("one"))
    house.conversations = ConversationsInMemory()

    house.deliver(*house.say("two"))

    assert house.replies == ["You said: one", "You said: two"]


def test_a_retry_answers_at_least_the_messages_of_the_first_attempt(house: Harness) -> None:
    first, second = house.say("one", "two")
    house.agent.raises = [Transient("away")]
    house.deliver(first, second)
    house.clock.move(seconds=31)

    house.deliver(first)

    assert house.replies == ["You said: one | two"]


def test_a_customer_whose_budget_is_used_up_reads_so_once_and_the_agent_is_not_asked(house: Harness) -> None:
    house.settings = turn_settings(budget=replace(PLENTY, turns_by_customer=1))

    decisions = [house.deliver(*house.say(body)) for body in ("one", "two", "three")]

    assert house.replies == ["You said: one", "Enough for today."]
    assert [(each.outcome, each.cause) for each in decisions[1:]] == [("refused", "over_budget")] * 2
    assert len(house.agent.asked) == 1
    assert house.item.owner is Owner.ASSISTANT


def test_the_next_day_the_agent_answers_again(house: Harness) -> None:
    house.settings = turn_settings(budget=replace(PLENTY, turns_by_all=1))
    house.deliver(*house.say("one"))
    house.deliver(*house.say("two"))

    house.clock.move(seconds=86_400)
    house.deliver(*house.say("three"))

    assert house.replies == ["You said: one", "Enough for today.", "You said: three"]


def test_a_crash_does_not_tell_a_customer_of_the_limit_twice(house: Harness) -> None:
    house.settings = turn_settings(budget=replace(PLENTY, turns_by_all=0))
    said = house.say("one")
    house.dies_at = Step.SEND
    with pytest.raises(KeyboardInterrupt):
        house.deliver(*said)
    house.clock.move(seconds=91)

    house.deliver(*said)

    assert house.replies == ["Enough for today."]


def test_a_long_reply_goes_out_in_parts_and_in_order(house: Harness) -> None:
    house.agent.says = "word " * 700

    house.deliver(*house.say("tell me everything"))

    assert [len(part) <= 1600 for part in house.replies] == [True, True, True]
    assert " ".join(house.replies) == ("word " * 700).strip()


def test_what_customers_may_write_fits_into_an_item(house: Harness) -> None:
    said = house.say(*["ñ" * 16_000] * 10)

    house.deliver(*said)

    assert len("".join(house.agent.asked[0].messages)) < 100_000
    (record,) = house.conversations.records[CONVERSATION].values()
    assert len("".join(record.said)) <= 20_000


def test_a_takeover_between_two_parts_stops_the_second(house: Harness) -> None:
    house.agent.says = "word " * 400
    said = house.say("tell me everything")
    house.twilio.after_post = lambda: house.conversations.take_over(CONVERSATION, index=9, at=house.clock())

    outcome = house.deliver(*said)

    assert len(house.replies) == 1
    assert outcome.outcome == "fenced"


def test_no_post_starts_without_the_time_to_end_it(house: Harness) -> None:
    said = house.say("hi")
    house.agent.interrupted_by = lambda: house.clock.move(seconds=50)

    outcome = house.deliver(*said)

    assert house.twilio.posts == 0
    assert outcome.outcome == "retry"


def test_the_agent_is_shown_the_earlier_turns(house: Harness) -> None:
    house.deliver(*house.say("my name is Kim"))

    house.deliver(*house.say("what is my name?"))

    (exchange,) = house.agent.asked[1].history
    assert exchange.said == ("my name is Kim",)
    assert exchange.replied == "You said: my name is Kim"


def test_a_file_without_words_is_still_something_said(house: Harness) -> None:
    (said,) = house.say("")
    said = replace(said, media_content_types=("image/png",))

    house.deliver(said)

    assert house.replies == ["You said: [file: image/png]"]


def test_the_last_word_of_a_system_is_no_gap_forever(house: Harness) -> None:
    house.twilio.has(message_added(index=0, author_role=AuthorRole.SYSTEM, author="system", at=house.clock()))
    first = message_added(index=1, at=house.clock())
    house.twilio.has(first)
    house.deliver(first)
    lists = house.twilio.lists

    house.deliver(*house.say("again"))

    assert house.twilio.lists == lists
