"""The assistant that the agent function declares. What it answers is asked by `make eval`, with the cases of evals/."""

from tests.functions import FUNCTIONS

MAX_LINES = 80


def test_the_declaration_of_the_assistant_has_at_most_80_lines() -> None:
    assert len((FUNCTIONS / "agent" / "assistant.py").read_text().splitlines()) <= MAX_LINES
