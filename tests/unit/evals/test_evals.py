"""`python -m evals`: cases of an assistant, here the bakery's, on the offline model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals.cases import Case, WrongCase, read_cases
from switchboard.agent import Answer
from tests.assistants import BAKERY

ROOT = BAKERY.parent.parent


def evals(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "ASSISTANT_MODEL"}
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
        ("- {contains: x}", "case 1 has no `says`"),
        ("- {says: x, contains: y}\n- {says: x}", "case 2 says nothing of the answer"),
        ("- {says: x, contain: y}", "case 1 has contain"),
        ("says: x", "not a list of cases"),
        ("- {", "not YAML"),
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


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        (Case(says=("x",), contains=("Nine|ten",)), Answer(text="At NINE.")),
        (Case(says=("x",), lacks=("nine",)), Answer(text="At ten.")),
        (Case(says=("x",), hands_over=True), Answer(text="Bye.", handoff=True)),
        (Case(says=("x",), no_reply=True), Answer(no_reply=True)),
    ],
)
def test_a_good_answer_has_no_faults_and_another_has(case: Case, answer: Answer) -> None:
    assert case.faults(answer) == []
    assert case.faults(Answer(text="nine", handoff=not case.hands_over, no_reply=not case.no_reply)) != []
