"""Each call of a tool in a run: shown to a developer who watches, and told in later turns."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, override

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.capabilities.abstract import WrapToolExecuteHandler
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart
from pydantic_ai.tools import ToolDefinition

from switchboard.agents.assistant import Deps
from switchboard.agents.watching import ToolCall, show_tool_call
from switchboard.effects import told_call

_OUTPUT_TOOL = "final_result"  # what pydantic-ai calls an output function, or begins its name with


@dataclass
class ShowToolCalls(AbstractCapability[Deps]):
    """Shows the arguments of each call with what it returned, or with the error that it raised."""

    @override
    async def wrap_tool_execute(
        self,
        ctx: RunContext[Deps],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: WrapToolExecuteHandler,
    ) -> Any:
        clock = asyncio.get_running_loop().time
        began, returned = clock(), "cancelled"
        try:
            result = await handler(args)
            returned = repr(result)
        except Exception as error:
            returned = repr(error)
            raise
        finally:
            show_tool_call(
                ToolCall(
                    name=call.tool_name,
                    arguments=args,
                    returned=returned,
                    turn=ctx.deps.turn,
                    conversation=ctx.deps.conversation,
                    milliseconds=round((clock() - began) * 1000),
                )
            )
        return result


def told_calls(messages: Sequence[ModelMessage], *, after: int, besides: Collection[str]) -> Iterator[str]:
    """Yield a text for each call that returned something, in order, but for those of the tools `besides`.

    `after` is how many of the model's responses are in the history.
    """
    calls: dict[str, ToolCallPart] = {}
    responses = 0
    for message in messages:
        responses += isinstance(message, ModelResponse)
        if responses <= after:
            continue
        if isinstance(message, ModelResponse):
            calls |= {call.tool_call_id: call for call in message.tool_calls}
            continue
        for part in message.parts:
            call = calls.get(part.tool_call_id) if isinstance(part, ToolReturnPart) else None
            if isinstance(part, ToolReturnPart) and call and not _answers(call.tool_name, besides):
                yield told_call(call.tool_name, call.args_as_json_str(), f"It returned {part.model_response_str()}")


def _answers(tool: str, besides: Collection[str]) -> bool:
    """Tell whether a tool is one by which the model answers: of `besides`, or one that pydantic-ai has named."""
    return tool in besides or tool.startswith(_OUTPUT_TOOL)
