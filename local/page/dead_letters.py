"""The dead-letter queue as the page shows it, and its redrive. Every call here blocks."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from switchboard.aws.dynamodb.items import HISTORY
from switchboard.aws.sqs.redrive import redrive

INVISIBLE_SECONDS = 20  # while they are read: a receive shows no further ones of a conversation else
MAX_SHOWN = 100
BATCH = 10

# In a customer's words, by what the record of the turn says: its outcome, or the rule that refused it.
WHY: Mapping[str, str] = {
    "fell_back": "No answer in time. The customer was told that a colleague will get back to them.",
    "expired": "The reply could not be sent in time.",
    "unsure": "Nobody knows whether the reply was sent.",
    "too_old": "It was too old when its turn began.",
    "window_closed": "WhatsApp's window was closed: the customer's last message is a day old.",
}
NO_TURN = "Its turn never ended: SQS gave it up."
NO_MESSAGE = "Not a message: nobody knows what to do with it."


class Stack(Protocol):
    """The part of the local stack that is needed here."""

    @property
    def environments(self) -> Mapping[str, Mapping[str, str]]:
        """The variables of each function, by its logical id."""

    def client(self, service: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        """Return a client of the local AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record of the queue. `at` is when its customer wrote, `since` when it came here, in epoch milliseconds."""

    id: str
    conversation_sid: str
    body: str
    author: str
    why: str
    at: str
    since: int


class DeadLetters:
    """The dead-letter queue of the messages. One thread at a time reads it: a receive hides what it returns."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = threading.Lock()

    def count(self) -> int:
        """Return how many there are."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self._stack.client("sqs").get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return sum(int(asked["Attributes"][name]) for name in names)

    def read(self) -> list[DeadLetter]:
        """Return the letters, oldest first, at most ten of a conversation. They stay where they are."""
        with self._lock:
            records = self._records()
        turns: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            group = record["Attributes"]["MessageGroupId"]
            if group not in turns:
                turns[group] = self._turns(group)
        letters = [_letter(record, turns[record["Attributes"]["MessageGroupId"]]) for record in records]
        return sorted(letters, key=lambda letter: letter.since)

    def redrive(self, conversation_sid: str) -> tuple[int, int]:
        """Put the letters of one conversation, or of all, back on the queue; return how many went and how many stay."""
        with self._lock:
            redriven = redrive(
                self._stack.client("sqs"),
                dead_letters=self._url,
                queue=self._agent["MESSAGES_QUEUE_URL"],
                conversation_sid=conversation_sid,
            )
        return sum(redriven.put_back.values()), redriven.left

    @property
    def _agent(self) -> Mapping[str, str]:
        return self._stack.environments["AgentFunction"]

    @property
    def _url(self) -> str:
        return self._agent["MESSAGES_DEAD_LETTER_QUEUE_URL"]

    def _records(self) -> list[dict[str, Any]]:
        sqs, found = self._stack.client("sqs"), dict[str, dict[str, Any]]()
        try:
            while len(found) < MAX_SHOWN:
                received = sqs.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=BATCH,
                    MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
                    VisibilityTimeout=INVISIBLE_SECONDS,
                ).get("Messages", [])
                if not received:
                    break
                found |= {record["MessageId"]: record for record in received}
        finally:
            for record in found.values():
                sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=record["ReceiptHandle"], VisibilityTimeout=0
                )
        return list(found.values())

    def _turns(self, conversation_sid: str) -> list[dict[str, Any]]:
        """Return the records of a conversation's turns, the newest first."""
        answer = self._stack.client("dynamodb").query(
            TableName=self._agent["CONVERSATIONS_TABLE"],
            KeyConditionExpression="pk = :sid AND begins_with(sk, :history)",
            ExpressionAttributeValues={":sid": {"S": conversation_sid}, ":history": {"S": HISTORY}},
        )
        turns = [item for item in answer["Items"] if "outcome" in item]
        return sorted(turns, key=lambda turn: int(turn["at"]["N"]), reverse=True)


def _letter(record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> DeadLetter:
    message = _message(record["Body"])
    return DeadLetter(
        id=record["MessageId"],
        conversation_sid=record["Attributes"]["MessageGroupId"] if message else "",
        body=str(message.get("body", "")) if message else record["Body"],
        author=str(message.get("author", "")),
        why=_why(str(message["message_sid"]), turns) if message else NO_MESSAGE,
        at=str(message.get("at", "")),
        since=int(record["Attributes"]["SentTimestamp"]),
    )


def _message(body: str) -> Mapping[str, Any]:
    """Return the message that a body carries; nothing where it carries none."""
    try:
        values = json.loads(body)
    except (RecursionError, ValueError):
        return {}
    return values if isinstance(values, dict) and {"message_sid", "conversation_sid"} <= values.keys() else {}


def _why(message_sid: str, turns: Sequence[Mapping[str, Any]]) -> str:
    for turn in turns:
        if {"S": message_sid} in turn["message_sids"].get("L", []):
            found = WHY.get(turn["rule"]["S"]) or WHY.get(turn["outcome"]["S"])
            return found or NO_TURN
    return NO_TURN
