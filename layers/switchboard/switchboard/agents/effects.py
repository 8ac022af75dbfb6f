"""Tools that change something run once: `@runs_once`, however often the turn is tried.

Before such a tool runs, the model's messages up to its call are written down, and after it its result. Another try at
the turn goes on from these messages: the model is not asked again for what it has done, so it cannot word it otherwise.
"""
# ruff: noqa: ANN401 -- tools take and return anything

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, Concatenate, cast, overload, override

import pydantic_ai
from pydantic import TypeAdapter
from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.toolsets import FunctionToolset

from switchboard.agents.assistant import Deps
from switchboard.agents.history import prompt, with_short_results
from switchboard.errors import Misconfigured, NotSent

MAX_RESULT_CHARACTERS = 20_000  # that are kept of what a tool returns

_MARK = "__runs_once__"
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)

type Tool[**P, R] = Callable[Concatenate[RunContext[Deps], P], R]


@overload
def runs_once[**P, R](function: Tool[P, R], /) -> Tool[P, R]: ...
@overload
def runs_once[**P, R](*, check: Tool[P, Any]) -> Callable[[Tool[P, R]], Tool[P, R]]: ...
def runs_once(function: Tool[..., Any] | None = None, /, *, check: Tool[..., Any] | None = None) -> Any:
    """Declare a tool that changes something, below `@agent.tool`: each of its calls in a turn is made once.

    `check` is given what the tool was given. It returns what the tool would have, or None where nothing happened. It is
    asked where a worker died between the call and its result, or the tool failed, half a minute later at the earliest.
    Without it nobody knows then: the model is told so, and the turn is handed over to a human.

    In the tool, raise `ModelRetry` where the model must ask otherwise, and `NotSent` where nothing certainly happened
    and a later try may do it. After any other error nobody knows. Give what it calls a time-out of ten seconds at most.
    """
    if function is None:
        return partial(_declared, check=check)
    return _declared(function, check=None)


def _declared(function: Tool[..., Any], *, check: Tool[..., Any] | None) -> Tool[..., Any]:
    first = next(iter(inspect.signature(function).parameters), "")
    if not first:
        raise Misconfigured(f"@runs_once: {function.__name__} needs a first parameter ctx, and @agent.tool above it")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(check):

        @wraps(function)
        async def of_loop(ctx: RunContext[Deps], *arguments: Any, **named: Any) -> Any:
            calls = _OfLoop(asyncio.get_running_loop())
            run = partial(calls.result, function, ctx, *arguments, **named)
            look = partial(calls.result, check, ctx, *arguments, **named) if check else None
            try:
                return await asyncio.to_thread(_once, ctx, run, look)
            except asyncio.CancelledError:
                calls.cancel()
                raise

        tool: Tool[..., Any] = of_loop
    else:

        @wraps(function)
        def of_thread(ctx: RunContext[Deps], *arguments: Any, **named: Any) -> Any:
            look = partial(check, ctx, *arguments, **named) if check else None
            return _once(ctx, partial(function, ctx, *arguments, **named), look)

        tool = of_thread
    setattr(tool, _MARK, True)
    return tool


class _OfLoop:
    """Calls a function, or awaits a coroutine function on an event loop, from a thread beside it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._running: Any = None

    def result(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        returned = function(*arguments, **named)
        if not inspect.isawaitable(returned):
            return returned
        self._running = asyncio.run_coroutine_threadsafe(_awaited(returned), self._loop)
        return self._running.result()

    def cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()


async def _awaited(returned: Awaitable[Any]) -> Any:
    return await returned


def _once(ctx: RunContext[Deps], run: Callable[[], Any], check: Callable[[], Any] | None) -> Any:
    """Run a tool, or return what it returned before."""
    effects = ctx.deps.run.effects
    if effects is None:
        return run()
    call = _call_of(ctx)
    refused: list[ModelRetry] = []

    def run_or_refuse() -> str:
        try:
            return _as_json(run())
        except ModelRetry as error:  # nothing happened: the model is told what to change
            refused.append(error)
            raise NotSent(f"{ctx.deps.turn}: {call.tool_name} refused its arguments") from None

    try:
        result = effects.run_once(
            call.tool_name,
            _number_of(call, ctx.messages),
            arguments=call.args_as_json_str(),
            so_far=_account(ctx),
            run=run_or_refuse,
            check=partial(_found, check) if check else None,
        )
    except NotSent:
        if refused:
            raise refused[0] from None
        raise
    return json.loads(result)


def _found(check: Callable[[], Any]) -> str | None:
    found = check()
    return None if found is None else _as_json(found)


def _as_json(value: Any) -> str:
    text = _ANYTHING.dump_json(value, fallback=str).decode()
    return text if len(text) <= MAX_RESULT_CHARACTERS else json.dumps(text[:MAX_RESULT_CHARACTERS])


def _call_of(ctx: RunContext[Deps]) -> ToolCallPart:
    """Return the call that a tool serves: one of the model's last response."""
    calls = (call for message in reversed(ctx.messages) for call in _calls(message))
    return next(call for call in calls if call.tool_call_id == ctx.tool_call_id)


def _number_of(call: ToolCallPart, messages: Iterable[ModelMessage]) -> int:
    """Return how many calls of its tool come before it in this run; no history holds any."""
    same = [each for message in messages for each in _calls(message) if each.tool_name == call.tool_name]
    return next(number for number, each in enumerate(same) if each.tool_call_id == call.tool_call_id)


def _calls(message: ModelMessage) -> list[ToolCallPart]:
    return list(message.tool_calls) if isinstance(message, ModelResponse) else []


# ── the account of a run, and how another try goes on from it ────────────────────────────────────────────────────────


def _account(ctx: RunContext[Deps]) -> str:
    """Return the messages up to the model's last response, as JSON: without instructions, results of tools cut."""
    run = ctx.deps.run
    last = max(at for at, message in enumerate(ctx.messages) if isinstance(message, ModelResponse))
    messages = with_short_results(ctx.messages[: last + 1], after=run.responses_before)
    kept = [replace(each, instructions=None) if isinstance(each, ModelRequest) else each for each in messages]
    return json.dumps(
        {
            "asked": list(run.asked),
            "responses_before": run.responses_before,
            "messages": json.loads(ModelMessagesTypeAdapter.dump_json(kept)),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An earlier try at a turn: its messages, the last of which calls tools, and which texts it was asked."""

    asked: tuple[str, ...]
    responses_before: int
    messages: list[ModelMessage]

    @classmethod
    def read(cls, so_far: str) -> "Account":
        """Read what `_account` wrote."""
        value = json.loads(so_far)
        return cls(
            asked=tuple(value["asked"]),
            responses_before=value["responses_before"],
            messages=ModelMessagesTypeAdapter.validate_python(value["messages"]),
        )

    def not_asked(self, texts: Sequence[str]) -> list[str]:
        """Return the texts that came since."""
        known = list(self.asked)
        return [text for text in texts if text not in known or known.remove(text)]  # type: ignore[func-returns-value]


def effect_tools(agent: pydantic_ai.Agent[Deps, Any]) -> frozenset[str]:
    """Return the names of an agent's tools that are declared with `@runs_once`."""
    sets = (each for each in agent.toolsets if isinstance(each, FunctionToolset))
    tools = (item for each in sets for item in cast("FunctionToolset[Deps]", each).tools.items())
    return frozenset(name for name, tool in tools if hasattr(tool.function, _MARK))


@dataclass
class EffectsFirst(AbstractCapability[Deps]):
    """What a response asks for beside an effect waits for its result, and what came since is put after it."""

    tools: frozenset[str]
    came_since: Sequence[str] = ()

    @override
    async def before_model_request(
        self, ctx: RunContext[Deps], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        if self.came_since:
            last = request_context.messages[-1]
            if isinstance(last, ModelRequest):
                last.parts = [*last.parts, UserPromptPart(prompt(self.came_since))]
            self.came_since = ()
        return request_context

    @override
    async def after_model_request(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Leave out an answer, such as a handoff, beside an effect: it was worded without knowing the effect's result.

        Calls with the same id, which some servers send, get ids of their own.
        """
        if not any(call.tool_name in self.tools for call in response.tool_calls):
            return response
        answers = {tool.name for tool in request_context.model_request_parameters.output_tools}
        parts: list[ModelResponsePart] = []
        ids: set[str] = set()
        for part in response.parts:
            if isinstance(part, ToolCallPart):
                if part.tool_name in answers:
                    continue
                is_known = part.tool_call_id in ids
                part = replace(part, tool_call_id=f"{part.tool_call_id}-{len(ids)}") if is_known else part  # noqa: PLW2901
                ids.add(part.tool_call_id)
            parts.append(part)
        return replace(response, parts=parts)
