"""Consent: what a conversation's item knows of it, and the ledger that the customer's next conversations begin with.

The ledger's items have no `ttl`: an opt-out holds until it is taken back, also where the customer is forgotten.
"""

from switchboard.aws.dynamodb.client import ConditionFailed, ConversationsTable, transient_errors
from switchboard.aws.dynamodb.items import Item, from_wire, milliseconds, timestamp, to_wire
from switchboard.aws.dynamodb.updates import Update, raise_fencing_token
from switchboard.channels.channel import Channel
from switchboard.consent import Consent, ConsentChange
from switchboard.conversation import Conversation
from switchboard.errors import Transient

CONSENT = "CONSENT#"
_TRIES = 5  # as many words of consent would have to come at the same moment


def change_consent(table: ConversationsTable, sid: str, change: ConsentChange) -> bool:
    """Opt the customer out or in, unless a newer word said otherwise; return whether that changed anything."""
    item = table.read(sid)
    for _ in range(_TRIES):
        after = item.consent.after(change)
        is_changed = after.differs_from(item.consent)
        if after.is_result_of(change):  # first: no retry comes here once the item is written
            _keep(table, item, change)
        try:
            if after != item.consent:
                table.update(sid, _update(item.consent, after, change))
        except ConditionFailed as failed:
            item = failed.conversation
            continue
        return is_changed
    raise Transient(f"{sid}: what is known of consent changed again and again")


def read_consent(table: ConversationsTable, customer: str, channel: Channel) -> Consent:
    """Return what the ledger holds (a consistent read)."""
    with transient_errors("consent"):
        answer = table.client.get_item(TableName=table.name, Key=to_wire(_key(customer, channel)), ConsistentRead=True)
    item = from_wire(answer.get("Item", {}))
    return Consent(
        opted_out=item.get("opted_out", False),
        at=timestamp(item.get("at")),
        by_twilio=item.get("by_twilio", False),
    )


def _update(before: Consent, after: Consent, change: ConsentChange) -> Update:
    """Return an update of what the item knows, on the condition that it knows what was read.

    Where the customer stands otherwise now, it takes the conversation from its worker.
    """
    update = raise_fencing_token(change.at) if after.differs_from(before) else Update()
    update.sets.pop("ownership_epoch", None)  # who owns it stays
    if "ttl" in update.sets:  # what an earlier conversation, or the carrier, tells may be long ago
        update.sets["ttl"] = "if_not_exists(#ttl, :ttl)" if change.index is None else ":ttl"
    known = {
        "opted_out": (before.opted_out, after.opted_out),
        "consent_at": (milliseconds(before.at), milliseconds(after.at)),
        "consent_index": (before.index, after.index),
        "consent_changed_by": (before.changed_by, after.changed_by),
        "consent_by_twilio": (before.by_twilio, after.by_twilio),
    }
    conditions: list[str] = []
    for name, (was, becomes) in known.items():
        conditions.append(f"#{name} = :was_{name}")
        update.sets[name] = f":{name}"
        update.values |= {f":was_{name}": was, f":{name}": becomes}
    if before == Consent():
        conditions = [f"attribute_not_exists(#{name})" for name in known]
        for name in known:
            del update.values[f":was_{name}"]
    update.condition = " AND ".join(conditions)
    return update


def _keep(table: ConversationsTable, item: Conversation, change: ConsentChange) -> None:
    """Write the ledger, unless what it holds is newer. Nothing is kept of a customer whom nobody knows."""
    customer, channel = change.customer or item.customer, change.channel or item.channel
    if not customer or not channel:
        return
    kept = {**_key(customer, channel), "opted_out": change.opted_out, "at": milliseconds(change.at)}
    kept["by_twilio"] = change.by_twilio
    with transient_errors("consent"):
        try:
            table.client.put_item(
                TableName=table.name,
                Item=to_wire(kept),
                ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues=to_wire({":at": kept["at"]}),
            )
        except table.client.exceptions.ConditionalCheckFailedException:
            return


def _key(customer: str, channel: Channel) -> Item:
    return {"pk": f"{CONSENT}{customer}", "sk": channel.value}
