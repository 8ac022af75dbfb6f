"""Which of an assistant's tools to call for a message, and what to ask for where an argument is missing."""

import re
from collections.abc import Sequence

from pydantic_ai.tools import ToolDefinition

from switchboard.agents.offline.actions import called_off, may_go_on, verb_of
from switchboard.agents.offline.tools import Arguments, arguments, missing, schema_of, tool_for, words_of

MAX_OFFERED = 8  # values of a parameter, in what we ask for

ASKED_FOR = "Please write the {} as well."
_ASKS_FOR = r"Please write the .+ as well\.$"

type Call = tuple[ToolDefinition, Arguments]


def asks_for_an_argument(reply: str) -> bool:
    """Tell whether a reply of ours ends by asking for an argument of a tool."""
    return re.search(_ASKS_FOR, reply) is not None


def asking_for(tool: ToolDefinition, given: Arguments) -> str:
    """Return what asks for the arguments that are missing: each by its name, with its values if they are few."""
    return ASKED_FOR.format(" and the ".join(_described(tool, name) for name in missing(tool, given)))


def action_in(prompt: str, sentences: Sequence[str], tools: Sequence[ToolDefinition]) -> tuple[str, Call] | None:
    """Return the sentence that asks for a change, and the tool that makes it; any sentence may give its arguments."""
    changing = [tool for tool in tools if (verb := verb_of(tool)) and not called_off(prompt, verb)]
    found = ((sentence, tool_for(sentence, changing)) for sentence in sentences)
    return next(((sentence, (call[0], arguments(prompt, call[0]))) for sentence, call in found if call), None)


def continued(text: str, last_reply: str, told: Sequence[str], tools: Sequence[ToolDefinition]) -> Call | None:
    """Return the tool whose arguments we asked for in our last reply, where the customer now gives one of them.

    `told` is what they said before, since we began to ask.
    """
    for tool in tools:
        before: Arguments = {}
        for each in told:
            before |= arguments(each, tool)
        now = arguments(text, tool)
        asked = missing(tool, before) and last_reply.endswith(asking_for(tool, before))
        if asked and now and (may_go_on(text) or not verb_of(tool)):
            return tool, before | now
    return None


def _described(tool: ToolDefinition, name: str) -> str:
    offered = list(map(str, schema_of(tool, name).get("enum", ())))
    return f"{words_of(name)} ({', '.join(offered)})" if 0 < len(offered) <= MAX_OFFERED else words_of(name)
