"""What a turn writes: the conversation's item, by one conditional update a step, and the turn's record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConditionFailed, ConversationsTable, transient_errors
from switchboard.aws.dynamodb.consents import read_consent
from switchboard.aws.dynamodb.items import (
    HISTORY,
    SUMMARY,
    Item,
    effect_attribute,
    effect_to_value,
    effects_from_item,
    effects_key,
    from_wire,
    history_key,
    loop_pause_to_value,
    notice_to_item,
    owner_change_to_item,
    pending_reply_to_value,
    record_to_item,
    summary_from_item,
    to_wire,
    turn_or_note_from_item,
)
from switchboard.aws.dynamodb.memory import conversations_of, forget_customer, items_to_remember
from switchboard.aws.dynamodb.updates import (
    LEASE,
    RETENTION,
    TURN,
    Update,
    add_indices,
    claiming_update,
    closing_update,
    epoch_seconds,
    freezing_update,
    if_our_lease,
    if_still_ours,
    joining_update,
    resending_update,
    settling_update,
)
from switchboard.channels.channel import Channel
from switchboard.consent import Consent
from switchboard.conversation import (
    FAILURE_IS_OVER,
    MAX_HISTORY_ITEMS,
    Conversation,
    Coverage,
    History,
    PendingReply,
    RefusalRule,
    TurnMessage,
    TurnRecord,
    owner_change,
)
from switchboard.effects import Effect, EffectState, TurnEffects
from switchboard.errors import Transient
from switchboard.events import Owner
from switchboard.loops import LoopPause
from switchboard.notices import Notice
from switchboard.ports import NOTHING_NEW, Busy, Fenced, Remembered, Settlement

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef  # for development only


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStore:
    """The turns' side of ConversationsTable; `switchboard.ports.TurnStore` says what each method does."""

    table: ConversationsTable
    budgets: BudgetStore

    def read_unclaimed(self, sid: str) -> Conversation:
        """Return the conversation as it is now (a consistent read)."""
        return self.table.read(sid)

    def let_go_first(self, suspect: Conversation) -> None:
        """Have the next delivery take this suspect first, unless somebody has raised the fencing token since."""
        update = if_still_ours(suspect)
        update.sets["goes_first"] = ":true"
        update.values[":true"] = True
        self.table.update_if(suspect.sid, update)

    def claim(
        self,
        sid: str,
        *,
        messages: frozenset[TurnMessage],
        redriven: frozenset[int],
        turn: str,
        token: str,
        told_at: datetime,
        now: datetime,
        lease_until: datetime,
    ) -> Conversation | Busy:
        """Raise the fencing token, take the lease, count an attempt, and join the messages to the open turn."""
        requeued = redriven & self.table.read(sid).failed if redriven else redriven
        update = claiming_update(
            messages,
            requeued=requeued,
            turn=turn,
            token=token,
            told_at=told_at,
            now=now,
            lease_until=lease_until,
        )
        try:
            return self.table.update(sid, update)
        except ConditionFailed as failed:
            item = failed.conversation
            if item.lease_token != token:
                return Busy(until=item.lease_until)
            # The answer to our first request was lost. If the conversation was taken since, the next claim decides.
            return item if item.lease_fencing_token == item.fencing_token else Busy(until=now)

    def join(self, conversation: Conversation, messages: frozenset[TurnMessage]) -> Conversation:
        """Join messages that a list has shown to the open turn."""
        return self.table.update_fenced(conversation, joining_update(conversation, messages))

    def refuse(
        self,
        conversation: Conversation,
        record: TurnRecord,
        *,
        coverage: Coverage,
        left_to_human: frozenset[int] = frozenset(),
        failed: frozenset[int] = frozenset(),
        loop_pause: LoopPause | None = None,
        notice: Notice | None = None,
    ) -> None:
        """Record the turn and close it without an answer, in one transaction."""
        update = closing_update(conversation, coverage)
        add_indices(update, left_to_human=left_to_human, failed=failed)
        if loop_pause:
            update.sets["loop_pause"] = ":loop_pause"
            update.values[":loop_pause"] = loop_pause_to_value(loop_pause)
        items: list[TransactWriteItemTypeDef] = [
            {"Update": update.request(self.table.name, conversation.sid)},
            {"Put": self._put(conversation.sid, record)},
            *(self.budgets.charges(record) if record.rule == RefusalRule.NO_REPLY else ()),
        ]
        if notice:
            items.append({"Put": {"TableName": self.table.name, "Item": to_wire(notice_to_item(notice))}})
        self._transact_fenced(conversation.sid, items)

    def read_effects(self, sid: str, turn: str) -> TurnEffects:
        """Return what the turn's tools have changed, or begun to (a consistent read)."""
        with transient_errors(sid):
            answer = self.table.client.get_item(
                TableName=self.table.name, Key=to_wire(effects_key(sid, turn)), ConsistentRead=True
            )
        return effects_from_item(from_wire(answer.get("Item", {})))

    def begin_effect(self, conversation: Conversation, effect: Effect, *, so_far: str, after: Effect | None) -> None:
        """Store that an effect begins, and the agent's account so far, in one transaction."""
        update = if_still_ours(conversation)
        update.sets["has_effects"] = ":true"
        update.values[":true"] = True
        values = {":effect": effect_to_value(effect), ":so_far": so_far, ":ttl": _effects_ttl(effect)}
        condition = "attribute_not_exists(#effect)" if after is None else "#effect = :after"
        if after is not None:
            values[":after"] = effect_to_value(after)
        self._transact_fenced(
            conversation.sid,
            [
                {"Update": update.request(self.table.name, conversation.sid)},
                {
                    "Update": {
                        "TableName": self.table.name,
                        "Key": to_wire(effects_key(conversation.sid, conversation.turn)),
                        "UpdateExpression": "SET #effect = :effect, so_far = :so_far, #ttl = :ttl",
                        "ConditionExpression": f"{condition} OR #effect = :effect",
                        "ExpressionAttributeNames": {"#effect": effect_attribute(effect), "#ttl": "ttl"},
                        "ExpressionAttributeValues": to_wire(values),
                    }
                },
            ],
        )

    def end_effect(self, conversation: Conversation, effect: Effect) -> Effect:
        """Store what became of an effect that this token has begun, and return it as it is kept."""
        name = effect_attribute(effect)
        try:
            with transient_errors(conversation.sid):
                self.table.client.update_item(
                    TableName=self.table.name,
                    Key=to_wire(effects_key(conversation.sid, conversation.turn)),
                    UpdateExpression="SET #effect = :effect",
                    ConditionExpression="#effect.#token = :token AND #effect.#state = :begun",
                    ExpressionAttributeNames={"#effect": name, "#token": "token", "#state": "state"},
                    ExpressionAttributeValues=to_wire(
                        {
                            ":effect": effect_to_value(effect),
                            ":token": effect.token,
                            ":begun": EffectState.BEGUN.value,
                        }
                    ),
                )
        except self.table.client.exceptions.ConditionalCheckFailedException:
            return self.read_effects(conversation.sid, conversation.turn).find(effect.key) or effect
        return effect

    def freeze(
        self, conversation: Conversation, pending_reply: PendingReply, *, remembered: Remembered = NOTHING_NEW
    ) -> None:
        """Store the reply. From now on, every worker that finishes this turn sends exactly this."""
        update = freezing_update(conversation, pending_reply, remembered)
        puts = items_to_remember(conversation.sid, remembered, at=pending_reply.frozen_at)
        if conversation.has_failed:
            change = owner_change(conversation.sid, Owner.ASSISTANT, FAILURE_IS_OVER, at=pending_reply.frozen_at)
            puts += [owner_change_to_item(change)]
        self._update_fenced_with(conversation, update, puts)

    def record_resend(self, conversation: Conversation, pending_reply: PendingReply) -> None:
        """Store the reply's new `send_attempts` and `verify_not_before`, before its missing parts are sent again."""
        self.table.update_fenced(conversation, resending_update(conversation, pending_reply))

    def read_fencing_token(self, sid: str) -> int:
        """Return the fencing token now (a consistent read)."""
        return self.table.read(sid).fencing_token

    def record(self, sid: str, record: TurnRecord) -> None:
        """Store the turn's record and charge the budgets in one transaction; a repeat changes only how it ended."""
        put: PutTypeDef = {**self._put(sid, record), "ConditionExpression": "attribute_not_exists(pk)"}
        reasons = self._transact(sid, [{"Put": put}, *self.budgets.charges(record)])
        if reasons and reasons[0] == "ConditionalCheckFailed":
            self._change_outcome(sid, record)
        elif reasons:
            raise Transient(f"{sid}: DynamoDB cancelled a transaction")

    def settle(self, conversation: Conversation, settlement: Settlement) -> None:
        """Close the turn: remove the pending reply, the turn, its attempts and the lease; its messages are handled."""
        puts: list[Item] = [notice_to_item(settlement.notice)] if settlement.notice else []
        if settlement.human_because:
            change = owner_change(conversation.sid, Owner.HUMAN, settlement.human_because, at=settlement.at)
            puts.append(owner_change_to_item(change))
        self._update_fenced_with(conversation, settling_update(conversation, settlement), puts)

    def give_back(self, conversation: Conversation, *, pending_reply: PendingReply | None = None) -> None:
        """Remove our lease if it is still ours, take its attempt back, and store what we know of the reply's POSTs."""
        update = if_our_lease(conversation, removes=LEASE)
        update.sets["attempts"] = "#attempts - :one"
        update.values[":one"] = 1
        if pending_reply is not None:
            update.sets["pending_reply"] = ":pending_reply"
            update.values[":pending_reply"] = pending_reply_to_value(pending_reply)
        self.table.update_if(conversation.sid, update)

    def close_empty(self, conversation: Conversation) -> None:
        """Remove our lease and a turn without messages to answer; never raises `Fenced`."""
        self.table.update_if(conversation.sid, if_our_lease(conversation, removes=(*LEASE, *TURN)))

    def history(self, sid: str, *, since: int = 0) -> History:
        """Return the latest turns and notes, in order (a consistent read: the last turn is a moment old)."""
        first = history_key(since) if since else HISTORY
        with transient_errors(sid):
            answer = self.table.client.query(
                TableName=self.table.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :sid AND sk BETWEEN :since AND :summary",
                ExpressionAttributeValues=to_wire({":sid": sid, ":since": first, ":summary": SUMMARY}),
                ScanIndexForward=False,
                Limit=MAX_HISTORY_ITEMS + 2,  # one more tells that there are more; and the summary, which is the first
            )
        items = [from_wire(item) for item in answer["Items"]]
        summary = summary_from_item(items.pop(0)) if items and items[0]["sk"] == SUMMARY else None
        newest = [turn_or_note_from_item(item) for item in items]
        return History(
            items=tuple(sorted(newest[:MAX_HISTORY_ITEMS], key=lambda item: (item.index, item.at))),
            is_complete=since == 0 and len(newest) <= MAX_HISTORY_ITEMS and "LastEvaluatedKey" not in answer,
            summary=summary,
        )

    def read_consent(self, customer: str, channel: Channel) -> Consent:
        """Return what is kept of a customer on a channel, whatever the conversation (a consistent read)."""
        return read_consent(self.table, customer, channel)

    def conversations_of(self, customer: str, *, limit: int) -> list[str]:
        """Return the SIDs of the conversations that are noted as this customer's, the newest first."""
        return conversations_of(self.table, customer, limit=limit)

    def forget_customer(self, customer: str) -> None:
        """Remove which conversations are a customer's, and the summaries of these; safe to repeat."""
        forget_customer(self.table, customer)

    def _put(self, sid: str, record: TurnRecord) -> "PutTypeDef":
        item = {**record_to_item(sid, record), "ttl": epoch_seconds(record.at + RETENTION)}
        return {"TableName": self.table.name, "Item": to_wire(item)}

    def _update_fenced_with(self, conversation: Conversation, update: Update, puts: Sequence[Item]) -> None:
        try:
            self.table.update_with(conversation.sid, update, puts=puts)
        except ConditionFailed:
            raise Fenced(f"{conversation.sid}: the fencing token was raised") from None

    def _change_outcome(self, sid: str, record: TurnRecord) -> None:
        """Store how the turn ended after all: a reply recorded as void may have been sent by a later attempt.

        What is known of its messages stays where the repeat does not know of them.
        """
        item = record_to_item(sid, record)
        changed = ["outcome", "rule", "cost", *(["sent"] if record.sent else [])]
        with transient_errors(sid):
            self.table.client.update_item(
                TableName=self.table.name,
                Key=to_wire({"pk": item["pk"], "sk": item["sk"]}),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                ExpressionAttributeNames={f"#{name}": name for name in changed},
                ExpressionAttributeValues=to_wire({f":{name}": item.get(name) for name in changed}),
            )

    def _transact_fenced(self, sid: str, items: "Sequence[TransactWriteItemTypeDef]") -> None:
        """Write all or nothing; `Fenced` where somebody has written since what they depend on."""
        reasons = self._transact(sid, items)
        if "ConditionalCheckFailed" in reasons:
            raise Fenced(f"{sid}: the fencing token was raised")
        if reasons:
            raise Transient(f"{sid}: DynamoDB cancelled a transaction")

    def _transact(self, sid: str, items: "Sequence[TransactWriteItemTypeDef]") -> list[str]:
        """Write all or nothing. Return why it was cancelled, a code for each item, or nothing if it was not."""
        return [reason["Code"] for reason in self.table.transact(sid, items)]


def _effects_ttl(effect: Effect) -> int:
    return epoch_seconds(effect.settled_by + RETENTION)
