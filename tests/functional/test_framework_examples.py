"""The assistants on Strands and LangGraph in examples/: what they hand to their framework, of which a stand-in answers.

Neither package is installed, so nothing here shows that the real ones take it.
"""

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from switchboard.agent import Answer, EntryRole, HistoryEntry, Question
from switchboard.agents.declared import Declared

EXAMPLES = Path(__file__).parents[2] / "examples"
HISTORY = (
    HistoryEntry(role=EntryRole.ASSISTANT, text="Hello!"),
    HistoryEntry(role=EntryRole.CUSTOMER, text="Hi"),
    HistoryEntry(role=EntryRole.HUMAN, text="I am Ana."),
)


def ask(example: str) -> Answer:
    agent = Declared(runpy.run_path(str(EXAMPLES / example))["assistant"]).agent(model="offline")
    return agent.answer(Question(turn="T1", history=HISTORY, messages=("a", "b"), timeout_seconds=20))


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: object) -> None:
    module = ModuleType(name)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


def test_strands_is_given_the_history_in_turns_and_then_the_customers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    class Agent:
        def __init__(self, **options: object) -> None:
            given.update(options)

        def __call__(self, prompt: str) -> str:
            given["prompt"] = prompt
            return "<thinking>hm</thinking>Yes."

    stand_in(monkeypatch, "strands", Agent=Agent)

    assert ask("strands_assistant.py") == Answer(text="Yes.")
    assert given["messages"] == [
        {"role": "user", "content": [{"text": "(The conversation begins here.)"}]},
        {"role": "assistant", "content": [{"text": "Hello!"}]},
    ]
    assert given["prompt"] == "Hi\n\n(human: I am Ana.)\n\na\n\nb"


def test_langgraph_is_given_chat_messages_and_its_last_one_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []

    class Message:
        text = "Yes."

    class Graph:
        async def ainvoke(self, state: dict[str, Any]) -> dict[str, Any]:
            given.extend(state["messages"])
            return {"messages": [*state["messages"], Message()]}

    stand_in(monkeypatch, "langchain")
    stand_in(monkeypatch, "langchain.agents", create_agent=lambda *_, **__: Graph())

    assert ask("langgraph_assistant.py") == Answer(text="Yes.")
    assert [(each["role"], each["content"]) for each in given] == [
        ("assistant", "Hello!"),
        ("user", "Hi"),
        ("user", "(I am Ana.)"),
        ("user", "a"),
        ("user", "b"),
    ]
