"""The assistant never learns which channel it speaks on: no code, prompt, history or tool of its names one."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from switchboard.agent import HistoryEntry, Question
from switchboard.agents.assistant import Deps
from switchboard.conversation import TurnRecord
from tests.architecture.conftest import TEMPLATE

ROOT = TEMPLATE.parent
SWITCHBOARD = ROOT / "layers" / "switchboard" / "switchboard"
NAME = re.compile(r"sms|whatsapp|messenger|web.?chat|\brcs\b|viber|telegram", re.IGNORECASE)
WORDS_OF_CUSTOMERS = "synonyms.py"  # "Can I send you an SMS?" is a question about the shop


def code_of_the_assistant() -> Iterator[Path]:
    yield from (path for path in (SWITCHBOARD / "agents").rglob("*.py") if path.name != WORDS_OF_CUSTOMERS)
    yield from (ROOT / "functions" / "agent").rglob("*.py")
    yield from (SWITCHBOARD / "turn" / name for name in ("think.py", "history.py", "effects.py"))


def test_there_is_code_to_look_at() -> None:
    assert len(list(code_of_the_assistant())) > 20


@pytest.mark.parametrize("path", sorted(code_of_the_assistant()), ids=lambda path: path.name)
def test_the_assistants_code_and_prompts_name_no_channel(path: Path) -> None:
    found = [line for line in path.read_text().splitlines() if NAME.search(line)]

    assert found == []


@pytest.mark.parametrize("kind", [Question, HistoryEntry, Deps])
def test_nothing_that_an_assistant_or_a_tool_is_given_names_a_channel(kind: type) -> None:
    assert [field.name for field in fields(kind) if NAME.search(field.name) or "channel" in field.name] == []


def test_what_is_remembered_of_a_turn_does_not_tell_it() -> None:
    assert "channel" not in {field.name for field in fields(TurnRecord)}
