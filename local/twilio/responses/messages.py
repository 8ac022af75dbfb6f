"""/Conversations/{CH}/Messages."""

from enum import StrEnum

from local.twilio.models import conversations, messages
from local.twilio.models.records import Conversation, DeliveryStatus, File, Message, Receipt
from local.twilio.responses.call import DELETED, JSON, Answer, Call, created, found, instant
from local.twilio.responses.paging import page

_UPDATE = frozenset({"Author", "Body", "Attributes", "Subject", "DateCreated", "DateUpdated"})
_CREATE = _UPDATE | {"MediaSid", "ContentSid", "ContentVariables"}

_REACHED = {  # a message that was read was delivered, and one that was delivered was sent
    "sent": {DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ},
    "delivered": {DeliveryStatus.DELIVERED, DeliveryStatus.READ},
    "read": {DeliveryStatus.READ},
    "failed": {DeliveryStatus.FAILED},
    "undelivered": {DeliveryStatus.UNDELIVERED},
}


class Order(StrEnum):
    """The order of a list of messages, by index."""

    ASCENDING = "asc"
    DESCENDING = "desc"


async def create(call: Call) -> Answer:
    """Add a message, and send it."""
    call.form.only(_CREATE)
    message = messages.add(
        call.world,
        _conversation(call).sid,
        origin=call.origin,
        author=call.form.text("Author"),
        body=call.form.text("Body"),
        attributes=call.form.text("Attributes") or "{}",
    )
    return created(_body(call, message))


async def fetch(call: Call) -> Answer:
    """Return a message."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a message."""
    call.form.only(_UPDATE)
    changed = messages.update(
        call.world,
        _named(call),
        origin=call.origin,
        author=call.form.text("Author"),
        body=call.form.text("Body"),
        attributes=call.form.text("Attributes"),
    )
    return found(_body(call, changed))


async def delete(call: Call) -> Answer:
    """Remove a message."""
    messages.remove(call.world, _named(call), origin=call.origin)
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of a conversation's messages, oldest first unless asked otherwise."""
    rows = list(call.world.state.messages[_conversation(call).sid].values())
    if call.query.choice("Order", Order) is Order.DESCENDING:
        rows.reverse()
    return page(call, "messages", rows, lambda message: _body(call, message), filters=frozenset({"Order"}))


def _conversation(call: Call) -> Conversation:
    return conversations.parent(call.world, call.service_sid, call.parts["conversation_sid"])


def _named(call: Call) -> Message:
    return messages.fetch(call.world, _conversation(call).sid, call.parts["sid"])


def _body(call: Call, message: Message) -> JSON:
    url = call.url(f"/Conversations/{message.conversation_sid}/Messages/{message.sid}")
    return {
        "sid": message.sid,
        "account_sid": call.world.account_sid,
        **call.of_service(),
        "conversation_sid": message.conversation_sid,
        "body": message.body,
        "media": [_file_body(file) for file in message.media] or None,
        "author": message.author,
        "participant_sid": message.participant_sid,
        "attributes": message.attributes,
        "date_created": instant(message.date_created),
        "date_updated": instant(message.date_updated),
        "index": message.index,
        "delivery": _delivery_body(list(call.world.state.receipts.get(message.sid, {}).values())),
        "content_sid": message.content_sid,
        "url": url,
        "links": {"delivery_receipts": f"{url}/Receipts", "channel_metadata": f"{url}/ChannelMetadata"},
    }


def _file_body(file: File) -> JSON:
    return {"sid": file.sid, "size": file.size, "content_type": file.content_type, "filename": file.filename}


def _delivery_body(receipts: list[Receipt]) -> JSON | None:
    """Return how many of the recipients a message reached; None where nobody gets a receipt."""
    if not receipts:
        return None
    counts = {name: sum(receipt.status in reached for receipt in receipts) for name, reached in _REACHED.items()}
    words = {0: "none", len(receipts): "all"}
    return {"total": len(receipts), **{name: words.get(count, "some") for name, count in counts.items()}}
