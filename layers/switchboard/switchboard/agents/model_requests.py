"""Each request to the model in a run, shown to a developer who watches: its messages, and what came back."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import override

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.capabilities.abstract import WrapModelRequestHandler
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models import ModelRequestContext

from switchboard.agents.assistant import Deps
from switchboard.agents.watching import ModelAsked, show_model_asked

MAX_CHARACTERS = 8_000  # of one part of a message
NO_WORDS = "[a file]"


@dataclass
class ShowModelRequests(AbstractCapability[Deps]):
    """Shows what the model was sent, after every other capability has had its say, with what it answered."""

    @override
    async def wrap_model_request(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, handler: WrapModelRequestHandler
    ) -> ModelResponse:
        clock = asyncio.get_running_loop().time
        began, response, failed = clock(), None, "cancelled"
        try:
            response = await handler(request_context)
            failed = ""
        except Exception as error:
            failed = type(error).__name__
            raise
        finally:
            milliseconds = round((clock() - began) * 1000)
            show_model_asked(partial(_asked, ctx.deps, request_context, response, milliseconds, failed))
        return response


def _asked(
    deps: Deps, context: ModelRequestContext, response: ModelResponse | None, milliseconds: int, failed: str
) -> ModelAsked:
    parameters = context.model_request_parameters
    return ModelAsked(
        turn=deps.turn,
        conversation=deps.conversation,
        model=(response.model_name if response else None) or context.model.model_name,
        shown=[*_instructions(context.messages), *(each for message in context.messages for each in _said(message))],
        answered=list(map(_part, response.parts)) if response else [],
        tools=[tool.name for tool in (*parameters.function_tools, *parameters.output_tools)],
        input_tokens=response.usage.input_tokens if response else 0,
        output_tokens=response.usage.output_tokens if response else 0,
        milliseconds=milliseconds,
        failed=failed,
    )


def _instructions(messages: Sequence[ModelMessage]) -> Iterator[Mapping[str, str]]:
    """Yield the instructions, which stand in the last request."""
    texts = [each.instructions for each in messages if isinstance(each, ModelRequest) and each.instructions]
    yield from ({"part": "instructions", "text": _cut(text)} for text in texts[-1:])


def _said(message: ModelMessage) -> Iterator[Mapping[str, str]]:
    yield from map(_part, message.parts)


def _part(part: ModelRequestPart | ModelResponsePart) -> Mapping[str, str]:
    if isinstance(part, ToolCallPart):
        return {"part": part.part_kind, "tool": part.tool_name, "text": _cut(part.args_as_json_str())}
    if isinstance(part, ToolReturnPart):
        return {"part": part.part_kind, "tool": part.tool_name, "text": _cut(part.model_response_str())}
    content = getattr(part, "content", NO_WORDS)
    pieces = [content] if isinstance(content, str) else content
    texts = [each if isinstance(each, str) else NO_WORDS for each in pieces] if isinstance(pieces, Sequence) else []
    return {"part": part.part_kind, "text": _cut("\n".join(texts))}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
