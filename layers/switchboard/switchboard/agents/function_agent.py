"""A plain function as the `Agent` of a turn: it gets a `Question`, and returns a text or an `Answer`.

It may be a coroutine function. Its errors are read as those of tools and models are: time mends some, such as a timeout
or a 429, and the turn is tried again; after any other one the customer reads the fallback sentence.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from typing import cast

from switchboard.agent import Agent, Answer, Question
from switchboard.agents.failures import Verdict, judge
from switchboard.agents.places import describe
from switchboard.agents.watching import show_traceback
from switchboard.errors import Misconfigured, ModelMisconfigured, Permanent, SwitchboardError, Transient

type AnswerFunction = Callable[[Question], str | Answer] | Callable[[Question], Awaitable[str | Answer]]


@dataclass(frozen=True, slots=True)
class FunctionAgent:
    """Calls the function in a thread of its own for each question. Several turns may ask at the same time."""

    function: AnswerFunction

    def answer(self, question: Question) -> Answer:
        """Return what the function returns; `Transient` if it takes longer than `timeout_seconds`.

        A coroutine function is cancelled then. Any other function goes on, and what it returns is ignored.
        """
        future: Future[object] = Future()
        Thread(target=_run, args=(self.function, question, future), name="answer", daemon=True).start()
        wait([future], timeout=question.timeout_seconds)
        if not future.done():
            raise Transient(f"{question.turn}: no answer within {question.timeout_seconds:.0f} s")
        if (error := future.exception()) is not None:
            if not isinstance(error, SwitchboardError):
                show_traceback(error, turn=question.turn)
            raise _failure(error, turn=question.turn)
        returned = future.result()
        if isinstance(returned, str):
            return Answer(text=returned)
        if isinstance(returned, Answer):
            return returned
        raise Permanent(
            f"{question.turn}: the agent function returned {type(returned).__name__}: it must return str or Answer"
        )


def is_agent(value: object) -> bool:
    """Tell whether a value is a function, a callable object, or an object with `answer`; a class is none of these."""
    return not isinstance(value, type) and (callable(value) or callable(getattr(value, "answer", None)))


def as_agent(value: object) -> Agent:
    """Return a function, a callable object, or an object with `answer` as an `Agent`, each as `FunctionAgent` calls it.

    Raises `Misconfigured` for anything else.
    """
    if isinstance(value, FunctionAgent):
        return value
    if is_agent(value):
        return FunctionAgent(cast("AnswerFunction", getattr(value, "answer", value)))
    what = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    raise Misconfigured(
        f"{what} is not an agent: give a function that is given a Question and returns str or Answer, or an object "
        f"with such an answer"
    )


def _run(function: AnswerFunction, question: Question, future: Future[object]) -> None:
    try:
        returned = function(question)
        if inspect.isawaitable(returned):
            returned = asyncio.run(_awaited(returned, question.timeout_seconds))
        future.set_result(returned)
    except BaseException as error:  # noqa: BLE001 -- sys.exit() in somebody's function must not leave the turn waiting
        future.set_exception(error)


async def _awaited(returned: Awaitable[str | Answer], timeout_seconds: float) -> str | Answer:
    return await asyncio.wait_for(returned, timeout_seconds)


def _failure(error: BaseException, *, turn: str) -> SwitchboardError:
    """Return what the turn is told: an error of ours as it is, of another its type and place, never its text."""
    if isinstance(error, Transient | Permanent):
        return error
    verdict, _ = judge(error)
    text = f"{turn}: the agent function failed with {describe(error)}"
    match verdict:
        case Verdict.MISCONFIGURED:
            return ModelMisconfigured(f"{text}: the model refuses us; look at its key, access and quota")
        case Verdict.LATER:
            return Transient(text)
        case Verdict.PERMANENT:
            return Permanent(text)
