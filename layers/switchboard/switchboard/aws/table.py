"""ConversationsTable: a conversation's item, changed only by conditional writes; its turns' records; the budgets.

`CH… / CONVERSATION` is the state, `CH… / TURN#<index>#<turn>` what is remembered of a turn. What was spent stands under
`CUSTOMER#<key> / BUDGET#<day>` and `BUDGET#<day>#<shard> / BUDGET` (one shard: a thousand turns a second are enough).
A write that the fence refuses is `Fenced`; whatever else DynamoDB answers is `Transient`.
"""

import hashlib
import hmac
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from switchboard.aws.items import (
    Item,
    conversation_from_item,
    draft_to_value,
    exchanges_from_items,
    from_wire,
    joined_to_text,
    milliseconds,
    moment,
    record_to_item,
    to_wire,
)
from switchboard.aws.updates import (
    ACTIVITY,
    KEPT_FOR,
    LEASE,
    NEWER,
    SHARD,
    TURN,
    UNDER_OUR_FENCE,
    Update,
    activity_at,
    change_of_owner,
    closing_update,
    epoch_seconds,
    raised_fence,
    under_our_fence,
    with_our_lease,
)
from switchboard.conversation import Conversation, Coverage, Draft, Joined, Kind, Owner, TurnRecord
from switchboard.errors import Transient
from switchboard.limits import Spent
from switchboard.ports import Busy, Exchange, Fenced
from switchboard.sweep import Check

type DynamoDB = Any  # boto3 makes its client classes at run time: there is none to name

TURNS_SHOWN = 20  # of the past, to the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationsTable:
    """The conversations' items in DynamoDB; satisfies the ports of `take_turn` and of the lifecycle."""

    client: DynamoDB
    name: str
    customer_key: bytes

    # ── what a turn writes ───────────────────────────────────────────────────────────────────────────────────────

    def claim(
        self, sid: str, *, messages: frozenset[Joined], turn: str, token: str, now: datetime, lease_until: datetime
    ) -> Conversation | Busy:
        """Raise the fence, take the lease, count an attempt, join the messages to the open turn (or open it)."""
        update = Update(
            condition="attribute_not_exists(#lease_token) OR #lease_until <= :now"
            " OR #lease_fence <> #fence OR #lease_token = :our_token",
            sets={
                "fence": "if_not_exists(#fence, :zero) + :one",
                "lease_fence": "if_not_exists(#fence, :zero) + :one",
                "lease_until": ":lease_until",
                "lease_token": ":our_token",
                "attempts": "if_not_exists(#attempts, :zero) + :one",
                "turn": "if_not_exists(#turn, :turn)",
                **ACTIVITY,
            },
            adds={"turn_messages": ":messages"},
            values={
                ":zero": 0,
                ":one": 1,
                ":now": milliseconds(now),
                ":lease_until": milliseconds(lease_until),
                ":our_token": token,
                ":turn": turn,
                ":messages": {joined_to_text(message) for message in messages},
                **activity_at(now),
            },
        )
        try:
            return self._update(sid, update)
        except _Refused as refused:
            return Busy(until=refused.conversation.lease_until)

    def join(self, conversation: Conversation, messages: frozenset[Joined]) -> Conversation:
        """Join messages that a gap has shown to the open turn."""
        update = under_our_fence(conversation)
        update.adds["turn_messages"] = ":messages"
        update.values[":messages"] = {joined_to_text(message) for message in messages}
        return self._update_fenced(conversation, update)

    def refuse(
        self,
        conversation: Conversation,
        record: TurnRecord,
        *,
        coverage: Coverage,
        left: frozenset[int],
        owner: Owner,
        now: datetime,
    ) -> None:
        """Close the turn without an answer: covered, remembered, `left` to the human where one owns it."""
        update = closing_update(conversation, coverage=coverage, owner=owner, now=now)
        if left:
            update.adds["left"] = ":left"
            update.values[":left"] = set(left)
        items = [
            {"Update": update.request(self.name, conversation.sid)},
            {"Put": self._put(conversation.sid, record)},
        ]
        try:
            with _transient_errors(conversation.sid):
                self.client.transact_write_items(TransactItems=items)
        except self.client.exceptions.TransactionCanceledException as error:
            if any(reason["Code"] == "ConditionalCheckFailed" for reason in error.response["CancellationReasons"]):
                raise Fenced(f"{conversation.sid}: the fence was raised") from None
            raise Transient(f"{conversation.sid}: DynamoDB cancelled a transaction") from None

    def freeze(self, conversation: Conversation, draft: Draft) -> None:
        """Keep the draft: from now on nobody says anything else in this turn."""
        update = under_our_fence(conversation)
        update.sets["draft"] = ":draft"
        update.values[":draft"] = draft_to_value(draft)
        self._update_fenced(conversation, update)

    def license_resend(self, conversation: Conversation, draft: Draft) -> None:
        """Keep the draft's new `posts` and `look_after` before its missing parts are sent again."""
        self.freeze(conversation, draft)

    def read_fence(self, sid: str) -> int:
        """Return the fence now (a consistent read)."""
        with _transient_errors(sid):
            item = self._get(sid)
        return conversation_from_item(sid, item).fence

    def record(self, sid: str, record: TurnRecord) -> None:
        """Remember the turn and charge the budgets, at once; a repeat changes nothing."""
        put = {**self._put(sid, record), "ConditionExpression": "attribute_not_exists(pk)"}
        charges = [self._charge(pk, sk, record) for pk, sk in self._budgets(record.customer, record.at)]
        try:
            with _transient_errors(sid):
                self.client.transact_write_items(TransactItems=[{"Put": put}, *({"Update": each} for each in charges)])
        except self.client.exceptions.TransactionCanceledException as error:
            if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
                raise Transient(f"{sid}: DynamoDB cancelled a transaction") from None

    def spent(self, customer: str, *, now: datetime) -> Spent:
        """Return what was spent today."""
        keys = [to_wire({"pk": pk, "sk": sk}) for pk, sk in self._budgets(customer, now)]
        with _transient_errors("budgets"):
            answer = self.client.batch_get_item(RequestItems={self.name: {"Keys": keys}})
        items = [from_wire(item) for item in answer["Responses"][self.name]]
        by_customer = next((item for item in items if item["pk"].startswith("CUSTOMER#")), {})
        by_all = next((item for item in items if item["pk"].startswith("BUDGET#")), {})
        return Spent(
            by_customer=int(by_customer.get("turns", 0)),
            by_all=int(by_all.get("turns", 0)),
            told="told" in by_customer,
        )

    def settle(self, conversation: Conversation, *, coverage: Coverage, owner: Owner, now: datetime) -> None:
        """Close the turn: draft, turn, attempts and lease are gone, its messages covered."""
        self._update_fenced(conversation, closing_update(conversation, coverage=coverage, owner=owner, now=now))

    def give_back(self, conversation: Conversation, *, draft: Draft | None = None) -> None:
        """Remove our lease, if it is still ours, and keep what we know of the draft's POSTs; never raises `Fenced`."""
        update = with_our_lease(conversation, removes=LEASE)
        if draft is not None:
            update.sets["draft"] = ":draft"
            update.values[":draft"] = draft_to_value(draft)
        self._update_unless_refused(conversation.sid, update)

    def close_empty(self, conversation: Conversation) -> None:
        """Remove our lease and a turn in which nothing is left to answer; never raises `Fenced`."""
        self._update_unless_refused(conversation.sid, with_our_lease(conversation, removes=(*LEASE, *TURN)))

    def history(self, sid: str) -> tuple[Exchange, ...]:
        """Return the latest turns in which we replied, oldest first."""
        with _transient_errors(sid):
            answer = self.client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :sid AND begins_with(sk, :turns)",
                ExpressionAttributeValues=to_wire({":sid": sid, ":turns": "TURN#"}),
                ScanIndexForward=False,
                Limit=TURNS_SHOWN,
            )
        return exchanges_from_items(map(from_wire, reversed(answer["Items"])))

    # ── what happens to a conversation ───────────────────────────────────────────────────────────────────────────

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> bool:
        """Make a human the owner, if `at` is newer than what set the owner last; the message at `index` is seen.

        What was left to the human before that message is his: he has spoken since.
        """
        update = change_of_owner(Owner.HUMAN, at)
        if index is not None:
            update.adds["seen"] = ":seen"
            update.values[":seen"] = {index}
        try:
            conversation = self._update(sid, update)
        except _Refused as refused:
            conversation = refused.conversation
            if index is not None:
                self._update(sid, Update(adds={"seen": ":seen"}, values={":seen": {index}}))
        spoken_for = {number for number in conversation.left if index is not None and number < index}
        if spoken_for:
            self._update(sid, Update(deletes={"left": ":spoken_for"}, values={":spoken_for": spoken_for}))
        return conversation.owner_at <= at

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        """Make the agent the owner, if `at` is newer; return the indices that now wait for an answer again, else None.

        Where no human owned it nothing is taken from anybody: fence and era stay, a draft on its way lives on.
        """
        conversation = self._read(sid)
        update = change_of_owner(Owner.AGENT, at)
        if conversation.owner is Owner.AGENT:
            update.sets = {name: value for name, value in update.sets.items() if name not in {"fence", "era"}}
            del update.values[":one"]
        update.condition = f"({NEWER}) AND (attribute_not_exists(#fence) OR {UNDER_OUR_FENCE})"
        update.values[":our_fence"] = conversation.fence
        if conversation.left:
            update.adds["reopened"] = ":left"
            update.removes = ("left",)
            update.values[":left"] = set(conversation.left)
        try:
            return self._update(sid, update).coverage.reopened
        except _Refused as refused:
            if refused.conversation.owner_at < at:
                raise Transient(f"{sid}: the item changed while it was handed back") from None
            return refused.conversation.coverage.reopened if refused.conversation.owner_at == at else None

    def close(self, sid: str, *, at: datetime) -> None:
        """Close the conversation, for good."""
        update = raised_fence(at)
        update.condition = "attribute_not_exists(#state) OR #state <> :closed"
        update.sets["state"] = ":closed"
        update.values[":closed"] = "closed"
        self._update_unless_refused(sid, update)

    def opt_out(self, sid: str, *, at: datetime) -> None:
        """Remember that the customer's carrier refuses our messages since `at`."""
        update = Update(sets={"opted_out_at": ":at"}, values={":at": milliseconds(at)})
        update.condition = "attribute_not_exists(#opted_out_at) OR #opted_out_at < :at"
        self._update_unless_refused(sid, update)

    # ── what a sweep asks ────────────────────────────────────────────────────────────────────────────────────────

    def due(self, *, now: datetime, limit: int) -> Iterator[Check]:
        """Yield the conversations whose check is due, the longest due first."""
        with _transient_errors("by_next_check"):
            answer = self.client.query(
                TableName=self.name,
                IndexName="by_next_check",
                KeyConditionExpression="next_check_shard = :shard AND next_check <= :now",
                ExpressionAttributeValues=to_wire({":shard": SHARD, ":now": milliseconds(now)}),
                Limit=limit,
            )
        for keys in answer["Items"]:
            sid = from_wire(keys)["pk"]
            with _transient_errors(sid):
                item = self._get(sid)
            yield Check(
                conversation=conversation_from_item(sid, item),
                number=int(item.get("checks", 0)),
                activity=moment(item.get("activity")),
                due=moment(item.get("next_check")),
            )

    def is_known(self, sid: str) -> bool:
        """Tell whether the conversation has an item."""
        with _transient_errors(sid):
            return bool(self._get(sid))

    def meet(self, sid: str, *, now: datetime) -> None:
        """Give a conversation an item with its first check, if it has none."""
        update = Update(condition="attribute_not_exists(#activity)", sets={**ACTIVITY})
        update.values = {":zero": 0, **activity_at(now)}
        self._update_unless_refused(sid, update)

    def postpone(self, check: Check, *, until: datetime | None) -> None:
        """Set the next check (None: there is none), unless there was activity meanwhile."""
        update = Update(
            condition="#activity = :activity",
            values={":activity": milliseconds(check.activity)},
        )
        if until is None:
            update.removes = ("next_check", "next_check_shard")
        else:
            update.sets = {"next_check": ":until", "checks": ":number"}
            update.values |= {":until": milliseconds(until), ":number": check.number + 1}
        self._update_unless_refused(check.conversation.sid, update)

    # ── the wire ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, sid: str) -> Conversation:
        with _transient_errors(sid):
            return conversation_from_item(sid, self._get(sid))

    def _get(self, sid: str) -> Item:
        key = to_wire({"pk": sid, "sk": "CONVERSATION"})
        answer = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        return from_wire(answer.get("Item", {}))

    def _put(self, sid: str, record: TurnRecord) -> dict[str, Any]:
        item = {**record_to_item(sid, record), "ttl": epoch_seconds(record.at + KEPT_FOR)}
        return {"TableName": self.name, "Item": to_wire(item)}

    def _budgets(self, customer: str, at: datetime) -> tuple[tuple[str, str], tuple[str, str]]:
        """Return the keys of a day's budgets: the customer's, under a keyed hash of the address, and everybody's."""
        key = hmac.new(self.customer_key, customer.encode(), hashlib.sha256).hexdigest()
        return (f"CUSTOMER#{key}", f"BUDGET#{at:%Y-%m-%d}"), (f"BUDGET#{at:%Y-%m-%d}#0", "BUDGET")

    def _charge(self, pk: str, sk: str, record: TurnRecord) -> dict[str, Any]:
        sets = "SET #ttl = :ttl" + (", told = :at" if record.kind is Kind.LIMIT else "")
        values = {":ttl": epoch_seconds(record.at + KEPT_FOR), ":turns": 0 if record.kind is Kind.LIMIT else 1}
        if record.kind is Kind.LIMIT:
            values[":at"] = milliseconds(record.at)
        return {
            "TableName": self.name,
            "Key": to_wire({"pk": pk, "sk": sk}),
            "UpdateExpression": f"{sets} ADD turns :turns",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": to_wire(values),
        }

    def _update(self, sid: str, update: Update) -> Conversation:
        request = update.request(self.name, sid)
        try:
            with _transient_errors(sid):
                answer = self.client.update_item(
                    **request, ReturnValues="ALL_NEW", ReturnValuesOnConditionCheckFailure="ALL_OLD"
                )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            raise _Refused(conversation_from_item(sid, from_wire(error.response.get("Item", {})))) from None
        return conversation_from_item(sid, from_wire(answer["Attributes"]))

    def _update_fenced(self, conversation: Conversation, update: Update) -> Conversation:
        try:
            return self._update(conversation.sid, update)
        except _Refused:
            raise Fenced(f"{conversation.sid}: the fence was raised") from None

    def _update_unless_refused(self, sid: str, update: Update) -> None:
        try:
            self._update(sid, update)
        except _Refused:
            return


class _Refused(Exception):
    """The condition did not hold; `conversation` is what the item held instead."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation.sid)
        self.conversation = conversation


@contextmanager
def _transient_errors(sid: str) -> Generator[None]:
    """Turn what DynamoDB or the way to it answers into `Transient`, but for the refusals that are decisions."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"ConditionalCheckFailedException", "TransactionCanceledException"}:
            raise
        raise Transient(f"{sid}: DynamoDB answered {code}") from None
    except BotoCoreError as error:
        raise Transient(f"{sid}: DynamoDB could not be asked ({type(error).__name__})") from None
