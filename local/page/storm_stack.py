"""What a storm needs of the local stack, and when the stack has nothing left to do for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.lambda_function import LambdaFunction
from local.page.storm_sides import Sent
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.errors import SwitchboardError
from twilio_emulator import Emulator

QUEUES = ("MESSAGES_QUEUE_URL", "LIFECYCLE_QUEUE_URL")
COUNTED = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


class Stack(Protocol):
    """The part of the local stack that a storm uses."""

    emulator: Emulator

    @property
    def functions(self) -> Mapping[str, LambdaFunction]:
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
