"""Think: the agent is asked, within the budgets and the attempts."""

from dataclasses import replace

import pytest

from switchboard.conversation import OwnerReason
from switchboard.customers import key_of
from switchboard.disclosure import Disclosure
from switchboard.errors import ModelMisconfigured, Permanent
from switchboard.events import Owner
from switchboard.languages import Language
from switchboard.media import Media
from switchboard.turn.context import Step
from switchboard.turn.timing import MIN_LEASE_FOR_FREEZE, MIN_LEASE_FOR_SEND
from tests.builders import CONVERSATION, FALLBACK, PLENTY, turn_settings
from tests.unit.turn.harness import Harness


def test_the_agent_gets_the_time_that_freeze_and_send_do_not_need(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("hi"))

    time_left = 60 - MIN_LEASE_FOR_SEND.total_seconds() - MIN_LEASE_FOR_FREEZE.total_seconds()
    assert [question.timeout_seconds for question in harness.agent.questions] == [time_left]


def test_where_another_conversation_waits_the_agent_gets_less_time_and_the_send_as_much(harness: Harness) -> None:
    harness.done_within_seconds = 30

    result = harness.deliver(*harness.customer_writes("hi"))

    time_left = 30 - MIN_LEASE_FOR_SEND.total_seconds() - MIN_LEASE_FOR_FREEZE.total_seconds()
    assert [question.timeout_seconds for question in harness.agent.questions] == [time_left]
    assert result.outcome == "answered"


def test_after_the_last_attempt_the_customer_reads_the_fallback_and_a_human_is_the_owner(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash_repeatedly(*messages, after=Step.THINK, times=3)

    result = harness.deliver(*messages)

    assert result.outcome == "fell_back"
    assert harness.replies == [FALLBACK]
    assert (harness.item.owner, harness.item.owner_reason) == (Owner.HUMAN, OwnerReason.FAILURE)


def test_an_agent_that_can_never_answer_is_not_asked_again(harness: Harness) -> None:
    harness.agent.errors = [Permanent("the key is wrong")]

    result = harness.deliver(*harness.customer_writes("hi"))

    assert harness.replies == [FALLBACK]
    assert len(harness.agent.questions) == 1
    assert result.cause == "the key is wrong"


def test_a_model_that_refuses_us_is_counted_under_its_own_name_and_the_turn_goes_on_later(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.agent.errors = [ModelMisconfigured("the model refuses us; look at ASSISTANT_MODEL")]

    refused, answered = harness.deliver_repeatedly(*messages, times=2)

    assert (refused.outcome, refused.cause) == ("model_refused_us", "the model refuses us; look at ASSISTANT_MODEL")
    assert refused.acknowledged == frozenset()
    assert refused.retry_after_seconds > 0
    assert answered.outcome == "answered"
    assert harness.replies == ["You said: hi"]


def test_after_empty_answers_the_agent_is_asked_again(harness: Harness) -> None:
    empty = ["", "  \n"]
    harness.agent.texts = empty

    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert harness.replies == ["You said: hi"]
    assert len(harness.agent.questions) == 3


def test_a_customer_whose_budget_is_used_up_reads_the_limit_sentence_once(harness: Harness) -> None:
    harness.settings = turn_settings(budget=replace(PLENTY, turns_by_customer=1))

    results = [harness.deliver(*harness.customer_writes(body)) for body in ("one", "two", "three")]

    assert harness.replies == ["You said: one", "Enough for today."]
    assert [(result.outcome, result.cause) for result in results[1:]] == [("refused", "over_budget")] * 2
    assert len(harness.agent.questions) == 1
    assert harness.item.owner is Owner.ASSISTANT


def test_a_used_up_budget_is_full_again_the_next_day(harness: Harness) -> None:
    harness.settings = turn_settings(budget=replace(PLENTY, turns_by_all=1))
    harness.deliver(*harness.customer_writes("one"))
    harness.deliver(*harness.customer_writes("two"))

    harness.clock.move(seconds=86_400)
    harness.deliver(*harness.customer_writes("three"))

    assert harness.replies == ["You said: one", "Enough for today.", "You said: three"]


def test_a_crash_does_not_send_the_limit_sentence_twice(harness: Harness) -> None:
    harness.settings = turn_settings(budget=replace(PLENTY, turns_by_all=0))
    messages = harness.customer_writes("one")
    harness.deliver_and_crash(*messages, after=Step.SEND)
    harness.clock.move(seconds=91)

    harness.deliver(*messages)

    assert harness.replies == ["Enough for today."]


def test_an_assistant_that_decides_to_say_nothing_ends_the_turn_without_a_word(harness: Harness) -> None:
    harness.agent.no_reply = True
    messages = harness.customer_writes("thanks!")

    result = harness.deliver(*messages)

    assert (result.outcome, result.cause, result.messages) == ("refused", "no_reply", 1)
    assert result.acknowledged == {messages[0].message_sid}
    assert harness.twilio.messages[CONVERSATION] == messages
    assert (harness.records[-1].rule, harness.records[-1].said) == ("no_reply", ("thanks!",))
    assert harness.item.owner is Owner.ASSISTANT


def test_what_the_assistant_was_asked_counts_in_the_budgets_also_where_it_says_nothing(harness: Harness) -> None:
    harness.settings = turn_settings(budget=replace(PLENTY, turns_by_customer=1))
    harness.agent.no_reply = True
    harness.deliver(*harness.customer_writes("thanks!"))

    harness.deliver(*harness.customer_writes("and?"))

    assert harness.replies == ["Enough for today."]


def test_saying_nothing_ends_no_failure(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug")]
    harness.deliver(*harness.customer_writes("hi"))
    harness.agent.no_reply = True

    harness.deliver(*harness.customer_writes("thanks!"))

    assert harness.item.owner_reason is OwnerReason.FAILURE


def test_a_worker_that_dies_before_it_records_the_silence_leaves_it_to_the_next(harness: Harness) -> None:
    harness.agent.no_reply = True
    messages = harness.customer_writes("thanks!")
    harness.deliver_and_crash(*messages, after=Step.THINK)
    harness.clock.move(seconds=91)

    result = harness.deliver(*messages)

    assert (result.cause, len(harness.records)) == ("no_reply", 1)
    assert harness.agent.questions[0].turn == harness.agent.questions[1].turn


@pytest.mark.parametrize(("author", "expected"), [("whatsapp:+12025550110", 1_500), ("+12025550110", None)])
def test_an_answer_by_whatsapp_should_be_one_message(harness: Harness, author: str, expected: int | None) -> None:
    [message] = harness.customer_writes("hi")

    harness.deliver(replace(message, author=author))

    [question] = harness.agent.questions
    assert question.max_characters == expected


def test_the_disclosure_has_its_place_in_the_one_message(harness: Harness) -> None:
    harness.settings = replace(turn_settings(), disclosure=Disclosure(sentences={Language.ENGLISH: "I am a machine."}))
    [message] = harness.customer_writes("hi")

    harness.deliver(replace(message, author="whatsapp:+12025550110"))

    [question] = harness.agent.questions
    assert question.max_characters == 1_500 - len("I am a machine.")


def test_a_question_tells_keys_files_and_the_time_and_the_address_without_its_channel(harness: Harness) -> None:
    [message] = harness.customer_writes("hi")
    picture = Media(content_type="image/jpeg", size=42_056, sid="ME" + "0" * 31 + "1")
    photo = replace(message, author="whatsapp:+12025550110", media=(picture,))

    harness.deliver(photo)

    [question] = harness.agent.questions
    assert question.conversation == CONVERSATION
    assert question.customer == key_of("+12025550110", secret=b"secret")
    assert question.address == "+12025550110"
    assert question.media == (picture,)
    assert question.now == harness.clock()
    assert "+12025550110" not in repr(question)
