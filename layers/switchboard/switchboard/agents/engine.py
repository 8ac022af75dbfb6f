"""A declared assistant as the `Agent` of a turn: history and messages in, a reply or a handover out.

Whatever goes wrong with the model ends as `Transient` or `Permanent`. Their texts name the turn and the kind of error,
never what the error said: providers quote the request, and that is what a customer wrote.
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

from switchboard.agents.assistant import Assistant, HandOver, Turn
from switchboard.agents.loop import Loop
from switchboard.agents.models import model_named
from switchboard.errors import Permanent, SwitchboardError, Transient, Unknown
from switchboard.ports import Answer, Exchange, Question, Usage

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


def agent_of(assistant: Assistant, *, model: str) -> "Engine":
    """Return the agent that a process keeps; `model` is the setting. Raises `Misconfigured` for one it cannot use."""
    return Engine(assistant=assistant, model=model_named(model), loop=Loop())


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The `Agent` over pydantic-ai. Turns may ask at the same time, each from its own thread."""

    assistant: Assistant
    model: Model
    loop: Loop

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`; what still runs then is cancelled, and the turn is `Transient`."""
        run = self.loop.finish(self._run(question), within_seconds=question.timeout_seconds)
        if run.cancelled():
            raise Transient(f"{question.turn}: no answer within {question.timeout_seconds:.0f} s")
        if error := run.exception():
            raise _verdict(error, turn=question.turn)
        return _answer(run.result())

    async def _run(self, question: Question) -> AgentRunResult[str | HandOver]:
        return await self.assistant.agent.run(
            _prompt(question.messages),
            message_history=list(_history(question.history)),
            deps=Turn(id=question.turn, knowledge=self.assistant.knowledge),
            model=self.model,
            usage_limits=LIMITS,
        )


def _history(exchanges: Iterable[Exchange]) -> Iterator[ModelMessage]:
    for exchange in exchanges:
        yield ModelRequest(parts=[UserPromptPart(_prompt(exchange.said))])
        yield ModelResponse(parts=[TextPart(exchange.replied)])


def _prompt(messages: Sequence[str]) -> str:
    """Join messages that wait together; no provider takes an empty prompt."""
    return "\n\n".join(message for message in messages if message.strip()) or WITHOUT_WORDS


def _answer(run: AgentRunResult[str | HandOver]) -> Answer:
    usage = Usage(
        requests=run.usage.requests, input_tokens=run.usage.input_tokens, output_tokens=run.usage.output_tokens
    )
    if isinstance(run.output, HandOver):
        return Answer(text=run.output.reply, handoff=True, usage=usage)
    return Answer(text=run.output, usage=usage)


def _verdict(error: BaseException, *, turn: str) -> SwitchboardError:
    """Decide whether trying again may help, and tell no more of an error than its kind and its place."""
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
