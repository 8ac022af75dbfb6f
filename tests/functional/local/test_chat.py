"""`make chat`: the assistant of a folder, in the terminal."""

import logging
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local import chat
from local.chat import Chat
from switchboard.agent import EntryRole
from switchboard.agents.watching import TOOL_CALLS, TRACEBACKS
from switchboard.errors import Misconfigured

ASSISTANT = """
from pathlib import Path
from pydantic_ai import Agent, RunContext
from switchboard.agents.assistant import HANDOFF, NO_REPLY, Assistant, Deps
from switchboard.agents.knowledge import Chunk, Knowledge

agent = Agent(deps_type=Deps, output_type=[str, HANDOFF, NO_REPLY], instructions="Answer.")

@agent.tool
def search_knowledge(ctx: RunContext[Deps], question: str) -> list[Chunk] | str:
    return ctx.deps.knowledge.search(question) or "nothing"

assistant = Assistant(agent=agent, knowledge=Knowledge(Path(__file__).parent / "knowledge"))
"""
KNOWLEDGE = "# Bread\n\nA rye loaf costs 5 euros.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "bread.md").write_text(KNOWLEDGE)
    (tmp_path / "assistant.py").write_text(ASSISTANT)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("assistant", None)  # another test's
    yield tmp_path
    sys.modules.pop("assistant", None)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    text = StringIO()
    monkeypatch.setattr(chat, "console", Console(file=text, width=200))
    yield text
    for name in (TOOL_CALLS, TRACEBACKS):
        logging.getLogger(name).handlers.clear()


def test_a_tool_call_is_shown_with_its_arguments_and_its_result(folder: Path, printed: StringIO) -> None:
    talk = Chat(folder=folder, model="offline")
    chat.watch()

    answer = talk.say("What does a rye loaf cost?")

    assert answer.text == "A rye loaf costs 5 euros."
    assert "search_knowledge(question='What does a rye loaf cost?') → [Chunk(topic='Bread'" in printed.getvalue()
    assert [(entry.role, entry.text) for entry in talk.history if entry.role is not EntryRole.TOOL] == [
        (EntryRole.CUSTOMER, "What does a rye loaf cost?"),
        (EntryRole.ASSISTANT, "A rye loaf costs 5 euros."),
    ]


def test_what_is_edited_answers_the_next_text(folder: Path) -> None:
    talk = Chat(folder=folder, model="offline")
    talk.say("What does a rye loaf cost?")

    (folder / "knowledge" / "bread.md").write_text(KNOWLEDGE.replace("5 euros", "6 euros and 50 cents"))
    assert talk.say("What does a rye loaf cost?").text == "A rye loaf costs 6 euros and 50 cents."

    (folder / "assistant.py").write_text("def assistant(question):\n    return question.messages[0].upper()\n")
    assert talk.say("hello").text == "HELLO"


def test_a_mistake_in_the_file_is_named_and_the_next_text_is_answered(folder: Path) -> None:
    talk = Chat(folder=folder, model="offline")
    (folder / "assistant.py").write_text(ASSISTANT + "opening_hours\n")
    with pytest.raises(Misconfigured, match=r"assistant\.py, line \d+: NameError"):
        talk.say("hello")

    (folder / "assistant.py").write_text(ASSISTANT)

    assert talk.say("What does a rye loaf cost?").text == "A rye loaf costs 5 euros."


def test_each_end_of_a_turn_is_said(folder: Path, printed: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = iter(["I want to speak to a human", "thanks", "", "[bold] what is that?"])

    def written(_prompt: str) -> str:
        try:
            return next(texts)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(chat, "FOLDER", folder)
    monkeypatch.setattr(chat.console, "input", written)
    monkeypatch.setenv("ASSISTANT_MODEL", "offline")

    chat.run()

    shown = printed.getvalue()
    assert "a human takes the conversation over" in shown
    assert "it says nothing" in shown
    assert "assistant  I am sorry, I do not know that." in shown


def test_a_model_that_nobody_knows_is_named(folder: Path, printed: StringIO) -> None:
    chat._answer(Chat(folder=folder, model="nobody:has-this"), "hello")  # noqa: SLF001 -- what run() does with a text

    assert "no answer: ASSISTANT_MODEL is 'nobody:has-this'" in printed.getvalue()
