"""An assistant on Strands Agents (https://strandsagents.com), for functions/agent/assistant.py.

The package is not among the layer's: add `strands-agents` to layers/switchboard/pyproject.toml, then run `make lock`.
It is not installed here: this file's types are checked against `StrandsAgent` below; it never ran with it.
"""

from itertools import groupby
from operator import itemgetter
from typing import Protocol

from switchboard.agent import EntryRole, HistoryEntry, Question

type Message = dict[str, str | list[dict[str, str]]]


class StrandsAgent(Protocol):
    """The part of `strands.Agent` that is used here."""

    def __call__(self, prompt: str) -> object:
        """Return a result whose `str` is what the agent says."""
        ...


def strands_agent(history: list[Message]) -> StrandsAgent:
    """Return an agent for one question: each keeps the messages of its own conversation."""
    from strands import Agent  # noqa: PLC0415 -- not installed here

    agent: StrandsAgent = Agent(
        model="us.amazon.nova-lite-v1:0",
        messages=history,
        system_prompt="You answer the customers of a bicycle shop, in a few sentences.",
        callback_handler=None,  # the default one prints what customers write
    )
    return agent


def assistant(question: Question) -> str:
    """Return what the agent says. Its errors are read as those of any function."""
    voices = [_voice(entry) for entry in question.history] + [("user", text) for text in question.messages]
    turns = [(role, "\n\n".join(text for _, text in said)) for role, said in groupby(voices, key=itemgetter(0))]
    if turns[0][0] == "assistant":  # Bedrock wants the user's words first, and never two of one role in a row
        turns.insert(0, ("user", "(The conversation begins here.)"))
    *before, (_, prompt) = turns
    return str(strands_agent([{"role": role, "content": [{"text": text}]} for role, text in before])(prompt))


def _voice(entry: HistoryEntry) -> tuple[str, str]:
    """Return whose voice an entry has; what neither side said stands in brackets."""
    if entry.role is EntryRole.ASSISTANT:
        return "assistant", entry.text
    return "user", entry.text if entry.role is EntryRole.CUSTOMER else f"({entry.role}: {entry.text})"
