"""Assistants for tests: the bakery's, and questions to ask it. No test depends on what the demo's shop knows."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic_ai.models import Model

from switchboard.agent import EntryRole, HistoryEntry, Question
from switchboard.agents.assistant import Assistant
from switchboard.agents.event_loop import EventLoopThread
from switchboard.agents.model_run import ModelUse
from switchboard.agents.offline import OfflineModel
from switchboard.agents.pydantic_ai_agent import PydanticAIAgent
from tests.bakery.assistant import assistant as bakery

__all__ = ["BAKERY", "KNOWLEDGE", "TURN", "answering", "bakery", "copy_bakery", "entry", "question"]

BAKERY = Path(__file__).parent / "bakery"
KNOWLEDGE = BAKERY / "knowledge"
APP = Path(__file__).parent.parent / "functions" / "agent" / "app.py"
TURN = "turn-1"


def copy_bakery(folder: Path) -> Path:
    """Make a folder into the agent function with the bakery's assistant, and return it."""
    shutil.copytree(BAKERY, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(APP, folder)
    return folder


@contextmanager
def answering(
    assistant: Assistant,
    model: Model | None = None,
    *,
    fallback_model: Model | None = None,
    report: Callable[[ModelUse], object] = ModelUse.__repr__,
) -> Iterator[PydanticAIAgent]:
    """Yield the assistant with a model, by default the offline one; end its event loop afterwards."""
    with EventLoopThread() as loop:
        yield PydanticAIAgent(
            assistant=assistant,
            model=model or OfflineModel(),
            fallback_model=fallback_model,
            loop=loop,
            report=report,
        )


def entry(role: str, text: str) -> HistoryEntry:
    return HistoryEntry(role=EntryRole(role), text=text)


def question(*messages: str, history: tuple[HistoryEntry, ...] = (), timeout_seconds: float = 20) -> Question:
    return Question(turn=TURN, history=history, messages=messages, timeout_seconds=timeout_seconds)
