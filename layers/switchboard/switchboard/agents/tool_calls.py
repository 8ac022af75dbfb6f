"""Each call of a tool in a run, shown to a developer who watches."""

from dataclasses import dataclass
from typing import Any, override

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.capabilities.abstract import WrapToolExecuteHandler
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import ToolDefinition

from switchboard.agents.assistant import Deps
from switchboard.agents.watching import ToolCall, show_tool_call


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
        returned = "cancelled"
        try:
            result = await handler(args)
            returned = repr(result)
        except Exception as error:
            returned = repr(error)
            raise
        finally:
            show_tool_call(ToolCall(name=call.tool_name, arguments=args, returned=returned))
        return result
