"""A plain function as the agent: what it returns, how long it may take, and what its errors mean."""

import asyncio
import threading

import pytest

from switchboard.agent import Answer, Question
from switchboard.agents.function_agent import AnswerFunction, FunctionAgent
from switchboard.errors import ModelMisconfigured, Permanent, Transient

SECRET = "the customer's words"


def ask(function: AnswerFunction, *, timeout_seconds: float = 5.0) -> Answer:
    question = Question(turn="T1", history=(), messages=("Hello", "Are you open?"), timeout_seconds=timeout_seconds)
    return FunctionAgent(function).answer(question)


async def async_answer(question: Question) -> str:
    await asyncio.sleep(0)
    return f"Answer to {len(question.messages)}"


def test_a_text_is_the_answer() -> None:
    assert ask(lambda question: " and ".join(question.messages)) == Answer(text="Hello and Are you open?")


def test_an_answer_is_taken_as_it_is() -> None:
    assert ask(lambda _question: Answer(text="A colleague takes over.", handoff=True)).handoff
    assert ask(lambda _question: Answer(no_reply=True)).no_reply


def test_a_coroutine_function_is_awaited() -> None:
    assert ask(async_answer) == Answer(text="Answer to 2")


def test_a_function_that_takes_too_long_is_tried_again() -> None:
    ended = threading.Event()

    def slow(_question: Question) -> str:
        ended.wait()
        return "too late"

    with pytest.raises(Transient, match="T1: no answer within 0 s"):
        ask(slow, timeout_seconds=0.01)
    ended.set()


def test_a_coroutine_that_takes_too_long_is_cancelled() -> None:
    cancelled = threading.Event()

    async def slow(_question: Question) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "never"

    with pytest.raises(Transient):
        ask(slow, timeout_seconds=0.01)

    assert cancelled.wait(10)


class RateLimitError(Exception):
    status_code = 429


class AuthenticationError(Exception):
    """As the SDKs of models raise it: they are recognised by the package's name."""

    status_code = 401


AuthenticationError.__module__ = "openai"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (TimeoutError(SECRET), Transient),
        (ConnectionResetError(SECRET), Transient),
        (RateLimitError(SECRET), Transient),
        (AuthenticationError(SECRET), ModelMisconfigured),
        (KeyError(SECRET), Permanent),
        (SystemExit(SECRET), Permanent),
    ],
)
def test_an_error_says_who_mends_it_and_repeats_no_words(error: BaseException, raised: type[Exception]) -> None:
    def fail(_question: Question) -> str:
        raise error

    with pytest.raises(raised) as caught:
        ask(fail)

    assert type(caught.value) is raised
    assert SECRET not in str(caught.value)
    assert f"failed with {type(error).__name__}" in str(caught.value)


def test_an_error_of_ours_stays_what_it_is() -> None:
    ours = Permanent("not for this customer")

    def refuse(_question: Question) -> str:
        raise ours

    with pytest.raises(Permanent) as caught:
        ask(refuse)

    assert caught.value is ours


def test_a_function_that_returns_nothing_is_told_what_to_return() -> None:
    with pytest.raises(Permanent, match="returned NoneType: it must return str or Answer"):
        ask(lambda _question: None)  # type: ignore[arg-type]
