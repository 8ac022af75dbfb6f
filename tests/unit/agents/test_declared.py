"""What may stand in assistant.py as `assistant`, and what its answers are checked for."""

import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import StringIO

import pytest
from pydantic_ai import Agent, RunContext, TextOutput

from switchboard.agent import Answer, Question
from switchboard.agents.answer_rules import MAX_CHARACTERS
from switchboard.agents.assistant import HANDOFF, Deps
from switchboard.agents.declared import Declared
from switchboard.agents.guarded_agent import guarded
from switchboard.agents.http_agent import HttpAgent
from switchboard.agents.watching import TRACEBACKS
from switchboard.errors import Misconfigured, Permanent
from tests.assistants import bakery, question


def upper(question: Question) -> str:
    return question.messages[0].upper()


async def upper_later(question: Question) -> str:
    return upper(question)


@dataclass
class Shop:
    """A callable object; as a dataclass that can change, it has no hash."""

    mark: str

    def __call__(self, question: Question) -> Answer:
        return Answer(text=upper(question) + self.mark, handoff=True)


class WithAnswer:
    async def answer(self, question: Question) -> str:
        return upper(question)


def ask(assistant: object, text: str = "hello", *, allowed_link_hosts: tuple[str, ...] = ()) -> Answer:
    agent = Declared(assistant).agent(model="offline", allowed_link_hosts=allowed_link_hosts)
    return agent.answer(question(text))


@pytest.mark.parametrize(
    "assistant",
    [upper, upper_later, partial(upper), Shop(mark=""), WithAnswer(), WithAnswer().answer, guarded(upper)],
)
def test_whatever_answers_a_question_is_an_assistant(assistant: object) -> None:
    assert ask(assistant).text == "HELLO"


def test_an_assistant_of_ours_is_one() -> None:
    assert ask(bakery, "How far is my cake C-202?").text == "Your cake is ready."


def test_a_bare_agent_gets_the_model_of_the_setting_and_deps_that_know_nothing() -> None:
    agent = Agent("openai:gpt-none", deps_type=Deps, output_type=[str, HANDOFF], defer_model_check=True)

    @agent.tool
    def order_status(ctx: RunContext[Deps], order_number: str) -> str:
        """Tell what became of an order, such as BH-1042."""
        return f"{order_number}: {ctx.deps.turn}, {ctx.deps.knowledge.search('prices')}"

    assert ask(agent, "What is the status of order BH-1042?").text == "BH-1042: turn-1, []"
    assert ask(agent, "I want a human").handoff


def test_a_bare_agent_without_deps_is_taken_as_it_is() -> None:
    assert ask(Agent(), "hi").text == "Hello! How can I help you?"


def test_a_bare_agent_with_deps_of_its_own_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        Misconfigured, match=r"deps_type of the agent in assistant\.py is Shop.*Agent\(deps_type=Deps\)"
    ):
        ask(Agent(deps_type=Shop))


def length(text: str) -> int:
    return len(text)


def test_an_output_that_is_no_answer_is_named() -> None:
    with pytest.raises(
        Permanent, match="the output of the agent is int: output_type takes str, Answer, HANDOFF, NO_REPLY, OPT_OUT"
    ):
        ask(Agent(output_type=TextOutput(length)))


@pytest.mark.parametrize(
    ("assistant", "said"),
    [
        (None, "declares no `assistant`. Add"),
        ("Hi", "that can answer: it is str"),
        (Shop, "that can answer: it is the class Shop"),
        (object(), "that can answer: it is object"),
    ],
)
def test_what_cannot_answer_is_named(assistant: object, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        Declared(assistant)


def test_the_same_object_is_the_same_assistant_and_another_is_another() -> None:
    shop = Shop(mark="!")

    assert {Declared(shop): 1}[Declared(shop)] == 1
    assert Declared(shop) != Declared(Shop(mark="!"))


def replies(text: str) -> Callable[[Question], str]:
    return lambda _question: text


def test_reasoning_is_taken_out_of_what_a_function_returns() -> None:
    assert ask(replies("<think>The customer is rude.</think>\nYes, until 7 pm.")).text == "Yes, until 7 pm."
    assert ask(Shop(mark="<thinking>hm"), "fine.").text == "FINE."


def test_what_a_function_may_not_say_is_refused_and_not_repeated() -> None:
    for assistant in (
        guarded(replies("The word is o c e a n - seven"), secret_phrases=["Ocean Seven"]),
        replies("Pay at https://evil.example/pay"),
    ):
        with pytest.raises(Permanent, match="the answer was refused") as raised:
            ask(assistant, allowed_link_hosts=("shop.example",))
        assert "evil" not in str(raised.value)

    assert ask(replies("See https://shop.example/a"), allowed_link_hosts=("shop.example",)).text
    assert ask(replies("Pay at https://evil.example/pay")).text


def test_a_phrase_that_is_too_short_is_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured, match="at least 6 letters"):
        guarded(upper, secret_phrases=["Oce"])


def test_an_answer_that_is_too_long_ends_at_a_sentence_and_one_without_sentences_is_refused() -> None:
    assert ask(replies("Yes. " * 4000)).text == ("Yes. " * (MAX_CHARACTERS // 5)).strip()
    with pytest.raises(Permanent, match="no sentence ends within"):
        ask(replies("y" * (MAX_CHARACTERS + 1)))


def test_silence_is_kept() -> None:
    assert ask(lambda _question: Answer(no_reply=True)) == Answer(no_reply=True)


def test_an_http_agent_is_one_line() -> None:
    Declared(HttpAgent("https://shop.example/answer")).agent(model="offline")


def test_a_plain_function_starts_without_pydantic_ai() -> None:
    program = (
        "import sys\n"
        "from switchboard.agents.declared import Declared\n"
        "from switchboard.agent import Question\n"
        "agent = Declared(lambda question: '<think>x</think>Hi').agent(model='offline')\n"
        "print(agent.answer(Question(turn='t', history=(), messages=('a',), timeout_seconds=5)).text)\n"
        "print([name for name in ('pydantic_ai', 'pydantic', 'requests') if name in sys.modules])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603

    assert ended.stdout == "Hi\n[]\n"


def test_the_traceback_of_a_function_is_shown_to_whoever_watches(caplog: pytest.LogCaptureFixture) -> None:
    def failing(question: Question) -> str:
        return {"a": "b"}[question.messages[0]]

    shown = StringIO()
    handler = logging.StreamHandler(shown)
    with pytest.raises(Permanent):
        ask(failing, "a secret")
    unseen = caplog.text
    logging.getLogger(TRACEBACKS).addHandler(handler)
    try:
        with pytest.raises(Permanent):
            ask(failing, "a secret")
    finally:
        logging.getLogger(TRACEBACKS).removeHandler(handler)

    assert "a secret" not in unseen
    assert "in failing\n" in shown.getvalue()
    assert shown.getvalue().endswith("KeyError: 'a secret'\n")


@pytest.mark.parametrize("link", ["https://evil.example/menu.pdf", "https://shop.example@evil.example/menu.pdf"])
def test_a_link_among_the_files_of_an_answer_is_held_to_the_allowed_hosts(link: str) -> None:
    def with_link(question: Question) -> Answer:
        return Answer(text=question.messages[0], files=(link,))

    with pytest.raises(Permanent, match="a link that is not allowed"):
        ask(with_link, allowed_link_hosts=("shop.example",))


def test_the_files_of_an_answer_stay_with_it() -> None:
    files = ("menu.com", "https://www.shop.example/menu")

    answer = ask(lambda _: Answer(text="Here.", files=files), allowed_link_hosts=("shop.example",))

    assert (answer.text, answer.files) == ("Here.", files)
