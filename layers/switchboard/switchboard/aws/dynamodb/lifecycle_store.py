"""What lifecycle events write: the owner of a conversation, its end, and its customer's consent."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from switchboard.aws.dynamodb.client import ConditionFailed, ConversationsTable
from switchboard.aws.dynamodb.consents import change_consent
from switchboard.aws.dynamodb.items import milliseconds, note_to_item, notice_to_item, owner_change_to_item
from switchboard.aws.dynamodb.updates import (
    HUMAN_OWNER,
    NEWER_HAND_BACK,
    RETENTION,
    Update,
    epoch_seconds,
    handing_back,
    raise_fencing_token,
    taking_over,
    undelivering_update,
)
from switchboard.consent import ConsentChange
from switchboard.conversation import Conversation, Note, OwnerReason, owner_change
from switchboard.deliveries import with_failed
from switchboard.errors import Transient
from switchboard.events import DeliveryFailed, Owner
from switchboard.notices import Notice, NoticeReason, notice_of_close, notice_of_hand_back
from switchboard.ports import Takeover


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleStore:
    """The lifecycle's side of ConversationsTable; `switchboard.ports.LifecycleStore` says what each method does."""

    table: ConversationsTable

    def keep_notes(self, sid: str, notes: Sequence[Note]) -> None:
        """Keep what humans and other programs said, for the history; a repeat changes nothing."""
        for note in notes:
            self.table.put(sid, {**note_to_item(sid, note), "ttl": epoch_seconds(note.at + RETENTION)})

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        """Make a human the owner, unless a newer event set the owner: then it is outdated.

        Messages before the human's own that were left to them, or failed, are answered: they have spoken since.
        """
        reason = OwnerReason.ATTRIBUTE if index is None else OwnerReason.MESSAGE
        update = taking_over(reason, at)
        if index is not None:
            update.adds["handled"] = ":handled"
            update.sets |= {"human_spoke_at": ":at", "human_spoke_index": ":index"}
            update.values |= {":handled": {index}, ":index": index}
        change = owner_change(sid, Owner.HUMAN, reason, at=at)
        try:
            self.table.update_with(sid, update, puts=[owner_change_to_item(change)])
            conversation = self.table.read(sid)
        except ConditionFailed as failed:
            conversation = failed.conversation
            if index is not None:
                self.table.update(sid, Update(adds={"handled": ":handled"}, values={":handled": {index}}))
        unanswered = conversation.left_to_human | conversation.failed
        if index is not None and (answered := {number for number in unanswered if number < index}):
            both = {"left_to_human": ":answered", "failed": ":answered"}
            self.table.update(sid, Update(deletes=both, values={":answered": answered}))
        if conversation.owner_event_at > at:
            return Takeover.OUTDATED
        return Takeover.APPLIED if conversation.has_a_customer() else Takeover.BEFORE_ANY_CUSTOMER

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        """Make the assistant the owner, unless a newer event set the owner. Return the indices that wait again."""
        conversation = self.table.read(sid)
        update = handing_back(conversation, at)
        update.condition = f"{NEWER_HAND_BACK} AND {update.condition}"
        update.sets["owner_event_at"] = ":at"
        try:
            return self._hand_back(conversation, update, NoticeReason.BY_HUMAN, at)
        except ConditionFailed as failed:
            return _refused_hand_back(failed.conversation, at)

    def hand_back_unless_spoken(self, conversation: Conversation, *, now: datetime) -> frozenset[int] | None:
        """Make the assistant the owner, if nothing has changed since the conversation was read: no human has written.

        Twilio does not know of it, so an event that is older than `now` still counts. But not the last one, told again:
        with every update of a conversation, Twilio tells its attributes.
        """
        update = handing_back(conversation, now)
        update.sets["owner_event_at"] = ":owner_event_at"
        update.values[":owner_event_at"] = milliseconds(conversation.owner_event_at) + 1
        try:
            return self._hand_back(conversation, update, NoticeReason.BY_TIME, now)
        except ConditionFailed:
            return None

    def mark_handled(self, sid: str, *, index: int, at: datetime) -> None:
        """Count a message as handled. An item that holds nothing else is deleted in time."""
        update = Update(sets={"ttl": "if_not_exists(#ttl, :ttl)"}, adds={"handled": ":handled"})
        update.values = {":handled": {index}, ":ttl": epoch_seconds(at + RETENTION)}
        self.table.update(sid, update)

    def close(self, sid: str, *, at: datetime) -> None:
        """Close the conversation, for good."""
        update = raise_fencing_token(at)
        update.condition = "attribute_not_exists(#state) OR #state <> :closed"
        update.sets["state"] = ":closed"
        update.values[":closed"] = "closed"
        update.removes = HUMAN_OWNER
        with suppress(ConditionFailed):
            self.table.update_with(sid, update, puts=[notice_to_item(notice_of_close(sid, at=at))])

    def change_consent(self, sid: str, change: ConsentChange) -> bool:
        """Opt the customer out or in, unless a newer word said otherwise; return whether that changed anything."""
        return change_consent(self.table, sid, change)

    def has_opted_out(self, sid: str) -> bool:
        """Tell whether the conversation's customer wants no messages (a consistent read)."""
        return self.table.read(sid).consent.opted_out

    def mark_undelivered(self, failed: DeliveryFailed, *, notice: Notice | None) -> None:
        """Keep that a message did not reach the customer, with its notice; a repeat changes nothing."""
        sid = failed.conversation_sid
        conversation = self.table.read(sid)
        undelivered = with_failed(conversation.undelivered, failed.message_sid, error_code=failed.error_code)
        update = undelivering_update(conversation, undelivered, at=failed.at)
        try:
            self.table.update_with(sid, update, puts=[notice_to_item(notice)] if notice else [])
        except ConditionFailed:
            raise Transient(f"{sid}: the item changed while a failed delivery was kept") from None

    def _hand_back(
        self, conversation: Conversation, update: Update, reason: NoticeReason, at: datetime
    ) -> frozenset[int]:
        """Write a hand back and its notice, and return the indices that wait again: nobody else changes them."""
        notice = notice_of_hand_back(conversation, reason=reason, at=at)
        if notice is None:
            return self.table.update(conversation.sid, update).coverage.requeued
        change = owner_change(conversation.sid, Owner.ASSISTANT, reason, at=at)
        puts = [notice_to_item(notice), owner_change_to_item(change)]
        self.table.update_with(conversation.sid, update, puts=puts)
        return conversation.coverage.requeued | conversation.left_to_human


def _refused_hand_back(conversation: Conversation, at: datetime) -> frozenset[int] | None:
    """Return what a refused hand back means: outdated, a repeat of one that was applied, or to be tried again."""
    if conversation.owner_event_at > at or (conversation.owner is Owner.HUMAN and conversation.owner_since >= at):
        return None
    if conversation.owner_event_at == at:
        return conversation.coverage.requeued
    raise Transient(f"{conversation.sid}: the item changed while it was handed back")
