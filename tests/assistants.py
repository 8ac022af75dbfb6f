"""Assistants for tests: the one of `functions/agent`, and questions to ask it."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic_ai.models import Model

from switchboard.agent import EntryRole, HistoryEntry, Question
from switchboard.agents.assistant import Assistant
from switchboard.agents.event_loop import EventLoopThread
from switchboard.agents.offline import offline_model
from switchboard.agents.pydantic_ai_agent import PydanticAIAgent

FOLDER = Path(__file__).parent.parent / "functions" / "agent"
KNOWLEDGE = FOLDER / "knowledge"
TURN = "turn-1"


def shop() -> Assistant:
    """Return the assistant that the agent function declares."""
    spec = importlib.util.spec_from_file_location("shop_assistant", FOLDER / "assistant.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assistant = module.assistant
    assert isinstance(assistant, Assistant)
    return assistant


@contextmanager
def answering(assistant: Assistant, model: Model | None = None) -> Iterator[PydanticAIAgent]:
    """Yield the assistant with a model, by default the offline one; end its event loop afterwards."""
    with EventLoopThread() as loop:
        yield PydanticAIAgent(assistant=assistant, model=model or offline_model(), loop=loop)


def entry(role: str, text: str) -> HistoryEntry:
    return HistoryEntry(role=EntryRole(role), text=text)


def question(*messages: str, history: tuple[HistoryEntry, ...] = (), timeout_seconds: float = 20) -> Question:
    return Question(turn=TURN, history=history, messages=messages, timeout_seconds=timeout_seconds)
