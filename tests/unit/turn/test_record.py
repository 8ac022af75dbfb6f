"""Record: what is remembered of a turn, and the dead letters of a fallback."""

from switchboard.conversation import ReplyKind, TurnOutcome
from switchboard.errors import Permanent
from switchboard.tokens import MAX_MESSAGES_TOKENS, estimate_tokens
from switchboard.turn.context import Step
from switchboard.turn.record import UNREAD
from tests.unit.turn.harness import Harness, copies_of


def test_a_turn_is_recorded_with_its_messages_and_its_reply(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")

    harness.deliver(message)

    (record,) = harness.records
    assert (record.outcome, record.kind) == (TurnOutcome.ANSWERED, ReplyKind.ANSWER)
    assert (record.index, record.message_sids) == (message.index, (message.message_sid,))
    assert (record.said, record.parts) == (("hi",), ("You said: hi",))


def test_the_messages_of_a_fallback_are_dead_letters(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.agent.errors = [Permanent("a bug in a tool")]

    harness.deliver(*messages)

    assert harness.dead_letters.messages == copies_of(*messages)


def test_a_message_of_the_first_attempt_that_was_not_delivered_again_is_a_dead_letter_too(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.deliver_and_crash_repeatedly(first, second, after=Step.THINK, times=3)

    harness.deliver(first)

    dead = [message.message_sid for message in harness.dead_letters.messages]
    assert dead == [first.message_sid, second.message_sid]


def test_a_message_that_joins_after_the_freeze_is_not_in_the_record(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.twilio.unlisted = {first.index}
    harness.deliver_and_crash(second, after=Step.RECORD)
    harness.twilio.unlisted = set()
    harness.clock.move(seconds=121)

    harness.deliver(first, second)

    (record,) = harness.records
    assert record.message_sids == (second.message_sid,)


def test_a_record_holds_no_more_of_the_messages_than_an_agent_can_be_shown(harness: Harness) -> None:
    messages = harness.customer_writes(*["ñ" * 16_000] * 10)

    harness.deliver(*messages)

    (record,) = harness.records
    assert len(record.said) == len(record.message_sids) == 10
    assert 20_000 < sum(map(estimate_tokens, record.said)) <= MAX_MESSAGES_TOKENS


def test_a_turn_comes_after_what_was_said_before_it_ended_also_where_it_answers_an_older_message(
    harness: Harness,
) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.twilio.unlisted = {first.index}
    harness.deliver(second)
    harness.twilio.unlisted = set()

    harness.deliver(first)

    harness.deliver(*harness.customer_writes("three"))
    assert [text for role, text in harness.history() if role == "customer"] == ["two", "one"]


def test_what_the_worker_never_read_is_recorded_as_such(harness: Harness) -> None:
    first, second = harness.customer_writes("one", "two")
    harness.deliver_and_crash_repeatedly(first, second, after=Step.THINK, times=3)

    harness.deliver(first)

    (record,) = harness.records
    assert record.said == ("one", UNREAD)
