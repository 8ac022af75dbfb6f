"""What a team declares as its `assistant`, as the `Agent` of a turn: alike in a deployment, a chat and the evals."""
# ruff: noqa: PLC0415 -- a plain function starts without pydantic-ai: it is this file's point

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from switchboard.agent import Agent
from switchboard.agents.answer_rules import AnswerRules
from switchboard.agents.function_agent import as_agent, is_agent
from switchboard.agents.guarded_agent import GuardedAgent
from switchboard.agents.keys import Keys
from switchboard.errors import Misconfigured

if TYPE_CHECKING:
    from switchboard.agents.model_run import ModelUse  # pydantic-ai's


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """What stands in assistant.py as `assistant`. Raises `Misconfigured` for what can answer nobody.

    `files` is the folder of what its answers may send.

    Two are equal if they declare the same object, which may be one without a hash.
    """

    assistant: object
    files: Path | None = None

    def __post_init__(self) -> None:
        if _is_of_pydantic_ai(self.assistant) or is_agent(self.assistant):
            return
        found = self.assistant
        has = f"the class {found.__name__}" if isinstance(found, type) else type(found).__name__
        raise Misconfigured(
            f"assistant.py declares no `assistant`{'' if found is None else f' that can answer: it is {has}'}. Add "
            f"assistant = Assistant(agent=…, knowledge=…), or a function def assistant(question)"
        )

    def __hash__(self) -> int:
        return id(self.assistant)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declared) and other.assistant is self.assistant

    def understands_voice(self) -> bool:
        """Tell whether it understands voice messages by itself: an `Assistant` with `transcribe`."""
        return getattr(self.assistant, "transcribe", None) is not None

    def agent(
        self,
        *,
        model: str,
        fallback_model: str = "",
        keys: Keys | None = None,
        report: "Callable[[ModelUse], object] | None" = None,
        allowed_link_hosts: Collection[str] = (),
    ) -> Agent:
        """Return the agent that answers; raise `Misconfigured` where it cannot be used.

        An `Assistant` and a bare pydantic-ai `Agent` run on the model that `model` names. Anything else has its own: a
        function, a callable object, or an object with `answer`, such as `HttpAgent`.
        """
        if _is_of_pydantic_ai(self.assistant):
            from switchboard.agents.bare_agent import as_assistant
            from switchboard.agents.pydantic_ai_agent import from_assistant

            assistant = as_assistant(self.assistant)
            assistant.knowledge.load()
            return from_assistant(
                assistant,
                model=model,
                fallback_model=fallback_model,
                keys=keys,
                report=report,
                allowed_link_hosts=allowed_link_hosts,
            )
        rules = AnswerRules(allowed_link_hosts=frozenset(allowed_link_hosts))
        return GuardedAgent(agent=as_agent(self.assistant), rules=rules)


def _is_of_pydantic_ai(value: object) -> bool:
    if "pydantic_ai" not in sys.modules:  # then nothing can be an agent of it
        return False
    from switchboard.agents.bare_agent import is_assistant

    return is_assistant(value)
