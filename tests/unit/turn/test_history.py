"""The history: the agent is shown who said what, where a human's stretch began and ended, and what got no answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from switchboard import lifecycle
from switchboard.author import AuthorRole
from switchboard.conversation import ReplyKind, TurnOutcome
from switchboard.errors import Permanent
from switchboard.events import LifecycleEvent, MessageAdded, Owner, OwnerSet
from switchboard.memory import Memory
from switchboard.tokens import CUT, MAX_CALLS_TOKENS, MAX_QUESTION_TOKENS, estimate_tokens
from switchboard.turn.context import Step
from switchboard.turn.history import ENTRY_TOKENS
from tests.builders import CONVERSATION, FALLBACK, PLENTY, SECRET, delivery_failed, message_added, turn_settings
from tests.dynamodb import RECORD
from tests.unit.turn.harness import Harness

# As the assistant reads them.
OLDER_LEFT_OUT = "Older messages are left out."
TAKEN_OVER = "A human took the conversation over."
HANDED_OFF = "The assistant handed the conversation over to a human."
HANDED_BACK = "The assistant has the conversation again."
HANDED_OVER_AND_BACK = "A human had the conversation meanwhile. The assistant has it again."
NOBODY_KNOWS = "Nobody knows whether the customer has received this answer."
NOT_RECEIVED = "The customer did not receive this reply."
NOT_ALL_RECEIVED = "The customer did not receive all of this reply."


def answered(body: str) -> list[tuple[str, str]]:
    return [("customer", body), ("assistant", f"You said: {body}")]


@dataclass
class Queue:
    messages: list[MessageAdded] = field(default_factory=list)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.messages += messages


def apply(harness: Harness, event: LifecycleEvent) -> list[MessageAdded]:
    """Apply a lifecycle event, and return the messages that it queues."""
    queue = Queue()
    lifecycle.apply(
        event, conversations=harness.conversations, messages=harness.twilio, requeue=queue, customer_secret=SECRET
    )
    return queue.messages


def say(harness: Harness, text: str, *, author_role: AuthorRole = AuthorRole.HUMAN) -> MessageAdded:
    """Let a human or another program write a second later, and return the message; nobody is told of it."""
    harness.clock.move(seconds=1)
    author = {AuthorRole.HUMAN: "robin", AuthorRole.SYSTEM: "system"}[author_role]
    message = message_added(
        index=len(harness.messages), body=text, author_role=author_role, author=author, at=harness.clock()
    )
    harness.twilio.add(message)
    return message


def set_owner(harness: Harness, owner: Owner) -> list[MessageAdded]:
    """Let a human take the conversation or hand it back without a word, a second later."""
    harness.clock.move(seconds=1)
    return apply(harness, OwnerSet(conversation_sid=CONVERSATION, owner=owner, at=harness.clock()))


def test_a_human_who_refunds_and_hands_back_is_read_by_the_assistant(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("my order is broken"))
    apply(harness, say(harness, "I have refunded the 80 dollars today."))
    harness.deliver(*harness.customer_writes("thank you Robin"))
    requeued = set_owner(harness, Owner.ASSISTANT)
    harness.deliver(*requeued)

    harness.deliver(*harness.customer_writes("did you get my refund done?"))

    assert harness.history() == [
        *answered("my order is broken"),
        ("mark", TAKEN_OVER),
        ("human", "I have refunded the 80 dollars today."),
        ("mark", HANDED_BACK),
        *answered("thank you Robin"),
    ]


def test_what_was_left_to_a_human_is_in_the_question_after_the_hand_back_and_not_in_its_history(
    harness: Harness,
) -> None:
    harness.deliver(*harness.customer_writes("one"))
    set_owner(harness, Owner.HUMAN)
    harness.deliver(*harness.customer_writes("two"))

    harness.deliver(*set_owner(harness, Owner.ASSISTANT))

    assert harness.agent.questions[-1].messages == ("two",)
    assert harness.history() == [*answered("one"), ("mark", TAKEN_OVER), ("mark", HANDED_BACK)]
    assert harness.agent.questions[-1].history[-1].at == harness.clock()


def test_a_takeover_by_a_message_is_marked_at_the_time_of_the_message(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    message = say(harness, "I have refunded it.")
    apply(harness, message)
    set_owner(harness, Owner.ASSISTANT)

    harness.deliver(*harness.customer_writes("two"))

    times = {entry.text: entry.at for entry in harness.agent.questions[-1].history}
    assert (times[TAKEN_OVER], times["I have refunded it."]) == (message.at, message.at)


def test_a_takeover_and_a_hand_back_without_a_word_are_marked_in_every_later_history(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    set_owner(harness, Owner.HUMAN)
    set_owner(harness, Owner.ASSISTANT)

    for body in ("two", "three"):
        harness.deliver(*harness.customer_writes(body))
        assert harness.history()[:3] == [*answered("one"), ("mark", HANDED_OVER_AND_BACK)]
    assert harness.history()[3:] == answered("two")


def test_a_handoff_and_its_end_are_marked(harness: Harness) -> None:
    harness.agent.handoff = True
    harness.deliver(*harness.customer_writes("a human, please"))
    harness.agent.handoff = False
    set_owner(harness, Owner.ASSISTANT)

    harness.deliver(*harness.customer_writes("hello?"))

    assert harness.history() == [*answered("a human, please"), ("mark", HANDED_OFF), ("mark", HANDED_BACK)]


def test_a_human_whose_message_only_a_list_shows_is_in_the_history(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    say(harness, "I call you.")
    harness.deliver_repeatedly(*harness.customer_writes("when?"), times=2)

    harness.deliver(*set_owner(harness, Owner.ASSISTANT))

    assert harness.history() == [
        *answered("one"),
        ("mark", TAKEN_OVER),
        ("human", "I call you."),
        ("mark", HANDED_BACK),
    ]


def test_a_humans_word_that_is_told_after_a_newer_hand_back_is_in_the_history(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    word = say(harness, "You get it for free.")
    set_owner(harness, Owner.ASSISTANT)
    apply(harness, word)

    harness.deliver(*harness.customer_writes("really?"))

    assert harness.history() == [
        *answered("one"),
        ("mark", TAKEN_OVER),
        ("human", "You get it for free."),
        ("mark", HANDED_BACK),
    ]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_note_of_another_program_is_in_the_history_and_costs_a_list_only_where_no_webhook_told_it(
    harness: Harness, *, is_told: bool
) -> None:
    harness.deliver(*harness.customer_writes("where is my order?"))
    note = say(harness, "Order 4711 was shipped.", author_role=AuthorRole.SYSTEM)
    if is_told:
        apply(harness, note)

    harness.deliver(*harness.customer_writes("and now?"))

    assert harness.history() == [*answered("where is my order?"), ("system", "Order 4711 was shipped.")]
    assert harness.twilio.list_count == (0 if is_told else 1)


def test_a_sentence_of_ours_is_a_notice_and_no_answer_of_the_assistant(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug in a tool")]
    harness.deliver(*harness.customer_writes("one"))

    harness.deliver(*harness.customer_writes("YES"))

    assert harness.history() == [
        ("customer", "one"),
        ("notice", FALLBACK),
        ("mark", "No answer (the assistant failed)."),
    ]


def test_the_limit_sentence_and_the_silence_after_it_are_shown_the_next_day(harness: Harness) -> None:
    harness.settings = turn_settings(budget=replace(PLENTY, turns_by_all=1))
    for body in ("one", "two", "three"):
        harness.deliver(*harness.customer_writes(body))
    harness.clock.move(seconds=86_400)

    harness.deliver(*harness.customer_writes("four"))

    limit = ("mark", "No answer (the limit of the day was reached).")
    silence = [("customer", "two"), ("notice", PLENTY.sentence), limit, ("customer", "three"), limit]
    assert harness.history() == [*answered("one"), *silence]


def test_a_message_that_came_too_late_is_shown_as_unanswered(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("one"))
    (late,) = harness.customer_writes("are you open now?", at=harness.clock())
    harness.clock.move(seconds=7_200)
    harness.deliver(late)

    harness.deliver(*harness.customer_writes("three"))

    late_entries = [("customer", "are you open now?"), ("mark", "No answer (the message came too late).")]
    assert harness.history() == [*answered("one"), *late_entries]


def test_a_reply_of_which_nobody_knows_is_shown_as_one(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.twilio.outage_until, harness.twilio.outage_end = harness.clock() + timedelta(hours=2), "request_lost"
    harness.deliver_until_it_ends(*messages)
    harness.clock.move(seconds=7_200)

    harness.deliver(*harness.customer_writes("two"))

    assert harness.history() == [*answered("one"), ("mark", NOBODY_KNOWS)]


def test_a_reply_that_never_left_is_shown_as_unanswered(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.twilio.outage_until = harness.clock() + timedelta(hours=2)
    harness.deliver_until_it_ends(*messages)
    harness.clock.move(seconds=7_200)

    harness.deliver(*harness.customer_writes("two"))

    assert harness.history() == [("customer", "one"), ("mark", "No answer (it could not be sent in time).")]


def test_a_reply_that_twilio_refused_is_shown_as_such(harness: Harness) -> None:
    harness.twilio.post_ends.append("refused")
    harness.says("one")

    harness.says("two")

    assert harness.history() == [("customer", "one"), ("mark", "No answer (Twilio refused it).")]


def fail_delivery(harness: Harness, *messages: MessageAdded) -> None:
    """Let Twilio tell that these messages of ours did not arrive."""
    for message in messages:
        apply(harness, delivery_failed(message.message_sid, at=harness.clock()))


def parts_sent(harness: Harness) -> list[MessageAdded]:
    return [message for message in harness.messages if message.marker]


def test_what_was_sent_of_a_reply_that_twilio_refused_is_shown(harness: Harness) -> None:
    harness.agent.text = "word " * 700
    harness.twilio.post_ends.extend(["sent", "refused"])
    harness.says("tell me everything")
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.agent.text = ""

    harness.says("and?")

    (asked, replied, doubt, *_) = harness.history()
    assert asked == ("customer", "tell me everything")
    assert (replied[0], replied[1][:10], doubt) == ("assistant", "(1/3) word", ("mark", NOT_ALL_RECEIVED))


def test_a_reply_that_was_not_delivered_is_shown_as_not_received_in_every_later_history(harness: Harness) -> None:
    harness.says("one")
    fail_delivery(harness, *parts_sent(harness))
    harness.says("two")

    harness.says("three")

    assert harness.history() == [*answered("one"), ("mark", NOT_RECEIVED), *answered("two")]


@pytest.mark.parametrize(
    ("failed", "mark"), [((0, 1, 2), NOT_RECEIVED), ((0, 1), NOT_ALL_RECEIVED), ((2,), NOT_ALL_RECEIVED), ((), "")]
)
def test_a_reply_in_parts_is_not_received_where_every_part_failed(
    harness: Harness, failed: tuple[int, ...], mark: str
) -> None:
    harness.agent.texts = ["\n\n".join(letter * 1_000 for letter in "abc")]
    harness.says("one")
    parts = parts_sent(harness)
    fail_delivery(harness, *(parts[part] for part in failed))

    harness.says("two")

    assert len(parts) == 3
    assert [text for role, text in harness.history() if role == "mark"] == ([mark] if mark else [])


def test_a_delivery_that_fails_before_its_turn_is_recorded_is_shown_all_the_same(harness: Harness) -> None:
    messages = harness.customer_writes("one")
    harness.deliver_and_crash(*messages, after=Step.SEND)
    fail_delivery(harness, *parts_sent(harness))
    harness.clock.move(seconds=121)
    harness.deliver(*messages)

    harness.says("two")

    assert harness.history() == [*answered("one"), ("mark", NOT_RECEIVED)]


def test_a_sentence_of_ours_that_was_not_delivered_is_shown_as_such(harness: Harness) -> None:
    harness.agent.errors = [Permanent("broken")]
    harness.says("one")
    fail_delivery(harness, *parts_sent(harness))

    harness.says("two")

    assert ("mark", NOT_RECEIVED) in harness.history()


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("opted_out", "the customer has opted out of messages"),
        ("too_old", "the message came too late"),
        ("over_budget", "the limit of the day was reached"),
        ("twilio_30003", "Twilio refused it"),
        ("a_new_rule", "a new rule"),
    ],
)
def test_a_refusal_is_shown_in_words_or_by_its_rules_name(harness: Harness, rule: str, why: str) -> None:
    harness.conversations.record(CONVERSATION, replace(RECORD, outcome=TurnOutcome.REFUSED, rule=rule))

    harness.deliver(message_added(index=1, at=harness.clock()))

    assert harness.history() == [("customer", "hi"), ("mark", f"No answer ({why}).")]


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (TurnOutcome.EXPIRED, [("mark", "No answer (it could not be sent in time).")]),
        (TurnOutcome.FELL_BACK, [("notice", "hello"), ("mark", "No answer (the assistant failed).")]),
    ],
)
def test_a_failure_is_shown_with_what_the_customer_read(
    harness: Harness, outcome: TurnOutcome, shown: list[tuple[str, str]]
) -> None:
    record = replace(RECORD, outcome=outcome, kind=ReplyKind.FALLBACK)
    harness.conversations.record(CONVERSATION, record)

    harness.deliver(message_added(index=1, at=harness.clock()))

    assert harness.history() == [("customer", "hi"), *shown]


def test_forty_long_texts_are_cut_from_the_oldest_on_and_none_is_dropped(harness: Harness) -> None:
    texts = [f"{number} {'When are you open? ' * 84}".strip() for number in range(40)]
    harness.deliver(*harness.customer_writes("before " * 1_000))

    harness.deliver(*harness.customer_writes(*texts))

    question = harness.agent.questions[-1]
    assert len(question.messages) == 40
    whole = [text for text in question.messages if not text.endswith(CUT)]
    assert question.messages[-len(whole) :] == tuple(whole) == tuple(texts[-len(whole) :])
    assert len(whole) > 20
    assert all(text.endswith(CUT) for text in question.messages[: -len(whole)])
    assert harness.history()[0] == ("mark", OLDER_LEFT_OUT)
    assert harness.history()[-1][1].endswith(CUT)
    assert cost(harness) <= MAX_QUESTION_TOKENS


@pytest.mark.parametrize("character", ["a", "é", "漢", "🚲", "\U00020000"])
def test_fifty_long_turns_are_shown_from_the_newest_back(harness: Harness, character: str) -> None:
    harness.settings = turn_settings(memory=Memory(due_items=1_000, due_tokens=1_000_000))  # no summary
    texts = [f"{number} {character * 1_500}" for number in range(50)]
    for text in texts:
        harness.deliver(*harness.customer_writes(text))
        harness.clock.move(seconds=660)  # more often, it would be a loop

    harness.deliver(*harness.customer_writes("and now?"))

    (first, *shown), said = harness.history(), harness.agent.questions[-1].messages
    assert (first, said) == (("mark", OLDER_LEFT_OUT), ("and now?",))
    assert shown[-2:] == answered(texts[-1])
    assert cost(harness) <= MAX_QUESTION_TOKENS
    assert cost(harness) > MAX_QUESTION_TOKENS - 500


def cost(harness: Harness) -> int:
    """Return how many tokens the last question has, with what an agent needs to tell its entries apart."""
    question = harness.agent.questions[-1]
    texts = [*question.messages, *(entry.text for entry in question.history)]
    return sum(map(estimate_tokens, texts)) + ENTRY_TOKENS * len(question.history)


@pytest.mark.parametrize("no_reply", [False, True])
def test_what_tools_returned_stands_between_the_question_and_the_answer(harness: Harness, *, no_reply: bool) -> None:
    harness.agent.calls = ("The assistant called stock. It returned 3", "The assistant called price. It returned 5")
    harness.agent.no_reply = no_reply
    harness.says("one")
    harness.agent.no_reply = False

    harness.says("two")

    customer, assistant = answered("one")
    after = [("mark", "No answer (no reply).")] if no_reply else [assistant]
    assert harness.history() == [customer, *(("tool", text) for text in harness.agent.calls), *after]


@pytest.mark.parametrize("step", [Step.FREEZE, Step.SEND, Step.RECORD])
def test_what_tools_returned_outlives_a_worker_that_dies_after_the_reply_was_frozen(
    harness: Harness, step: Step
) -> None:
    harness.agent.calls = ("The assistant called stock. It returned 3",)
    messages = harness.customer_writes("one")
    harness.deliver_and_crash(*messages, after=step)
    harness.agent.calls = ()
    harness.clock.move(seconds=121)
    harness.deliver(*messages)

    harness.says("two")

    assert ("tool", "The assistant called stock. It returned 3") in harness.history()


def test_many_calls_with_long_results_are_cut_and_the_last_ones_are_kept(harness: Harness) -> None:
    harness.agent.calls = tuple(f"call {number} returned {'x' * 1_000}" for number in range(1_000))
    harness.says("one")

    harness.says("two")

    tools = [text for role, text in harness.history() if role == "tool"]
    assert sum(map(estimate_tokens, tools)) <= MAX_CALLS_TOKENS
    assert [text.split()[1] for text in tools] == [str(number) for number in range(980, 1_000)]
    assert all(text.endswith(CUT) for text in tools)
