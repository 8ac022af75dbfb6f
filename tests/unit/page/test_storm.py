"""A storm that is ended early: nobody waits for a sweep, and what it started is ended in whole, once."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError

from local.aws.execution_environment import FunctionSpec
from local.aws.ministack import Throttling
from local.aws.trouble import Trouble
from local.page.storm import Phase, Storm
from local.page.storm_sides import Sent, Text
from local.page.storm_stack import Function, settle
from local.page.twin import Twin
from twilio_emulator import Emulator

SPEC = FunctionSpec(name="agent", handler="app.handler", paths=(Path(),), timeout_seconds=25, environment={}, arn="arn")
TEXT = Sent(text=Text(customer="+12025550131", to="+12025550100", body="hi"), conversation_sid="CH", index=0)
RELEASE_SECONDS = 120


@dataclass(slots=True, kw_only=True)
class SlowFunction:
    """A function whose invocations end with the test."""

    spec: FunctionSpec = SPEC
    is_invoked: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)

    def invoke(self, _event: object) -> object:
        self.is_invoked.set()
        return self.end.wait()


@dataclass(slots=True, kw_only=True)
class StackWithoutAws:
    """A stack whose local AWS answers nobody: to the storm, everything is still to be done."""

    function: SlowFunction = field(default_factory=SlowFunction)
    emulator: Emulator = field(default_factory=Emulator)
    trouble: Trouble = field(default_factory=Trouble)
    uses_emulator: bool = True

    @property
    def functions(self) -> Mapping[str, Function]:
        return {"agent": self.function, "sweeper": self.function}

    @property
    def environments(self) -> Mapping[str, Mapping[str, str]]:
        queues = {"MESSAGES_QUEUE_URL": "", "LIFECYCLE_QUEUE_URL": ""}
        return {"WebhookFunction": queues, "AgentFunction": {"CONVERSATIONS_TABLE": ""}}

    def client(self, _service: str) -> object:
        raise BotoCoreError

    def kill(self, function: str) -> None:
        pass

    def throttling(self) -> Throttling:
        return Throttling(seconds_left=0, struck=0)


def test_an_event_loop_that_ends_while_a_storm_settles_waits_for_no_sweep() -> None:
    stack = StackWithoutAws()

    async def cancelled_in_a_sweep() -> None:
        settling = asyncio.create_task(settle(stack, [TEXT], tell=lambda _: None))
        await asyncio.to_thread(stack.function.is_invoked.wait)
        settling.cancel()

    release = threading.Timer(RELEASE_SECONDS, stack.function.end.set)
    release.start()  # so that what waits for the sweep fails, and does not hang
    asyncio.run(cancelled_in_a_sweep())
    has_waited = stack.function.end.is_set()
    release.cancel()
    stack.function.end.set()

    assert not has_waited


def test_a_storm_that_is_stopped_twice_ends_once_and_in_whole() -> None:
    async def stopped_twice() -> tuple[Phase, bool]:
        begins, ends, may_end, has_ended = (asyncio.Event() for _ in range(4))

        @asynccontextmanager
        async def twin(_agent: FunctionSpec) -> AsyncIterator[Twin]:
            begins.set()
            try:
                await asyncio.Event().wait()
                yield  # type: ignore[misc]  # never reached
            finally:
                ends.set()
                await may_end.wait()
                has_ended.set()

        storm = Storm(stack=StackWithoutAws(), twin=twin)
        await storm.start(messages=2)
        await begins.wait()
        first = asyncio.create_task(storm.stop())
        await ends.wait()
        second = asyncio.create_task(storm.stop())
        await asyncio.sleep(0)  # it asks
        may_end.set()
        await asyncio.gather(first, second)
        return storm.course.phase, has_ended.is_set()

    assert asyncio.run(stopped_twice()) == (Phase.STOPPED, True)
