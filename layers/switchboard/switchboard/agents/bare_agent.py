"""A pydantic-ai `Agent` that a team declares without an `Assistant` around it."""

from typing import cast

import pydantic_ai

from switchboard.agents.assistant import Assistant, DeclaredAgent, Deps
from switchboard.agents.knowledge import Knowledge
from switchboard.errors import Misconfigured


def is_assistant(value: object) -> bool:
    """Tell whether a value is an `Assistant`, or can be made one."""
    return isinstance(value, Assistant | pydantic_ai.Agent)


def as_assistant(declared: object) -> Assistant:
    """Return an `Assistant` as it is, and an agent of pydantic-ai as an `Assistant` that knows nothing.

    Such an agent keeps its instructions, tools and output type. It runs on the model of ASSISTANT_MODEL, whatever its
    own is, and its tools are given `Deps`: `Misconfigured` is raised where it declares another `deps_type`.
    """
    if isinstance(declared, Assistant):
        return declared
    agent = cast("pydantic_ai.Agent[object, object]", declared)
    if not issubclass(Deps, agent.deps_type):
        raise Misconfigured(
            f"the deps_type of the agent in assistant.py is {agent.deps_type.__name__}, and a turn gives its tools "
            f"Deps: write Agent(deps_type=Deps), or call the agent with deps of your own in a function"
        )
    return Assistant(agent=cast("DeclaredAgent", agent), knowledge=Knowledge())
