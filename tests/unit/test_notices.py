"""Which decisions people are told of, and which not."""

from datetime import timedelta

import pytest

from switchboard.budgets import Budget
from switchboard.conversation import OwnerReason
from switchboard.errors import Permanent
from switchboard.notices import Notice, NoticeReason, NoticeType
from tests.builders import CONVERSATION, NOON, from_human, turn_settings
from tests.fakes.twilio import PostEnd
from tests.unit.turn.harness import Harness
from tests.unit.turn.test_loops import DRIVING


@pytest.fixture
def harness() -> Harness:
    return Harness()


def due(harness: Harness) -> list[tuple[str, str]]:
    """Return the type and the reason of each notice that is due."""
    return [(notice.type.value, notice.reason.value) for notice in harness.conversations.notices.values()]


def test_an_answer_makes_nothing_due(harness: Harness) -> None:
    result = harness.says("hi")

    assert due(harness) == []
    assert result.notice is None


def test_people_are_told_of_a_handoff(harness: Harness) -> None:
    harness.agent.handoff = True

    result = harness.says("I want a human")

    assert due(harness) == [("HumanNeeded", "handoff")]
    (record,) = harness.records
    assert result.notice == Notice(
        id=record.turn,
        type=NoticeType.HUMAN_NEEDED,
        reason=NoticeReason.HANDOFF,
        conversation_sid=CONVERSATION,
        at=harness.clock(),
        turn=record.turn,
    )


def test_people_are_told_of_a_turn_that_fell_back(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug")]

    harness.says("hi")

    assert due(harness) == [("TurnFailed", "fell_back")]


def test_people_are_told_of_a_reply_that_twilio_refused(harness: Harness) -> None:
    harness.twilio.post_ends.append("refused")

    harness.says("hi")

    assert due(harness) == [("TurnFailed", "refused")]


@pytest.mark.parametrize(("end", "reason"), [("not_sent", "expired"), ("request_lost", "unsure")])
def test_people_are_told_of_a_reply_that_never_left_or_may_not_have(
    harness: Harness, end: PostEnd, reason: str
) -> None:
    harness.twilio.post_ends.extend([end] * 2000)

    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert due(harness) == [("TurnFailed", reason)]


def test_a_handoff_whose_sentence_could_not_be_sent_is_told_as_a_handoff(harness: Harness) -> None:
    harness.agent.handoff = True
    harness.twilio.post_ends.append("refused")

    harness.says("I want a human")

    assert due(harness) == [("HumanNeeded", "handoff")]


def test_people_are_told_of_a_failure_although_a_human_has_the_conversation_by_then(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug")]
    harness.twilio.after_post = lambda: harness.conversations.take_over(CONVERSATION, index=None, at=NOON)

    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert harness.item.owner_reason is OwnerReason.ATTRIBUTE
    assert due(harness) == [("TurnFailed", "fell_back")]


def test_people_are_told_of_a_message_that_is_too_old(harness: Harness) -> None:
    harness.says("hi")
    late = harness.customer_writes("a question")
    harness.clock.move(seconds=61 * 60)

    harness.deliver(*late)

    assert due(harness) == [("HumanNeeded", "too_old")]


def test_people_are_told_of_a_loop_once_not_of_each_text_in_it(harness: Harness) -> None:
    for _ in range(12):
        harness.says(DRIVING)

    assert harness.records[-1].rule == "loop"
    assert due(harness) == [("HumanNeeded", "loop")]


def test_nobody_is_told_of_a_reaction_or_of_what_a_human_has(harness: Harness) -> None:
    harness.says("hi")
    harness.says("\N{THUMBS UP SIGN}")
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.says("a question to the human")

    assert {record.rule for record in harness.records} >= {"reaction", "human"}
    assert due(harness) == []


def test_nobody_is_told_that_a_reply_is_void_because_a_human_has_spoken(harness: Harness) -> None:
    def take() -> None:
        harness.twilio.add(from_human(index=1, at=harness.clock()))
        harness.conversations.take_over(CONVERSATION, index=1, at=harness.clock())

    harness.agent.while_thinking = take
    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert due(harness) == []


def test_nobody_is_told_of_the_limit_sentence(harness: Harness) -> None:
    harness.settings = turn_settings(budget=Budget(turns_by_customer=1, turns_by_all=9, sentence="No."))

    harness.says("one")
    harness.says("two")

    assert harness.replies[-1] == "No."
    assert due(harness) == []


def test_people_are_told_of_a_hand_back_and_of_a_close(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=NOON)
    harness.conversations.hand_back(CONVERSATION, at=NOON + timedelta(seconds=1))
    harness.conversations.close(CONVERSATION, at=NOON + timedelta(seconds=2))
    harness.conversations.close(CONVERSATION, at=NOON + timedelta(seconds=3))

    assert due(harness) == [("HandedBack", "by_human"), ("ConversationClosed", "closed")]


def test_nobody_is_told_of_a_hand_back_of_what_the_assistant_owns(harness: Harness) -> None:
    harness.says("hi")
    harness.conversations.hand_back(CONVERSATION, at=harness.clock() + timedelta(seconds=1))

    assert due(harness) == []
