"""One DynamoDB table: reads, and conditional updates of a conversation's item.

Whatever DynamoDB answers is `Transient`, but for the refusals of a condition, which are decisions.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from switchboard.aws.dynamodb.items import Item, conversation_from_item, from_wire, to_wire
from switchboard.aws.dynamodb.updates import Update
from switchboard.conversation import Conversation
from switchboard.errors import Transient
from switchboard.ports import Fenced

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        TransactWriteItemTypeDef,  # for development only: boto3 makes its client classes at run time
    )


class ConditionFailed(Exception):
    """The condition of an update did not hold; `conversation` is what the item held instead."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation.sid)
        self.conversation = conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationsTable:
    """The table, as the stores use it."""

    client: "DynamoDBClient"
    name: str

    def get(self, sid: str) -> Item:
        """Return a conversation's item, empty where there is none (a consistent read)."""
        key = to_wire({"pk": sid, "sk": "CONVERSATION"})
        with transient_errors(sid):
            answer = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        return from_wire(answer.get("Item", {}))

    def read(self, sid: str) -> Conversation:
        """Return a conversation, a new one where there is no item (a consistent read)."""
        return conversation_from_item(sid, self.get(sid))

    def put(self, sid: str, item: Item) -> None:
        """Write an item beside a conversation's own; `item` says where, and a repeat changes nothing."""
        with transient_errors(sid):
            self.client.put_item(TableName=self.name, Item=to_wire(item))

    def update(self, sid: str, update: Update) -> Conversation:
        """Update a conversation's item and return it; `ConditionFailed` where the condition does not hold."""
        request: dict[str, Any] = {**update.request(self.name, sid)}
        try:
            with transient_errors(sid):
                answer = self.client.update_item(
                    **request, ReturnValues="ALL_NEW", ReturnValuesOnConditionCheckFailure="ALL_OLD"
                )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            item = cast("Item", error.response.get("Item", {}))
            raise ConditionFailed(conversation_from_item(sid, from_wire(item))) from None
        return conversation_from_item(sid, from_wire(answer["Attributes"]))

    def update_with(self, sid: str, update: Update, *, puts: Sequence[Item]) -> None:
        """Update a conversation's item and write others, all or nothing; `ConditionFailed` as by `update`.

        Without others to write it is an update, which costs half.
        """
        if not puts:
            self.update(sid, update)
            return
        changed: TransactWriteItemTypeDef = {
            "Update": {**update.request(self.name, sid), "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        }
        written: list[TransactWriteItemTypeDef] = [
            {"Put": {"TableName": self.name, "Item": to_wire(item)}} for item in puts
        ]
        reasons = self.transact(sid, [changed, *written])
        if reasons and reasons[0]["Code"] == "ConditionalCheckFailed":
            raise ConditionFailed(conversation_from_item(sid, from_wire(reasons[0].get("Item", {}))))
        if reasons:
            raise Transient(f"{sid}: DynamoDB cancelled a transaction")

    def transact(self, what: str, items: "Sequence[TransactWriteItemTypeDef]") -> Sequence[Mapping[str, Any]]:
        """Write all or nothing. Return why it was cancelled, a reason for each item, or nothing if it was not."""
        try:
            with transient_errors(what):
                self.client.transact_write_items(TransactItems=items)
        except self.client.exceptions.TransactionCanceledException as error:
            return error.response["CancellationReasons"]
        return []

    def update_fenced(self, conversation: Conversation, update: Update) -> Conversation:
        """Update a claimed conversation's item and return it; `Fenced` where the fencing token was raised."""
        try:
            return self.update(conversation.sid, update)
        except ConditionFailed:
            raise Fenced(f"{conversation.sid}: the fencing token was raised") from None

    def update_if(self, sid: str, update: Update) -> None:
        """Update a conversation's item if the condition holds; do nothing otherwise."""
        try:
            self.update(sid, update)
        except ConditionFailed:
            return


@contextmanager
def transient_errors(what: str) -> Generator[None]:
    """Turn an error of DynamoDB, or of the way to it, into `Transient`; `what` begins its text."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"ConditionalCheckFailedException", "TransactionCanceledException"}:
            raise
        raise Transient(f"{what}: DynamoDB answered {code}") from None
    except BotoCoreError as error:
        raise Transient(f"{what}: DynamoDB could not be asked ({type(error).__name__})") from None
