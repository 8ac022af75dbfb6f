"""A script as the model: a developer's own tools run without a key, and a mistake in the script is one sentence."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext

from local import scripted_model
from switchboard.agent import Answer
from switchboard.agents.assistant import HANDOFF, NO_REPLY, Assistant, Deps
from switchboard.agents.declared import Declared
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.models import DEVELOPER_PROVIDERS
from switchboard.agents.watching import TOOL_CALLS, ToolCall
from switchboard.errors import Misconfigured, Permanent
from tests.assistants import entry, question

SCRIPT = """
- when: BH-1042 | my order
  then:
    - call: order_status
      with: {order_number: BH-1042, days: 3}
    - call: refund
      with: {order_number: BH-1042}
    - say: "Done: {result}"
- when: only look
  then:
    - call: order_status
      with: {order_number: BH-1, days: 1}
- when: HUMAN
  then:
    - call: hand_off
      with: {reply: A colleague takes over.}
- when: thanks
  then:
    - call: no_reply
- when: retry
  then:
    - call: refund
      with: {order_number: none}
    - say: "It said: {result}"
- when: nobody
  then:
    - call: fly
- when: wrong
  then:
    - call: order_status
      with: {order_number: BH-1, days: many}
"""

agent = Agent(deps_type=Deps, output_type=[str, HANDOFF, NO_REPLY])


@agent.tool
def order_status(ctx: RunContext[Deps], order_number: str, days: int) -> str:
    return f"{order_number} arrives in {days} days ({ctx.deps.turn})"


@agent.tool_plain
def refund(order_number: str) -> str:
    if order_number == "none":
        raise ModelRetry("ask for the number")
    return f"{order_number} is refunded"


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Path]:
    scripted_model.register()
    file = tmp_path / "refund.yaml"
    file.write_text(SCRIPT)
    yield file
    DEVELOPER_PROVIDERS.clear()


def ask(script: Path, *messages: str, history: tuple[str, ...] = ()) -> Answer:
    before = tuple(entry(role, text) for role, text in zip(("customer", "assistant"), history, strict=False))
    return Declared(agent).agent(model=f"script:{script}").answer(question(*messages, history=before))


def test_the_steps_are_played_in_order_and_own_tools_run(script: Path) -> None:
    calls: list[ToolCall] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert isinstance(record.args, tuple)
            assert isinstance(record.args[0], ToolCall)
            calls.append(record.args[0])

    handler = Kept()
    logging.getLogger(TOOL_CALLS).addHandler(handler)
    try:
        answer = ask(script, "Where is MY ORDER?", history=("only look", "It arrives."))
    finally:
        logging.getLogger(TOOL_CALLS).removeHandler(handler)

    assert answer.text == "Done: BH-1042 is refunded"
    assert [str(call) for call in calls] == [
        "order_status(order_number='BH-1042', days=3) → 'BH-1042 arrives in 3 days (turn-1)'",
        "refund(order_number='BH-1042') → 'BH-1042 is refunded'",
    ]


def test_each_end_of_an_entry(script: Path) -> None:
    assert ask(script, "only look").text == "BH-1 arrives in 1 days (turn-1)"
    assert ask(script, "I want a human") == Answer(text="A colleague takes over.", handoff=True)
    assert ask(script, "Thanks!") == Answer(no_reply=True)
    assert ask(script, "retry").text == 'It said: {"error":"ask for the number"}'
    assert ask(script, "something else").text == "refund.yaml has no entry for this message."


def test_what_is_edited_is_played_at_once(script: Path) -> None:
    ask(script, "only look")
    script.write_text("- then:\n    - say: to everything\n")

    assert ask(script, "only look").text == "to everything"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "nobody",
            r"refund\.yaml, line 27: no tool is named 'fly'\. There are order_status, refund, hand_off, no_reply",
        ),
        ("wrong", r"refund\.yaml, line 30: order_status does not take these arguments: .*days"),
    ],
)
def test_a_step_that_cannot_be_played_is_named_with_its_line(script: Path, words: str, said: str) -> None:
    with pytest.raises(Permanent, match=rf"(?s){said}"):
        ask(script, words)


def test_what_the_guard_refuses_is_refused_to_a_script_too(script: Path) -> None:
    script.write_text("- then:\n    - say: The word is Ocean Seven.\n")
    assistant = Assistant(agent=agent, knowledge=Knowledge(), secret_phrases=("Ocean Seven",))

    with pytest.raises(Permanent, match="of the last it was told: Your answer holds words"):
        Declared(assistant).agent(model=f"script:{script}").answer(question("hi"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"s\.yaml, line 1: here a list of entries is needed"),
        ("when: x", r"s\.yaml, line 1: here a list of entries is needed"),
        ("- hello", r"s\.yaml, line 1: an entry has keys: then, when"),
        ("- when: x", r"s\.yaml, line 1: an entry needs `then`"),
        ("- then: []", r"s\.yaml, line 1: here a list of steps is needed"),
        ("- then:\n  - say: a\n- whn: x\n  then:\n  - say: b", r"s\.yaml, line 3: an entry has no key 'whn'"),
        ("- then:\n  - tell: a", r"s\.yaml, line 2: a step has no key 'tell': it has call, say, with"),
        ("- then:\n  - say: a\n    call: b", r"s\.yaml, line 2: a step has either `call` or `say`"),
        ("- then:\n  - with: {a: b}", r"s\.yaml, line 2: a step has either `call` or `say`"),
        ("- then:\n  - say: a\n    with: {a: b}", r"s\.yaml, line 2: `with` belongs to a `call`"),
        ("- then:\n  - call: a\n    with: [b]", r"s\.yaml, line 3: `with` has the arguments by their names"),
        ("- then:\n  - say: {a}", r"s\.yaml, line 2: `say` needs a text"),
        ("- then:\n  - say:", r"s\.yaml, line 2: `say` needs a text"),
        ("- then:\n  - say: a: b", r"s\.yaml, line 2: this is not YAML: mapping values are not allowed here"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.yaml").write_text(text)

    with pytest.raises(Misconfigured, match=said) as raised:
        scripted_model.scripted_model(tmp_path / "s.yaml")

    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.yaml cannot be read: No such file"):
        scripted_model.scripted_model(tmp_path / "none.yaml")


def test_without_a_developers_tool_a_script_is_no_model() -> None:
    with pytest.raises(Misconfigured, match=r"ASSISTANT_MODEL is 'script:refund\.yaml'"):
        Declared(agent).agent(model="script:refund.yaml")
