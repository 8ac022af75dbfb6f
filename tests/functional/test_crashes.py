"""The agent function's processes are killed in the middle of a turn, and the customer gets one answer.

The texts of the first test are in one run, where they wait side by side: a killed worker's lease ends with the
function's timeout, and a reply that may be on its way is looked for 30 s later.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.activity import Activity, ConversationMessage, ImportFailed, InvocationEnded, LogLine, Outcome
from local.stack import LocalStack
from tests.functions import FUNCTIONS
from tests.stacks import Phone, Running, running
from tests.waiting import wait_until

# Shorter than on AWS, so that the test waits less. The timeout must leave the 15 s that a freeze and a POST need.
QUICK = {("AgentFunction", "Timeout"): 18, ("MessagesQueue", "VisibilityTimeout"): 2}

type Moment = Callable[[Activity], bool]


def the_text_is_queued(activity: Activity) -> bool:
    return isinstance(activity, LogLine) and '"message":"accepted"' in activity.text


def twilio_has_the_reply(activity: Activity) -> bool:
    return isinstance(activity, ConversationMessage) and activity.author == "switchboard" and "$45" in activity.body


TEXTS: dict[Moment, str] = {
    the_text_is_queued: "When are you open on Saturday?",
    twilio_has_the_reply: "What does a birthday cake cost?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """The agent function's processes that died, and the text whose turn they were killed in."""

    stack: Running
    phone: Phone
    conversation_sid: str
    died: tuple[int, ...]


@pytest.fixture(scope="module")
def crashes() -> Iterator[dict[Moment, Crash]]:
    awaited: list[Moment] = []
    died: list[tuple[int, ...]] = []

    def kill_once(stack: LocalStack, activity: Activity) -> None:
        if awaited and awaited[0](activity):
            awaited.clear()
            pids = stack.functions["agent"].pids
            stack.kill("agent")
            died.append(pids)

    with running(changes=QUICK, on=kill_once) as stack:
        crashes: dict[Moment, Crash] = {}
        for number, (moment, body) in enumerate(TEXTS.items()):
            awaited.append(moment)
            phone = stack.phone(f"+120255501{50 + number}")
            conversation_sid = phone.text(body)["conversation_sid"]
            wait_until(lambda: len(died) > len(crashes), what="the crash")
            crashes[moment] = Crash(stack=stack, phone=phone, conversation_sid=conversation_sid, died=died[-1])
        yield crashes


@pytest.mark.parametrize("moment", TEXTS)
def test_a_text_is_answered_once_though_the_agent_is_killed_when(moment: Moment, crashes: dict[Moment, Crash]) -> None:
    crash = crashes[moment]

    (turn,) = wait_until(lambda: crash.stack.turns(crash.conversation_sid), what="the turn's end")
    wait_until(lambda: crash.stack.queued() == 0, what="an empty queue")

    assert len(crash.phone.inbox()) == 1
    assert turn["outcome"]["S"] == "answered"
    assert not set(crash.died) & set(crash.stack.stack.functions["agent"].pids)


POISON = "Tell me about the unicycle"
# Appended to the assistant: one question kills the process while the others are being thought about.
KILLS_ITS_PROCESS = f"""
import asyncio, os, signal

@agent.instructions
async def think_slowly(ctx: RunContext[Deps]) -> str:
    if {POISON!r} in str(ctx.prompt):
        await asyncio.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(1)
    return ""
"""


def test_of_ten_customers_one_of_whom_kills_the_process_each_time_nine_are_answered(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(FUNCTIONS / "agent", folder)
    assistant = (folder / "assistant.py").read_text()
    changes = {**QUICK, ("AgentFunction", "CodeUri"): str(folder)}
    with running(changes=changes, environment={"MAX_ATTEMPTS": "2"}) as stack:
        (folder / "assistant.py").write_text("it cannot start (")  # until all have written: they are one batch
        wait_until(lambda: any(isinstance(activity, ImportFailed) for activity in stack.activities))
        phones = [stack.phone(f"+120255501{number}") for number in range(60, 70)]
        sids = [
            phone.text(POISON if phone is phones[4] else "When are you open?")["conversation_sid"] for phone in phones
        ]
        wait_until(lambda: stack.queued() == 10)
        (folder / "assistant.py").write_text(assistant + KILLS_ITS_PROCESS)

        wait_until(lambda: stack.queued() == 0, pause_seconds=0.5, what="ten turns' ends")

        outcomes = [turn["outcome"]["S"] for sid in sids for turn in stack.turns(sid)]
        assert outcomes == [*["answered"] * 4, "fell_back", *["answered"] * 5]
        assert {len(phone.inbox()) for phone in phones} == {1}
        ended = [
            each.outcome for each in stack.activities if isinstance(each, InvocationEnded) and each.function == "agent"
        ]
        assert ended.count(Outcome.CRASHED) == 2
