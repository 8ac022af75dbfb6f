"""The agent function's processes are killed in the middle of a turn, and the customer gets one answer."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from local.activity import Activity, ConversationMessage, ImportFailed, InvocationEnded, LogLine, Outcome
from local.stack import LocalStack
from tests.functions import FUNCTIONS
from tests.stacks import running
from tests.waiting import wait_until

# Shorter than on AWS, so that the test waits less. A killed worker's lease ends with the function's timeout, which must
# leave the 15 s that a freeze and a POST need; a reply that may be on its way is looked for 30 s later.
QUICK = {("AgentFunction", "Timeout"): 18, ("MessagesQueue", "VisibilityTimeout"): 2}


def the_text_is_queued(activity: Activity) -> bool:
    return isinstance(activity, LogLine) and '"message":"accepted"' in activity.text


def twilio_has_the_reply(activity: Activity) -> bool:
    return isinstance(activity, ConversationMessage) and activity.author == "switchboard"


@pytest.mark.parametrize("moment", [the_text_is_queued, twilio_has_the_reply])
def test_a_text_is_answered_once_though_the_agent_is_killed_when(moment: Callable[[Activity], bool]) -> None:
    died: list[tuple[int, ...]] = []

    def kill_once(stack: LocalStack, activity: Activity) -> None:
        if moment(activity) and not died:
            died.append(stack.functions["agent"].pids)
            stack.kill("agent")

    with running(changes=QUICK, on=kill_once) as stack:
        phone = stack.phone("+12025550150")

        text = phone.text("When are you open on Saturday?")
        (turn,) = wait_until(lambda: stack.turns(text["conversation_sid"]), within_seconds=90, what="the turn's end")
        wait_until(lambda: stack.queued() == 0)

        assert len(phone.inbox()) == 1
        assert turn["outcome"]["S"] == "answered"
        assert len(died) == 1
        assert not set(died[0]) & set(stack.stack.functions["agent"].pids)


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

        wait_until(lambda: stack.queued() == 0, within_seconds=120, pause_seconds=0.5, what="ten turns' ends")

        outcomes = [turn["outcome"]["S"] for sid in sids for turn in stack.turns(sid)]
        assert outcomes == [*["answered"] * 4, "fell_back", *["answered"] * 5]
        assert {len(phone.inbox()) for phone in phones} == {1}
        ended = [
            each.outcome for each in stack.activities if isinstance(each, InvocationEnded) and each.function == "agent"
        ]
        assert ended.count(Outcome.CRASHED) == 2
