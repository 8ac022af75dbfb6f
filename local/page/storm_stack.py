"""What a storm needs of the local stack, and when the stack has nothing left to do for it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.execution_environment import FunctionSpec, InvocationFailed
from local.aws.ministack import Throttling
from local.aws.trouble import Trouble
from local.page.storm_sides import Sent
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.errors import SwitchboardError
from twilio_emulator import Emulator

QUEUES = ("MESSAGES_QUEUE_URL", "LIFECYCLE_QUEUE_URL")
COUNTED = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
SETTLES_WITHIN_SECONDS = 300
SWEEP_SECONDS = 10  # the schedule has it come every minute
LOOK_SECONDS = 1


class Function(Protocol):
    """The part of a function that a storm uses."""

    spec: FunctionSpec

    def invoke(self, event: object) -> object:
        """Return what the handler returns for an event; raise `InvocationFailed` where it does not. It blocks."""


class Stack(Protocol):
    """The part of the local stack that a storm uses."""

    emulator: Emulator
    trouble: Trouble

    @property
    def functions(self) -> Mapping[str, Function]:
        """The functions, by the name of their folder."""

    @property
    def environments(self) -> Mapping[str, Mapping[str, str]]:
        """The functions' variables, by logical id."""

    @property
    def uses_emulator(self) -> bool:
        """Whether the functions send their requests to this stack's own emulator."""

    def client(self, service: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        """Return a client of the local AWS."""

    def kill(self, function: str) -> None:
        """End every process of a function."""

    def throttling(self) -> Throttling:
        """Return how long the tables still refuse the functions' requests. It blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """What is left to do: records in the queues, and conversations with an open turn or a message nobody handled."""

    records: int
    conversations: int

    def __str__(self) -> str:
        """Return what the page says."""
        if not self.conversations:
            return "the last records leave the queues"
        return f"{self.conversations} conversation{'s are' if self.conversations > 1 else ' is'} not done"


async def broken_on_purpose(stack: Stack) -> Sequence[str]:
    """Return what is on in "Break it", by the names that it has there, and what else is armed at the emulator."""
    throttling = await asyncio.to_thread(stack.throttling)
    model = stack.trouble.model
    kinds = dict.fromkeys(each.fault.kind for each in stack.emulator.faults.armed if not each.is_spent)
    switches = {
        "“Kill the agent in its next turn”": stack.trouble.kill_is_armed,
        "“The model is slow”": model is not None and not model.status,
        "“The model is away”": model is not None and bool(model.status),
        "“Throttle the table”": throttling.seconds_left > 0,
    }
    faults = [f"a fault of Twilio's ({kind.replace('_', ' ')})" for kind in kinds]
    return [*(name for name, is_on in switches.items() if is_on), *faults]


async def settle(stack: Stack, sent: Sequence[Sent], *, tell: Callable[[Unfinished], None]) -> bool:
    """Return once Switchboard has nothing left to do for the texts, or False where that takes too long.

    The sweeper is called meanwhile. Whoever cancels this waits for no sweep, nor does the event loop when it ends: one
    that is in flight goes on in a thread of its own.
    """
    until, swept = time.monotonic() + SETTLES_WITHIN_SECONDS, 0.0
    sweeps = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sweep")
    try:
        while left := await asyncio.to_thread(unfinished, stack, sent):
            tell(left)
            if time.monotonic() > until:
                return False
            if time.monotonic() - swept > SWEEP_SECONDS:
                swept = time.monotonic()
                with suppress(InvocationFailed):
                    await asyncio.get_running_loop().run_in_executor(sweeps, stack.functions["sweeper"].invoke, {})
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        sweeps.shutdown(wait=False)
    return True


def unfinished(stack: Stack, sent: Sequence[Sent]) -> Unfinished | None:
    """Return what is left to do, None where nothing is; who cannot be asked just now has everything left."""
    indices: dict[str, list[int]] = {}
    for each in sent:
        indices.setdefault(each.conversation_sid, []).append(each.index)
    try:
        records = sum(_records(stack, stack.environments["WebhookFunction"][name]) for name in QUEUES)
        name = stack.environments["AgentFunction"]["CONVERSATIONS_TABLE"]
        table = ConversationsTable(client=stack.client("dynamodb"), name=name)
        waiting = sum(not _is_finished(table, sid, numbers) for sid, numbers in indices.items())
    except (BotoCoreError, ClientError, SwitchboardError):
        return Unfinished(records=0, conversations=len(indices))
    return Unfinished(records=records, conversations=waiting) if records or waiting else None


def _records(stack: Stack, url: str) -> int:
    counted = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTED))["Attributes"]
    return sum(int(counted.get(name, 0)) for name in COUNTED)


def _is_finished(table: ConversationsTable, sid: str, indices: Sequence[int]) -> bool:
    conversation = table.read(sid)
    return not conversation.turn and all(map(conversation.coverage.covers, indices))
