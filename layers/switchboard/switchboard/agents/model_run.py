"""The models of one run: the first, and the fallback model, which takes over within the same attempt.

The switch is made between the model's requests, not by a new run: the messages so far go to the fallback model as they
are, results of tools among them, so that no tool runs again for it.
"""

import asyncio
from dataclasses import dataclass, field
from typing import override

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RunUsage

from switchboard.agents.places import describe
from switchboard.agents.reasoning import without_reasoning
from switchboard.errors import Transient

SHARE_OF_FIRST = 0.5  # of the time that is left when it is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """What the model did for one attempt at a turn. `input_tokens` include `cached_tokens`, which cost a tenth.

    `fell_back` says why the fallback model took over: the type of the first model's error, or what its answer was.
    `summary_failed` says why an answer came without the summary of older history that was asked for.
    """

    turn: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    fell_back: str = ""
    summary_failed: str = ""


@dataclass(kw_only=True)
class ModelRun:
    """The model to give to a run of `timeout_seconds`, and what it used."""

    first: Model
    fallback: Model | None = None
    timeout_seconds: float
    usage: RunUsage = field(default_factory=RunUsage)
    usage_beside: RunUsage = field(default_factory=RunUsage)  # of a summary, which the limits of the run do not count
    summary_failed: str = ""
    _watched: "_FirstModel | None" = None

    def model(self) -> Model:
        """Return the first model, or, where there is a fallback model, one that asks the two in order."""
        if self.fallback is None:
            return self.first
        self._watched = self._watched or _FirstModel(self.first, timeout_seconds=self.timeout_seconds)
        return FallbackModel(self._watched, self.fallback, fallback_on=(Exception,))

    def use(self, turn: str) -> ModelUse:
        """Return what was used so far, refused answers of the first model included."""
        used = self.usage + self.usage_beside
        if self._watched:
            used = used + self._watched.wasted
        return ModelUse(
            turn=turn,
            requests=used.requests,
            input_tokens=used.input_tokens,
            cached_tokens=used.cache_read_tokens,
            output_tokens=used.output_tokens,
            fell_back=self._watched.failure if self._watched else "",
            summary_failed=self.summary_failed,
        )


class _FirstModel(WrapperModel):
    """Asks a model in part of the time. Once it failed, it is not asked again in this run."""

    def __init__(self, wrapped: Model, *, timeout_seconds: float) -> None:
        super().__init__(wrapped)
        self.timeout_seconds = timeout_seconds
        self.wasted = RunUsage()
        self._until: float | None = None
        self._error: Exception | None = None

    @property
    def failure(self) -> str:
        """Why it is not asked any more; empty while it answers."""
        if isinstance(self._error, Transient):
            return str(self._error)
        return describe(self._error, with_place=False) if self._error else ""

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        if self._error:
            raise self._error
        now = asyncio.get_running_loop().time()
        self._until = self._until or now + self.timeout_seconds
        try:
            async with asyncio.timeout((self._until - now) * SHARE_OF_FIRST):
                response = await super().request(messages, model_settings, model_request_parameters)
            if fault := _fault(response):
                self.wasted.requests += 1
                self.wasted.incr(response.usage)
                raise Transient(f"the model's answer is {fault}")  # noqa: TRY301 -- remembered as any other
        except Exception as error:
            self._error = error
            raise
        return response


def _fault(response: ModelResponse) -> str:
    """Return what is wrong with an answer that is of no use; empty for one that the run can go on with."""
    if response.finish_reason == "content_filter":
        return "filtered"
    if response.finish_reason == "error" or not all(map(_is_object, response.tool_calls)):
        return "malformed"
    if response.tool_calls:
        return "cut off in a tool call" if response.finish_reason == "length" else ""
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    return "" if without_reasoning(text) else "empty"


def _is_object(call: ToolCallPart) -> bool:
    """Tell whether the arguments of a call are a JSON object: all that a tool can be given."""
    try:
        call.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError):
        return False
    return True
