"""The agent function's processes are killed in the middle of a turn, and the customer gets one answer."""

from collections.abc import Callable

import pytest

from local.activity import Activity, ConversationMessage, LogLine
from local.stack import LocalStack
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
