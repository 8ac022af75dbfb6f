"""A bad minute costs a minute: outages by virtual time, and what the customer reads once they are over."""

from datetime import timedelta

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from switchboard.conversation import OwnerReason
from switchboard.errors import ModelMisconfigured, Permanent, Transient
from switchboard.events import MessageAdded, Owner
from switchboard.turn.context import Step
from tests.assistants import KNOWLEDGE, answering, question
from tests.builders import CONVERSATION, FALLBACK, from_human
from tests.fakes.twilio import PostEnd
from tests.unit.turn.harness import Harness


def twilio_is_away(harness: Harness, *, seconds: float, end: PostEnd) -> None:
    harness.twilio.outage_until = harness.clock() + timedelta(seconds=seconds)
    harness.twilio.outage_end = end


def model_is_away(harness: Harness, *, seconds: float, error: Transient | None = None) -> None:
    """Let the model fail until then."""
    until = harness.clock() + timedelta(seconds=seconds)

    def fail_until_then() -> None:
        if harness.clock() < until:
            raise error or Transient("the model is away")

    harness.agent.while_thinking = fail_until_then


def answered(*messages: MessageAdded) -> str:
    return f"You said: {' | '.join(message.body for message in messages)}"


@pytest.mark.parametrize(
    ("seconds", "end"), [(62, "not_sent"), (80, "request_lost"), (280, "not_sent"), (900, "not_sent")]
)
def test_a_reply_that_twilio_does_not_take_for_a_while_is_sent_once_it_does(
    harness: Harness, seconds: float, end: PostEnd
) -> None:
    twilio_is_away(harness, seconds=seconds, end=end)
    messages = harness.customer_writes("hi")

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == [answered(*messages)]
    assert harness.item.owner is Owner.ASSISTANT


@pytest.mark.parametrize("minutes", [3, 11, 43, 54])
def test_after_an_outage_with_posts_of_unknown_fate_the_reply_comes_within_six_minutes(
    harness: Harness, minutes: float
) -> None:
    twilio_is_away(harness, seconds=60 * minutes, end="request_lost")
    messages = harness.customer_writes("hi")

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == [answered(*messages)]
    assert harness.clock() - harness.twilio.outage_until <= timedelta(minutes=6)


@pytest.mark.parametrize("seconds", [1, 4, 60, 120, 290])
def test_a_customer_who_wrote_while_the_model_was_away_is_answered_after_it(harness: Harness, seconds: float) -> None:
    model_is_away(harness, seconds=seconds)
    messages = harness.customer_writes("hi")

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == [answered(*messages)]
    assert harness.item.owner is Owner.ASSISTANT
    assert harness.item.attempts == 0


def test_a_model_that_is_throttled_three_times_costs_no_attempt(harness: Harness) -> None:
    harness.agent.errors = [Transient("the model answered 429") for _ in range(3)]
    messages = harness.customer_writes("hi")

    results = harness.deliver_until_it_ends(*messages)

    assert [result.outcome for result in results] == ["retry", "retry", "retry", "answered"]
    assert harness.replies == [answered(*messages)]
    assert harness.item.owner is Owner.ASSISTANT


def test_who_wrote_while_the_model_refused_our_key_is_answered_once_it_is_mended(harness: Harness) -> None:
    model_is_away(harness, seconds=120, error=ModelMisconfigured("the model refuses our key"))
    messages = harness.customer_writes("one")
    refused = harness.deliver(*messages)
    harness.clock.move(seconds=60)
    messages += harness.customer_writes("two")

    harness.deliver_until_it_ends(*messages)

    assert refused.outcome == "model_refused_us"
    assert harness.replies == [answered(*messages)]
    assert harness.item.owner is Owner.ASSISTANT


def test_a_tool_that_times_out_twice_delays_the_one_reply(harness: Harness) -> None:
    time_outs = [TimeoutError(), TimeoutError()]

    def look_up() -> str:
        """Look something up."""
        if time_outs:
            raise time_outs.pop()
        return "found"

    async def call_the_tool_first(asked: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("look_up", {}) if len(asked) == 1 else TextPart("found")])

    declared = Agent(deps_type=Deps, output_type=[str, HANDOFF], tools=[look_up])
    messages = harness.customer_writes("where is it?")
    assistant = Assistant(agent=declared, knowledge=Knowledge(KNOWLEDGE))
    with answering(assistant, FunctionModel(call_the_tool_first)) as agent:
        harness.agent.while_thinking = lambda: agent.answer(question("where is it?"))
        results = harness.deliver_until_it_ends(*messages)

    assert [result.outcome for result in results] == ["retry", "retry", "answered"]
    assert harness.replies == [answered(*messages)]


@pytest.mark.parametrize("together", [False, True])
def test_after_a_message_that_came_61_minutes_late_a_fresh_one_is_answered(harness: Harness, *, together: bool) -> None:
    late = harness.customer_writes("late")
    harness.clock.move(seconds=61 * 60)
    refused = [] if together else [harness.deliver(*late)]
    fresh = harness.customer_writes("fresh")

    result = harness.deliver(*(late if together else []), *fresh)

    assert [(each.outcome, each.cause) for each in refused] == ([] if together else [("refused", "too_old")])
    assert result.outcome == "answered"
    assert harness.replies == [answered(*(late if together else []), *fresh)]
    assert harness.item.owner is Owner.ASSISTANT


def test_a_customer_who_writes_all_through_an_hour_without_a_model_reads_one_apology(harness: Harness) -> None:
    model_is_away(harness, seconds=3600)
    end = harness.clock() + timedelta(hours=1)

    while harness.clock() < end:
        harness.deliver_until_it_ends(*harness.customer_writes("are you there?"))
        harness.clock.move(seconds=60)
    harness.deliver_until_it_ends(*harness.customer_writes("hello?"))

    assert harness.replies[0] == FALLBACK
    assert harness.replies.count(FALLBACK) == 1
    assert harness.replies[-1] == "You said: hello?"
    assert harness.item.owner is Owner.ASSISTANT


def test_after_a_failure_the_next_message_is_answered_and_the_assistant_sees_what_went_unanswered(
    harness: Harness,
) -> None:
    harness.agent.errors = [Permanent("a bug in a tool")]
    harness.deliver(*harness.customer_writes("one"))
    assert harness.item.owner_reason is OwnerReason.FAILURE

    harness.deliver(*harness.customer_writes("two"))

    assert harness.replies == [FALLBACK, "You said: two"]
    assert harness.item.owner is Owner.ASSISTANT
    assert harness.history() == [
        ("customer", "one"),
        ("notice", FALLBACK),
        ("mark", "No answer (the assistant failed)."),
    ]


def test_after_a_human_spoke_a_failure_gives_nothing_back(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug in a tool")]
    harness.deliver(*harness.customer_writes("one"))
    human = from_human(index=2, at=harness.clock() + timedelta(seconds=1))
    harness.twilio.add(human)
    harness.conversations.take_over(CONVERSATION, index=human.index, at=human.at)

    harness.deliver(*harness.customer_writes("two"))

    assert harness.replies == [FALLBACK]
    assert harness.item.owner_reason is OwnerReason.MESSAGE


def test_a_failure_never_takes_a_conversation_from_a_human_who_spoke_while_it_was_sent(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug in a tool")]
    harness.twilio.after_post = lambda: harness.conversations.take_over(CONVERSATION, index=5, at=harness.clock())
    messages = harness.customer_writes("one")
    fenced = harness.deliver(*messages)
    harness.twilio.after_post = lambda: None
    harness.clock.move(seconds=121)

    settled = harness.deliver(*messages)

    assert (fenced.outcome, settled.outcome) == ("fenced", "fell_back")
    assert harness.item.owner_reason is OwnerReason.MESSAGE
    harness.deliver(*harness.customer_writes("two"))
    assert harness.replies == [FALLBACK]


def test_a_humans_word_that_is_applied_late_counts_although_a_failure_was_settled_after_it(harness: Harness) -> None:
    spoken_at = harness.clock()
    harness.clock.move(seconds=1)
    harness.agent.errors = [Permanent("a bug in a tool")]
    harness.deliver(*harness.customer_writes("one"))

    harness.conversations.take_over(CONVERSATION, index=1, at=spoken_at)

    assert harness.item.owner_reason is OwnerReason.MESSAGE


def test_a_lost_webhook_while_the_assistant_thinks_is_found_before_its_next_answer(harness: Harness) -> None:
    cancel = harness.customer_writes("Cancel order 17")
    lost: list[MessageAdded] = []
    harness.agent.while_thinking = lambda: lost.extend(harness.customer_writes("No wait, do NOT")) if not lost else None
    harness.deliver(*cancel)

    clear = harness.customer_writes("Is that clear?")
    harness.deliver(*clear)

    assert harness.replies == [answered(*cancel), answered(*lost, *clear)]


def test_a_humans_message_whose_webhook_was_lost_while_the_assistant_thought_silences_it(harness: Harness) -> None:
    first = harness.customer_writes("hi")
    human = from_human(index=1, at=harness.clock())
    harness.agent.while_thinking = lambda: harness.twilio.add(human) if human not in harness.messages else None
    harness.deliver(*first)
    harness.agent.while_thinking = lambda: None

    second = harness.customer_writes("and?")
    harness.deliver(*second)
    harness.deliver(*second)

    assert harness.replies == [answered(*first)]
    assert harness.item.owner_reason is OwnerReason.MESSAGE


def test_a_list_that_twilio_does_not_answer_delays_a_turn_and_does_not_stop_it(harness: Harness) -> None:
    harness.customer_writes("lost")
    second = harness.customer_writes("two")
    twilio_is_away(harness, seconds=900, end="not_sent")

    results = harness.deliver_until_it_ends(*second)

    assert results[-1].outcome == "answered"
    assert harness.replies == [answered(*second)]


def test_a_handoff_whose_sentence_never_left_is_still_a_handoff(harness: Harness) -> None:
    twilio_is_away(harness, seconds=3 * 3600, end="not_sent")
    harness.agent.handoff = True

    results = harness.deliver_until_it_ends(*harness.customer_writes("I want a human"))

    assert results[-1].outcome == "expired"
    assert harness.item.owner_reason is OwnerReason.HANDOFF


def test_a_message_that_its_customer_deleted_after_a_crash_holds_up_nobody(harness: Harness) -> None:
    (first,) = harness.customer_writes("one")
    harness.deliver(first)
    (deleted,) = harness.customer_writes("two")
    harness.deliver_and_crash(deleted, after=Step.CLAIM)
    harness.twilio.messages[CONVERSATION].remove(deleted)
    harness.clock.move(seconds=300)

    ended = harness.deliver_until_it_ends(first)[-1]
    harness.deliver(*harness.customer_writes("three"))

    assert (ended.outcome, ended.cause) == ("fell_back", "Twilio lists no message of this turn")
    assert harness.replies == ["You said: one", FALLBACK, "You said: three"]
    assert harness.item.owner is Owner.ASSISTANT


def test_a_message_that_the_look_for_a_reply_showed_is_answered_with_the_next_though_its_webhook_is_lost(
    harness: Harness,
) -> None:
    first = harness.customer_writes("one")
    harness.deliver_and_crash(*first, after=Step.FREEZE)
    harness.customer_writes("Cancel order 17")
    harness.clock.move(seconds=200)
    harness.deliver_until_it_ends(*first)

    harness.deliver(*harness.customer_writes("No wait, do NOT"))

    assert harness.replies == ["You said: one", "You said: Cancel order 17 | No wait, do NOT"]
