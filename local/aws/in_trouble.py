"""Inside a function's process: do what the parent's `Trouble` says, without a line of it in the deployed code.

The runtime loads this file by its path with the first trouble; it imports nothing of `local`.
"""

import asyncio
import datetime as dt
import logging
import os
import signal
import sys
import time
import types
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, override

type Agent = Any  # of switchboard, or of pydantic-ai: this file imports neither
type Model = Any
type AgentClass = Any

TIMESTAMPS = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")  # of an SQS record, by SQS's own clock


@dataclass(slots=True, kw_only=True)
class _Now:
    """What is wrong during this invocation."""

    ahead: dt.timedelta = dt.timedelta()
    model_status: int = 0
    model_slow_seconds: float = 0
    kill: bool = False


_NOW = _Now()


def meet(trouble: Mapping[str, Any], event: object, folders: Sequence[str]) -> None:
    """Begin what is wrong during the next invocation, and end what was wrong before; `folders` hold the own code."""
    _NOW.ahead = dt.timedelta(seconds=trouble.get("ahead_seconds", 0))
    _NOW.model_status = trouble.get("model_status", 0)
    _NOW.model_slow_seconds = trouble.get("model_slow_seconds", 0)
    _NOW.kill = trouble.get("kill", False)
    if _NOW.ahead:
        _move_clock(folders)
        _move_records(event)
    if _NOW.model_status or _NOW.model_slow_seconds or _NOW.kill:
        _break_models()


class _AsReal(type):
    """Makes every date or time of Python's own an instance of the class that stands in for its class."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])


class _Datetime(dt.datetime, metaclass=_AsReal):
    """`datetime`, whose now is ahead; what it makes are plain values of `datetime`."""

    @override
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return dt.datetime(*args, **kwargs)  # noqa: DTZ001 -- whoever calls it says which zone

    @override
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return dt.datetime.now(tz) + _NOW.ahead

    @override
    @classmethod
    def utcnow(cls) -> Any:
        return dt.datetime.now(dt.UTC).replace(tzinfo=None) + _NOW.ahead

    @override
    @classmethod
    def today(cls) -> Any:
        return cls.now()


class _Date(dt.date, metaclass=_AsReal):
    """`date`, whose today is ahead."""

    @override
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return dt.date(*args, **kwargs)

    @override
    @classmethod
    def today(cls) -> Any:
        return _Datetime.now().date()


_MODULE = types.ModuleType("datetime")
_MODULE.__dict__.update({**vars(dt), "datetime": _Datetime, "date": _Date})
_STAND_INS: Mapping[int, object] = {id(dt.datetime): _Datetime, id(dt.date): _Date, id(dt): _MODULE}


def _move_clock(folders: Sequence[str]) -> None:
    """Have the function's and the layer's modules read the moved clock, those too that were imported since the last.

    Libraries keep the machine's clock: a certificate is not out of date because a test moved on by a year.
    """
    for module in list(sys.modules.values()):
        if not str(getattr(module, "__file__", None) or "").startswith(
            tuple(f"{folder}{os.sep}" for folder in folders)
        ):
            continue
        for name, value in list(vars(module).items()):
            if id(value) in _STAND_INS:
                setattr(module, name, _STAND_INS[id(value)])


def _move_records(event: object) -> None:
    """Have SQS's times agree with the moved clock."""
    records = event.get("Records", ()) if isinstance(event, Mapping) else ()
    for record in records:
        attributes: MutableMapping[str, str] = record.get("attributes", {})
        for name in TIMESTAMPS:
            if name in attributes:
                attributes[name] = str(int(attributes[name]) + round(_NOW.ahead.total_seconds() * 1000))


class ModelIsAway(Exception):
    """What the model of an agent that is no pydantic-ai agent answers, in the way of most SDKs."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the model answered {status}")
        self.status_code = status


def _break_models() -> None:
    """Have each agent that is loaded meet the trouble when it asks its model; once for a process.

    No traceback is shown of what fails on purpose.
    """
    logging.getLogger("switchboard.tracebacks").addFilter(_is_not_on_purpose)
    pydantic_ai = sys.modules.get("switchboard.agents.pydantic_ai_agent")
    functions = sys.modules.get("switchboard.agents.function_agent")
    if pydantic_ai and not hasattr(pydantic_ai.PydanticAIAgent, "meets_trouble"):
        _wrap(pydantic_ai.PydanticAIAgent, lambda agent: replace(agent, model=_broken_model(agent.model)))
    if functions and not hasattr(functions.FunctionAgent, "meets_trouble"):
        _wrap(functions.FunctionAgent, lambda agent: replace(agent, function=_broken_function(agent.function)))


def _is_not_on_purpose(_record: logging.LogRecord) -> bool:
    return not _NOW.model_status


def _wrap(agent_class: AgentClass, broken: Callable[[Agent], Agent]) -> None:
    answer = agent_class.answer

    def meet_trouble(self: Agent, question: object) -> object:
        is_wrong = _NOW.model_status or _NOW.model_slow_seconds or _NOW.kill
        return answer(broken(self) if is_wrong else self, question)

    agent_class.answer = meet_trouble
    agent_class.meets_trouble = True


def _broken_model(model: Model) -> Model:
    """Return the first model as it answers now; a fallback model is another provider's, and answers."""
    from pydantic_ai.exceptions import ModelHTTPError  # noqa: PLC0415 -- where there is such an agent it is loaded
    from pydantic_ai.models.wrapper import WrapperModel  # noqa: PLC0415

    class Broken(WrapperModel):
        @override
        async def request(self, *args: Any, **kwargs: Any) -> Any:
            _kill()
            if status := _NOW.model_status:
                _say(f"the model is away: {status}")
                raise ModelHTTPError(status_code=status, model_name=self.model_name)
            if seconds := _NOW.model_slow_seconds:
                _say(f"the model takes {seconds:g} s")
                await asyncio.sleep(seconds)
            return await super().request(*args, **kwargs)

    return Broken(model)


def _broken_function(function: Callable[[object], object]) -> Callable[[object], object]:
    def broken(question: object) -> object:
        _kill()
        if status := _NOW.model_status:
            _say(f"the model is away: {status}")
            raise ModelIsAway(status)
        if seconds := _NOW.model_slow_seconds:
            _say(f"the model takes {seconds:g} s")
            time.sleep(seconds)
        return function(question)

    return broken


def _kill() -> None:
    if _NOW.kill:
        _say("this worker is killed while it thinks")
        os.kill(os.getpid(), signal.SIGKILL)


def _say(what: str) -> None:
    sys.stdout.write(f"[TROUBLE] {what}\n")
    sys.stdout.flush()
