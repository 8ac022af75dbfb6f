"""What lifecycle events write: the owner of a conversation, its end, and the customer's opt-out."""

from dataclasses import dataclass
from datetime import datetime

from switchboard.aws.dynamodb.client import ConditionFailed, ConversationsTable
from switchboard.aws.dynamodb.items import milliseconds
from switchboard.aws.dynamodb.updates import (
    HUMAN_OWNER,
    NEWER,
    STILL_OURS,
    Update,
    change_of_owner,
    raise_fencing_token,
)
from switchboard.errors import Transient
from switchboard.events import Owner
from switchboard.ports import Takeover


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleStore:
    """The lifecycle's side of ConversationsTable; `switchboard.ports.LifecycleStore` says what each method does."""

    table: ConversationsTable

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        """Make a human the owner, unless a newer event set the owner: then it is outdated.

        The messages left to the human before their own message are answered: they have spoken since.
        """
        update = change_of_owner(Owner.HUMAN, at)
        if index is not None:
            update.adds["handled"] = ":handled"
            update.values[":handled"] = {index}
        try:
            conversation = self.table.update(sid, update)
        except ConditionFailed as failed:
            conversation = failed.conversation
            if index is not None:
                self.table.update(sid, Update(adds={"handled": ":handled"}, values={":handled": {index}}))
        answered = {number for number in conversation.left_to_human if index is not None and number < index}
        if answered:
            self.table.update(sid, Update(deletes={"left_to_human": ":answered"}, values={":answered": answered}))
        if conversation.owner_changed_at > at:
            return Takeover.OUTDATED
        return Takeover.APPLIED if conversation.has_a_customer() else Takeover.BEFORE_ANY_CUSTOMER

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        """Make the assistant the owner, unless a newer event set the owner. Return the indices that wait again.

        Where no human owned the conversation, nothing is taken from anybody: fencing token and ownership epoch stay,
        and a pending reply is still sent.
        """
        conversation = self.table.read(sid)
        update = change_of_owner(Owner.ASSISTANT, at)
        if conversation.owner is Owner.ASSISTANT:
            for name in ("fencing_token", "ownership_epoch"):
                del update.sets[name]
            del update.values[":one"]
        update.condition = f"({NEWER}) AND (attribute_not_exists(#fencing_token) OR {STILL_OURS})"
        update.values[":our_fencing_token"] = conversation.fencing_token
        if conversation.left_to_human:
            update.adds["requeued"] = ":left_to_human"
            update.removes = (*update.removes, "left_to_human")
            update.values[":left_to_human"] = set(conversation.left_to_human)
        try:
            return self.table.update(sid, update).coverage.requeued
        except ConditionFailed as failed:
            if failed.conversation.owner_changed_at < at:
                raise Transient(f"{sid}: the item changed while it was handed back") from None
            return failed.conversation.coverage.requeued if failed.conversation.owner_changed_at == at else None

    def close(self, sid: str, *, at: datetime) -> None:
        """Close the conversation, for good."""
        update = raise_fencing_token(at)
        update.condition = "attribute_not_exists(#state) OR #state <> :closed"
        update.sets["state"] = ":closed"
        update.values[":closed"] = "closed"
        update.removes = HUMAN_OWNER
        self.table.update_if(sid, update)

    def opt_out(self, sid: str, *, at: datetime) -> None:
        """Store that the customer has opted out at that time; an older time changes nothing."""
        update = Update(sets={"opted_out_at": ":at"}, values={":at": milliseconds(at)})
        update.condition = "attribute_not_exists(#opted_out_at) OR #opted_out_at < :at"
        self.table.update_if(sid, update)
