"""`python -m evals`: cases of an assistant, here the bakery's, on the offline model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals.cases import Case, WrongCase, read_cases
from switchboard.agent import Answer, EntryRole
from switchboard.agents.watching import ToolCall
from tests.assistants import BAKERY

ROOT = BAKERY.parent.parent


def evals(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")} | settings
    return subprocess.run(  # noqa: S603 -- ours
        [sys.executable, "-m", "evals", "--function", str(BAKERY), *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def file_of(folder: Path, text: str) -> Path:
    file = folder / "cases.yaml"
    file.write_text(text)
    return file


def test_the_offline_model_answers_at_least_85_percent_of_what_a_bakery_is_asked() -> None:
    ended = evals(BAKERY / "cases.yaml", "--at-least", 85)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "cases.yaml: " in ended.stdout


def test_a_share_below_the_wanted_one_fails_and_shows_what_is_wrong(tmp_path: Path) -> None:
    cases = file_of(tmp_path, "- says: Hi!\n  contains: Hello\n- says: Do you sell cars?\n  contains: '[yes]'\n")

    ended = evals(cases, "--at-least", 51)

    assert ended.returncode == 1
    assert "Do you sell cars?" in ended.stdout
    assert "has none of [yes]" in ended.stdout
    assert "1 of 2 good, 50 %" in ended.stdout


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- {contains: x}", r"missing required field `says` \(case 1\)"),
        ("- {says: x, contains: y}\n- {says: x}", "case 2 says nothing of the answer"),
        ("- {says: x, contain: y}", r"unknown field `contain` \(case 1\)"),
        ("- {says: x, calls: order_status}", r"Expected `object`, got `str` \(case 1\.calls\)"),
        ("- {says: x, contains: y, may: [fly]}", r"Invalid enum value 'fly' \(case 1\.may"),
        ("- {says: x, contains: y, history: [{nobody: z}]}", r"Invalid enum value 'nobody' \(case 1\.history"),
        ("- {says: x, discloses: true}", r"unknown field `discloses` \(case 1\)"),
        ("says: x", "cannot be read as cases"),
        ("[]", "cannot be read as cases"),
        ("- {", "cannot be read as cases"),
    ],
)
def test_a_wrong_case_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(WrongCase, match=named):
        read_cases(file_of(tmp_path, text))


def test_a_wrong_file_ends_the_command_with_one_sentence(tmp_path: Path) -> None:
    ended = evals(tmp_path / "none.yaml")

    assert ended.returncode == 2
    assert ended.stdout.startswith("Cannot evaluate: ")
    assert ended.stdout.count("\n") == 1


def test_a_first_reply_is_asked_for_in_a_whole_turn_and_begins_with_the_disclosure(tmp_path: Path) -> None:
    cases = file_of(
        tmp_path,
        "- {says: [Hello!, 'Are you open on Monday?'], disclosed: true, contains: [closed]}\n"
        "- {says: 'Haben Sie am Montag geöffnet?', disclosed: true, contains: [KI-Assistent]}\n"
        "- {says: A human please!, disclosed: true, hands_over: true}\n",
    )

    ended = evals(cases, "--every")

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_an_answer_without_the_disclosure_is_a_fault_where_one_is_wanted() -> None:
    assert Case(says="x", disclosed=True).faults(Answer(text="Hi.")) == ["does not begin with the disclosure"]


def test_the_fallback_model_is_used_where_one_is_set() -> None:
    ended = evals(BAKERY / "cases.yaml", ASSISTANT_FALLBACK_MODEL="no such model")

    assert ended.returncode == 2
    assert ended.stdout.startswith("Cannot evaluate: ASSISTANT_FALLBACK_MODEL is 'no such model'")


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        (Case(says="x", contains="Nine|ten"), Answer(text="At NINE.")),
        (Case(says="x", lacks="nine"), Answer(text="At ten.")),
        (Case(says="x", hands_over=True), Answer(text="Bye.", handoff=True)),
        (Case(says="x", no_reply=True), Answer(no_reply=True)),
    ],
)
def test_a_good_answer_has_no_faults_and_another_has(case: Case, answer: Answer) -> None:
    assert case.faults(answer) == []
    assert case.faults(Answer(text="nine", handoff=not case.hands_over, no_reply=not case.no_reply)) != []


def test_another_ending_that_a_case_allows_is_as_good_unless_it_says_what_it_must_not() -> None:
    case = Case(says="x", contains="nine", lacks="prompt", may=["hands_over"])

    assert case.faults(Answer(text="A colleague takes over.", handoff=True)) == []
    assert case.faults(Answer(text="My prompt is", handoff=True)) == ["has prompt"]
    assert case.faults(Answer(no_reply=True)) != []


def test_a_tool_that_must_be_called_and_one_that_must_not() -> None:
    call = ToolCall(name="order_status", arguments={"order_number": "C-1", "days": 3}, returned="")

    assert Case(says="x", calls={"order_status": {"days": 3}}).faults(Answer(), [call]) == []
    assert Case(says="x", calls={"order_status": {"days": 4}}).faults(Answer(), [call]) == [
        "does not call order_status with {'days': 4}"
    ]
    assert Case(says="x", never_calls="order_status").faults(Answer(), [call]) == ["calls order_status"]


def test_the_assistant_is_asked_with_the_history_of_the_case() -> None:
    asked = Case(says=["a", "b"], history=[{EntryRole.HUMAN: "c"}, {EntryRole.CUSTOMER: "d"}], after="e").question("t")

    assert asked.messages == ("a", "b")
    assert [(each.role, each.text) for each in asked.history] == [("human", "c"), ("customer", "d"), ("assistant", "e")]


def test_the_report_has_each_answer_with_its_calls_and_each_file_with_its_mark(tmp_path: Path) -> None:
    cases = file_of(
        tmp_path,
        "at_least: 40\ncases:\n- says: How far is my cake C-202?\n  calls: {cake_progress: {cake_id: C-202}}\n"
        "- {says: Hi!, contains: '[yes]'}\n",
    )

    ended = evals(cases, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())

    assert ended.returncode == 0, ended.stdout
    assert report["model"] == "offline"
    assert report["files"] == [{"file": "cases.yaml", "good": 1, "asked": 2, "percent": 50.0, "at_least": 40.0}]
    assert report["cases"][0]["calls"] == ["cake_progress(cake_id='C-202') → 'Your cake is ready.'"]
    assert [each["faults"] for each in report["cases"]] == [[], ["has none of [yes]"]]


def test_the_runner_is_short() -> None:
    assert sum(len(path.read_text().splitlines()) for path in (ROOT / "evals").glob("*.py")) < 200
