"""A declared assistant as the `Agent` of a turn: history and messages in, a reply or a handoff out.

Every error of the model becomes `Transient` or `Permanent`. Its text names the turn, the type of the error and where
it was raised, never the error's own text: providers quote the request there, and with it what a customer wrote.
"""

import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_ai import AgentRunResult, UsageLimits
from pydantic_ai.exceptions import (
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelUnavailableError,
)
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import Model

from switchboard.agent import Answer, Exchange, Question
from switchboard.agents.assistant import Assistant, Deps, Handoff
from switchboard.agents.event_loop import EventLoopThread
from switchboard.agents.models import model_named
from switchboard.errors import Permanent, SwitchboardError, Transient, Unknown

LIMITS = UsageLimits(request_limit=6, tool_calls_limit=20)  # of one turn
WITHOUT_WORDS = "[a message without words]"

_PASSES_BY_ITSELF = (
    TimeoutError,
    ConnectionError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelUnavailableError,
    Unknown,  # from a tool: what it does outside is keyed by the turn, and may be asked for again
)
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


def from_assistant(assistant: Assistant, *, model: str) -> "PydanticAIAgent":
    """Return the agent of an assistant, one for the process; raise `Misconfigured` for a model that cannot be used."""
    return PydanticAIAgent(assistant=assistant, model=model_named(model), loop=EventLoopThread())


@dataclass(frozen=True, slots=True, kw_only=True)
class PydanticAIAgent:
    """The `Agent` over pydantic-ai. Several turns may ask at the same time, each from its own thread."""

    assistant: Assistant
    model: Model
    loop: EventLoopThread

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`; after that, cancel the run and raise `Transient`."""
        run = self.loop.run(self._run(question), timeout=question.timeout_seconds)
        if run.cancelled():
            raise Transient(f"{question.turn}: no answer within {question.timeout_seconds:.0f} s")
        if error := run.exception():
            raise _verdict(error, turn=question.turn)
        return _answer(run.result())

    async def _run(self, question: Question) -> AgentRunResult[str | Handoff]:
        return await self.assistant.agent.run(
            _prompt(question.messages),
            message_history=list(_history(question.history)),
            deps=Deps(turn=question.turn, knowledge=self.assistant.knowledge),
            model=self.model,
            usage_limits=LIMITS,
        )


def _history(exchanges: Iterable[Exchange]) -> Iterator[ModelMessage]:
    for exchange in exchanges:
        yield ModelRequest(parts=[UserPromptPart(_prompt(exchange.said))])
        yield ModelResponse(parts=[TextPart(exchange.replied)])


def _prompt(messages: Sequence[str]) -> str:
    """Join the messages that wait together. Providers refuse an empty prompt, so it is never empty."""
    return "\n\n".join(message for message in messages if message.strip()) or WITHOUT_WORDS


def _answer(run: AgentRunResult[str | Handoff]) -> Answer:
    if isinstance(run.output, Handoff):
        return Answer(text=run.output.reply, handoff=True)
    return Answer(text=run.output)


def _verdict(error: BaseException, *, turn: str) -> SwitchboardError:
    """Decide whether trying again may help. The text names the type of the error and where it was raised."""
    if isinstance(error, Transient | Permanent):
        return error
    status = f" {error.status_code}" if isinstance(error, ModelHTTPError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = f"{turn}: the agent failed with {type(error).__name__}{status}{place}"
    return Transient(text) if _passes_by_itself(error) else Permanent(text)


def _passes_by_itself(error: BaseException) -> bool:
    if isinstance(error, ModelQuotaExceededError):
        return False  # a 429 too, but no wait fills an account
    if isinstance(error, ModelHTTPError):
        return error.status_code == _TOO_MANY_REQUESTS or error.status_code >= _SERVER_ERRORS
    return isinstance(error, _PASSES_BY_ITSELF)
