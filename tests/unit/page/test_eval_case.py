"""A turn as an eval case: evals can read it, and the turn's own answer passes it."""

from pathlib import Path

import pytest

from evals.cases import Case, read_cases
from local.page.eval_case import eval_case
from switchboard.agent import Answer, EntryRole, HistoryEntry
from switchboard.agents.watching import ToolCall

ANSWERS = {
    "We open at 9 am on Saturday, and a tube is $18.50.": ["9 am", "Saturday", "$18.50"],
    "Yes, we do: ask us. And more.": ["Yes, we do: ask us."],
    "no full stop": ["no full stop"],
}


def case(tmp_path: Path, text: str) -> Case:
    file = tmp_path / "made.yaml"
    file.write_text(text)
    (made,) = read_cases(file).cases
    return made


def made(**changes: object) -> str:
    turn = {"history": (), "said": ("When?",), "kind": "answer", "rule": "", "answer": "At 9 am.", "calls": {}}
    return eval_case(**{**turn, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("answer", "facts"), ANSWERS.items())
def test_a_case_wants_the_facts_of_the_answer(tmp_path: Path, answer: str, facts: list[str]) -> None:
    read = case(tmp_path, made(answer=answer))

    assert read.contains == facts
    assert read.faults(Answer(text=answer)) == []
    assert read.faults(Answer(text="I do not know."))


def test_a_case_has_what_was_said_before_but_no_call_of_a_tool(tmp_path: Path) -> None:
    history = [HistoryEntry(role=role, text=f"by {role}") for role in EntryRole]

    read = case(tmp_path, made(history=history, said=("One: two", "- three")))

    assert read.says == ["One: two", "- three"]
    assert [role for each in read.history for role in each] == [
        role for role in EntryRole if role not in {EntryRole.TOOL, EntryRole.SUMMARY}
    ]


def test_a_case_wants_the_calls_of_the_turn(tmp_path: Path) -> None:
    read = case(tmp_path, made(calls={"order_status": {"order_number": "BH-1042"}}))

    call = ToolCall(name="order_status", arguments={"order_number": "BH-1042"}, returned="")
    assert read.faults(Answer(text="At 9 am."), [call]) == []
    assert read.faults(Answer(text="At 9 am."), [])


def test_a_call_may_word_its_texts_otherwise(tmp_path: Path) -> None:
    read = case(tmp_path, made(calls={"search": {"question": "when is it open", "limit": 3}}))

    call = ToolCall(name="search", arguments={"question": "opening hours", "limit": 3}, returned="")
    assert read.calls == {"search": {"limit": 3}}
    assert read.faults(Answer(text="At 9 am."), [call]) == []


def test_a_handoff_and_a_silence_are_what_the_case_wants(tmp_path: Path) -> None:
    assert case(tmp_path, made(kind="handoff")).hands_over
    assert case(tmp_path, made(kind="", rule="no_reply", answer="")).no_reply
