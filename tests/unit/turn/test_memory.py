"""What the assistant remembers: the summary, what came after it, and what the customer said in other conversations."""

from collections.abc import MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.agent import Answer, EntryRole, Question
from switchboard.author import AuthorRole
from switchboard.conversation import notes_of
from switchboard.customers import key_of
from switchboard.errors import Permanent, Transient
from switchboard.events import Owner
from switchboard.memory import Memory, MemoryMode, extract
from switchboard.tokens import CUT, MAX_QUESTION_TOKENS, MAX_SUMMARY_TOKENS, estimate_tokens
from switchboard.turn.context import Step
from switchboard.turn.history import HANDED_OVER_AND_BACK
from tests.builders import CONVERSATION, message_added, sid, turn_settings
from tests.unit.turn.harness import EchoAgent, Harness
from tests.unit.turn.test_history import set_owner

SHORT = Memory(due_items=3, kept_items=2, max_items=5)
CUSTOMER = key_of("+12025550110", secret=b"secret")


def remembering(memory: Memory = SHORT) -> Harness:
    harness = Harness()
    harness.settings = turn_settings(memory=memory)
    return harness


def say(harness: Harness, *texts: str) -> None:
    """Let the customer write these texts, each in a turn of its own, so far apart that it is no loop."""
    for text in texts:
        harness.clock.move(seconds=120)
        harness.deliver(*harness.customer_writes(text))


def customers_words(harness: Harness) -> list[str]:
    return [text for role, text in harness.history() if role == "customer"]


def test_older_turns_are_replaced_by_the_agents_summary_and_the_newest_stay() -> None:
    harness = remembering()
    say(harness, "one", "two", "three", "four")
    harness.agent.summary = "They counted to two."
    say(harness, "five")

    asked = harness.agent.questions[-1]
    assert [entry.text for entry in asked.to_summarize if entry.role is EntryRole.CUSTOMER] == ["one", "two"]
    assert customers_words(harness) == ["one", "two", "three", "four"], "nothing is left out before it is summarised"
    harness.agent.summary = ""
    say(harness, "six")

    assert harness.history()[0] == ("summary", "They counted to two.")
    assert customers_words(harness) == ["three", "four", "five"]


def test_the_next_summary_is_made_of_the_last_one_and_of_what_came_since() -> None:
    harness = remembering()
    harness.agent.summary = "first"
    say(harness, "one", "two", "three", "four", "five")
    harness.agent.summary = "second"

    say(harness, "six", "seven")

    last_one = harness.agent.questions[-1].to_summarize[0]
    assert (last_one.role, last_one.text) == (EntryRole.SUMMARY, "first")
    say(harness, "eight")
    assert harness.history()[0] == ("summary", "second")


def test_an_agent_that_gives_no_summary_is_asked_again_and_in_the_end_a_rule_makes_it() -> None:
    harness = remembering()

    say(harness, "one", "two", "three", "four", "five", "six", "seven")
    assert [bool(asked.to_summarize) for asked in harness.agent.questions] == [*[False] * 4, True, True, True]
    say(harness, "eight")

    assert harness.history()[0] == (
        "summary",
        "\n".join(
            f"{who}{text}"
            for text in ("one", "two", "three", "four")
            for who in ("Customer: ", "Assistant: You said: ")
        ),
    )
    assert customers_words(harness) == ["five", "six", "seven"]


@pytest.mark.parametrize("error", [Permanent("no"), Transient("later")])
def test_a_turn_that_fails_while_a_summary_is_due_ends_as_any_other_and_loses_nothing(error: Exception) -> None:
    harness = remembering()
    say(harness, "one", "two", "three", "four")
    harness.agent.errors = [error]
    harness.agent.summary = "They counted."
    say(harness, "five")
    assert not harness.conversations.summaries

    say(harness, "six", "seven")

    assert harness.history()[0] == ("summary", "They counted.")


@pytest.mark.parametrize("step", [Step.CLAIM, Step.THINK, Step.FREEZE, Step.SEND, Step.RECORD])
def test_a_worker_that_dies_leaves_a_whole_summary_or_none(step: Step) -> None:
    harness = remembering()
    say(harness, "one", "two", "three", "four")
    harness.agent.summary = "by the first"
    message = harness.customer_writes("five")
    harness.deliver_and_crash(*message, after=step)
    harness.clock.move(seconds=121)
    harness.agent.summary = "by the second"
    harness.deliver(*message)

    is_frozen = step in {Step.FREEZE, Step.SEND, Step.RECORD}
    assert harness.conversations.summaries[CONVERSATION].text == ("by the first" if is_frozen else "by the second")


def test_a_worker_whose_fencing_token_was_raised_writes_no_summary() -> None:
    harness = remembering()
    say(harness, "one", "two", "three", "four")
    harness.agent.summary = "by a zombie"
    harness.agent.while_thinking = lambda: harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    say(harness, "five")

    assert not harness.conversations.summaries


def test_a_summary_of_any_length_is_cut_and_the_prompt_stays_bounded() -> None:
    harness = remembering()
    harness.agent.summary = "long " * 10_000
    say(harness, "one", "two", "three", "four", "five")

    harness.clock.move(seconds=120)
    harness.deliver(*harness.customer_writes(*[f"{number} {'漢' * 1_500}" for number in range(10)]))

    assert estimate_tokens(harness.conversations.summaries[CONVERSATION].text) <= MAX_SUMMARY_TOKENS
    question = harness.agent.questions[-1]
    assert question.history[0].text.endswith(CUT)
    texts = [*question.messages, *(entry.text for entry in question.history)]
    assert sum(map(estimate_tokens, texts)) <= MAX_QUESTION_TOKENS


def test_a_summary_is_due_by_tokens_too() -> None:
    harness = remembering(Memory())
    harness.agent.summary = "They wrote much."
    say(harness, *(f"{number} {'x' * 3_000}" for number in range(9)))

    assert harness.history()[0] == ("summary", "They wrote much.")


def test_a_humans_word_that_comes_late_to_a_gap_below_the_summary_is_shown() -> None:
    harness = remembering()
    harness.agent.summary = "They counted."
    say(harness, "one")
    gap = len(harness.messages)
    late = message_added(index=gap, body="7", author_role=AuthorRole.HUMAN, author="robin", at=harness.clock())
    hidden = message_added(index=gap, author_role=AuthorRole.ASSISTANT, author="switchboard", at=harness.clock())
    harness.twilio.add(hidden)  # its number is taken
    harness.messages.remove(hidden)
    for number, text in enumerate(["two", "three", "four", "five", "six"]):
        harness.clock.move(seconds=120)
        message = message_added(index=gap + 1 + 2 * number, body=text, at=harness.clock())
        harness.twilio.add(message)
        harness.deliver(message)
    assert gap in harness.conversations.summaries[CONVERSATION].gaps

    harness.conversations.keep_notes(CONVERSATION, notes_of([late]))
    harness.clock.move(seconds=120)
    harness.deliver(message_added(index=gap + 11, body="seven", at=harness.clock()))

    assert ("human", "7") in harness.history()
    assert "one" not in customers_words(harness)


def test_a_turn_reads_the_history_from_the_last_turn_in_the_summary_on() -> None:
    harness = remembering()
    harness.agent.summary = "They counted."
    say(harness, *map(str, range(20)))
    conversation = harness.conversations.items[CONVERSATION]

    read = harness.conversations.history(CONVERSATION, since=conversation.history_from)

    assert len(read.items) <= SHORT.due_items + 2
    assert read.summary is not None
    assert [read.summary.covers(item) for item in read.items].count(True) == 1


@pytest.mark.parametrize("turns", [4, 5, 6, 7])
def test_a_stretch_of_a_human_is_marked_wherever_the_summary_ends(turns: int) -> None:
    harness = remembering()
    say(harness, *map(str, range(turns)))
    set_owner(harness, Owner.HUMAN)
    set_owner(harness, Owner.ASSISTANT)
    harness.agent.summary = "They counted."
    newest = len(harness.agent.questions)

    say(harness, *map(str, range(turns, turns + SHORT.kept_items)))

    asked = harness.agent.questions[newest:]
    assert asked
    for question in asked:
        assert HANDED_OVER_AND_BACK in [entry.text for entry in (*question.history, *question.to_summarize)]


def test_where_the_summary_was_removed_the_history_is_shown_whole() -> None:
    harness = remembering()
    harness.agent.summary = "They counted."
    say(harness, *map(str, range(6)))
    assert harness.conversations.items[CONVERSATION].history_from > 0
    harness.conversations.summaries.clear()
    harness.agent.summary = ""

    say(harness, "six")

    assert customers_words(harness) == list(map(str, range(6)))


def test_a_summary_ends_below_the_low_watermark_so_that_no_later_turn_is_taken_for_a_part_of_it() -> None:
    harness = remembering()
    say(harness, "one", "two")
    for index in (200, 300, 400):  # as a webhook may tell, far beyond what Twilio lists
        harness.clock.move(seconds=120)
        harness.deliver(message_added(index=index, body=f"far {index}", at=harness.clock()))
    harness.agent.summary = "They counted."

    say(harness, "three", "four")

    assert harness.conversations.summaries[CONVERSATION].index < harness.item.coverage.low_watermark


def test_without_memory_the_agent_is_shown_the_messages_alone_and_nothing_is_read() -> None:
    harness = remembering(Memory(mode=MemoryMode.OFF))
    say(harness, "one", "two")

    assert harness.history() == []


class Summarising(EchoAgent):
    """Gives a summary that has every line which a customer wrote, or none."""

    silent = False

    def answer(self, question: Question) -> Answer:
        answer = super().answer(question)
        return replace(answer, summary="" if self.silent else extract(question.to_summarize))


EVENTS = ("is answered", "gets no summary", "fails", "gets no reply", "dies", "is taken over")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), min_size=4, max_size=25))
def test_whatever_fails_everything_said_is_in_the_history_or_in_its_summary_once(events: list[str]) -> None:
    harness = remembering()
    agent = harness.agent = Summarising()
    said: list[str] = []
    for number, event in enumerate(events):
        harness.clock.move(seconds=700)
        agent.silent = event == "gets no summary"
        agent.errors = [Permanent("no")] if event == "fails" else []
        agent.no_reply = event == "gets no reply"
        message = harness.customer_writes(f"text {number}")
        if event == "dies":
            harness.deliver_and_crash(*message, after=Step.THINK)
            harness.clock.move(seconds=121)
        if event == "is taken over":
            agent.while_thinking = partial(be_taken_over_and_back, harness)
        harness.deliver(*message)
        agent.while_thinking = lambda: None
        harness.deliver(*message)
        first, rest = harness.history()[:1], customers_words(harness)
        lines = first[0][1].splitlines() if first and first[0][0] == "summary" else []
        told = [line.removeprefix("Customer: ") for line in lines if line.startswith("Customer: ")]
        assert len({*told, *rest}) == len([*told, *rest]), "said twice"
        assert set(said) <= {*told, *rest, *agent.questions[-1].messages}
        said.append(f"text {number}")


def be_taken_over_and_back(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())


# ── the customer's other conversations ───────────────────────────────────────────────────────────────────────────────


def move_to(harness: Harness, number: int) -> str:
    """Let the customer begin another conversation, and return its SID: what was the first one is that one now."""
    other = sid("CH", number)
    store = harness.conversations
    mappings: tuple[MutableMapping[str, Any], ...] = (store.items, store.records, store.summaries)
    for kept in mappings:
        if CONVERSATION in kept:
            kept[other] = kept.pop(CONVERSATION)
    noted = harness.conversations.noted.get(CUSTOMER, {})
    if CONVERSATION in noted:
        noted[other] = noted.pop(CONVERSATION)
    harness.twilio.messages.pop(CONVERSATION, None)
    harness.clock.move(seconds=86_400)
    return other


OF_CUSTOMER = replace(SHORT, mode=MemoryMode.CUSTOMER)


def test_a_new_conversation_begins_with_a_summary_of_the_customers_last_ones() -> None:
    harness = remembering(OF_CUSTOMER)
    harness.agent.summary = "They have a red bike."
    say(harness, "one", "two", "three", "four", "five")
    harness.agent.summary = ""
    move_to(harness, 2)

    say(harness, "hello again")

    ((role, text),) = harness.history()
    assert role == "summary"
    assert text.splitlines()[:2] == ["In an earlier conversation, 2026-03-02:", "They have a red bike."]
    assert text.splitlines()[2:4] == ["Customer: three", "Assistant: You said: three"]
    say(harness, "and now?")
    assert harness.history() == [("summary", text), ("customer", "hello again"), ("assistant", "You said: hello again")]


def test_it_is_kept_under_a_key_that_tells_no_address() -> None:
    harness = remembering(OF_CUSTOMER)
    say(harness, "one")

    assert list(harness.conversations.noted) == [CUSTOMER]
    assert "555" not in CUSTOMER


def test_in_the_conversation_mode_nothing_is_known_of_other_conversations() -> None:
    harness = remembering()
    say(harness, "one")
    move_to(harness, 2)

    say(harness, "hello again")

    assert harness.history() == []
    assert not harness.conversations.noted


def test_a_first_turn_that_fails_is_followed_by_one_that_remembers() -> None:
    harness = remembering(OF_CUSTOMER)
    say(harness, "one")
    move_to(harness, 2)
    harness.agent.errors = [Permanent("no")]
    say(harness, "hello again")

    say(harness, "hello?")

    assert harness.history()[0][0] == "summary"
    say(harness, "hello!")
    assert harness.history()[0][0] == "summary"


def test_only_the_last_three_conversations_are_summarised() -> None:
    harness = remembering(OF_CUSTOMER)
    for number in range(2, 7):
        harness.settings = turn_settings(memory=OF_CUSTOMER)
        say(harness, f"in {number}")
        harness.conversations.summaries.clear()
        move_to(harness, number)

    say(harness, "hello again")

    ((_, text),) = harness.history()
    assert [line for line in text.splitlines() if "Customer" in line] == [
        f"Customer: in {number}" for number in (4, 5, 6)
    ]


def test_a_customer_who_was_forgotten_begins_anew() -> None:
    harness = remembering(OF_CUSTOMER)
    say(harness, "one")
    move_to(harness, 2)
    say(harness, "two")

    harness.conversations.forget_customer(CUSTOMER)

    assert not harness.conversations.summaries
    move_to(harness, 3)
    say(harness, "three")
    assert harness.history() == []
