"""A turn of the table as the question that its assistant was asked."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from local.page.ask import NOT_DONE, EffectsBefore, plain, question_of
from local.page.question import past_turn
from switchboard.author import AuthorRole
from switchboard.aws.dynamodb.items import note_to_item, record_to_item, summary_to_item
from switchboard.channels.channel import Channel
from switchboard.channels.reply import one_message
from switchboard.conversation import Note, ReplyKind, Summary, TurnOutcome, TurnRecord
from tests.builders import NOON, sid
from tests.unit.page.happenings import CONVERSATION


def record(index: int, said: str, reply: str) -> TurnRecord:
    return TurnRecord(
        turn=f"turn-{index}",
        index=index,
        ownership_epoch=0,
        message_sids=(sid("IM", index),),
        said=(said,),
        parts=(reply,),
        outcome=TurnOutcome.ANSWERED,
        rule="",
        at=NOON + timedelta(minutes=index),
        customer="",
        kind=ReplyKind.ANSWER,
    )


def items(*records: TurnRecord | Note | Summary) -> dict[str, dict[str, object]]:
    written = [
        record_to_item(CONVERSATION, each)
        if isinstance(each, TurnRecord)
        else note_to_item(CONVERSATION, each)
        if isinstance(each, Note)
        else summary_to_item(CONVERSATION, each)
        for each in records
    ]
    return {str(item["sk"]): dict(item) for item in written}


FIRST, SECOND, THIRD = record(0, "one?", "One."), record(2, "two?", "Two."), record(4, "three?", "Three.")


def test_a_turn_is_asked_with_what_was_said_before_it_and_nothing_after() -> None:
    turn = past_turn(items(FIRST, SECOND, THIRD), "turn-2")

    assert turn is not None
    assert turn.record.said == ("two?",)
    assert [(entry.role.value, entry.text) for entry in turn.history] == [("customer", "one?"), ("assistant", "One.")]
    assert turn.answer == "Two."


def test_a_humans_words_are_in_the_history() -> None:
    note = Note(index=1, author_role=AuthorRole.HUMAN, text="I am Kate.", at=NOON)

    turn = past_turn(items(FIRST, note, SECOND), "turn-2")

    assert turn is not None
    assert ("human", "I am Kate.") in [(entry.role.value, entry.text) for entry in turn.history]


def test_a_summary_stands_for_what_it_covers_unless_it_was_made_later() -> None:
    summary = Summary(index=2, text="They asked two things.", at=NOON)

    third = past_turn(items(FIRST, SECOND, THIRD, summary), "turn-4")
    second = past_turn(items(FIRST, SECOND, THIRD, summary), "turn-2")

    assert third is not None
    assert second is not None
    assert [entry.text for entry in third.history] == ["They asked two things."]
    assert [entry.text for entry in second.history] == ["one?", "One."]


def test_the_whole_reply_is_the_answer_where_its_parts_are_shown_otherwise() -> None:
    turn = past_turn(items(replace(FIRST, text="**One.**")), "turn-0")

    assert turn is not None
    assert turn.answer == "**One.**"


def test_a_turn_without_a_record_cannot_be_asked() -> None:
    assert past_turn(items(FIRST), "turn-1") is None


def test_a_tool_that_changes_something_is_not_run_again() -> None:
    ran: list[str] = []
    effects = EffectsBefore({"book#0": '"R-1"'})

    def run() -> str:
        ran.append("ran")
        return ""

    first = effects.run_once("book", 0, arguments="{}", so_far="", run=run)
    second = effects.run_once("book", 1, arguments="{}", so_far="", run=run)

    assert (first, second, ran) == ('"R-1"', f'"{NOT_DONE}"', [])


def test_a_turn_is_asked_with_what_is_known_of_its_customer() -> None:
    kept = {"CONVERSATION": {"customer": "a key", "channel": "whatsapp"}}

    turn = past_turn({**items(FIRST), **kept}, "turn-0")

    assert turn is not None
    assert (turn.customer, turn.max_characters) == ("a key", one_message(Channel.WHATSAPP))


def test_a_question_is_asked_at_the_time_that_the_stack_has() -> None:
    asked = {
        "turn": "turn-0",
        "history": [],
        "messages": ["one?"],
        "effects": {},
        "conversation": CONVERSATION,
        "customer": "a key",
        "max_characters": 1500,
        "now": NOON.isoformat(),
    }

    question = question_of(asked)

    assert (question.now, question.customer, question.max_characters) == (NOON, "a key", 1500)


@pytest.mark.parametrize("odd", [float("nan"), {(1, 2): {3}}, b"\xff", "\ud800", {"a": NOON}, object()])
def test_whatever_a_tool_was_given_can_be_said_in_json(odd: object) -> None:
    said = json.dumps(plain({"calls": [odd]}), allow_nan=False, ensure_ascii=False)

    assert json.loads(said.encode())["calls"]
