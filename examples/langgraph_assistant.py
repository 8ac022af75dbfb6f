"""An assistant on LangGraph (https://docs.langchain.com/oss/python/langgraph), for functions/agent/assistant.py.

The packages are not among the layer's: add `langchain` and `langchain-aws` to layers/switchboard/pyproject.toml, then
run `make lock`. They are not installed here: this file's types are checked against `Graph`; it never ran with them.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from switchboard.agent import EntryRole, HistoryEntry, Question


class Graph(Protocol):
    """The part of a compiled graph that is used here."""

    async def ainvoke(self, state: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Run the graph on a state, and return the state that it ends with."""
        ...


@cache
def graph() -> Graph:
    """Return the graph, made at the first question: importing assistant.py must not take long."""
    from langchain.agents import create_agent  # noqa: PLC0415 -- not installed here

    made: Graph = create_agent(
        "bedrock_converse:us.amazon.nova-lite-v1:0",
        tools=[],
        system_prompt="You answer the customers of a bicycle shop, in a few sentences.",
    )
    return made


async def assistant(question: Question) -> str:
    """Return the last message of the graph's state. A coroutine is cancelled when the turn's time is over."""
    waiting = [{"role": "user", "content": text} for text in question.messages]
    state = await graph().ainvoke({"messages": [*messages_of(question.history), *waiting]})
    return str(state["messages"][-1].text)


def messages_of(history: Sequence[HistoryEntry]) -> list[dict[str, str]]:
    """Return the history as chat messages: what neither side said stands in brackets, in the user's voice."""
    return [
        {"role": "assistant", "content": entry.text}
        if entry.role is EntryRole.ASSISTANT
        else {"role": "user", "content": entry.text if entry.role is EntryRole.CUSTOMER else f"({entry.text})"}
        for entry in history
    ]
