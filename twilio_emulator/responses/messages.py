"""/Conversations/{CH}/Messages and their receipts."""

import re
from enum import StrEnum

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import content_templates, conversations, event_payloads, media, messages, validation
from twilio_emulator.models.resources import Conversation, DeliveryStatus, File, Message, Receipt
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

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
    """Add a message, and send it. A template's text replaces body and media."""
    call.form.only(_CREATE)
    validation.name("Subject", call.form.text("Subject"))
    conversation = _conversation(call)
    content_sid = call.form.text("ContentSid") or None
    rendered = content_templates.render(call.world, content_sid, call.form.text("ContentVariables"))
    draft = messages.draft(
        call.world,
        conversation.sid,
        author=call.form.text("Author"),
        body=call.form.text("Body") if rendered is None else rendered,
        files=_files(call, conversation) if rendered is None else (),
        attributes=call.form.text("Attributes") or "{}",
        content_sid=content_sid,
        date_created=call.date_created,
        date_updated=call.date_updated,
    )
    wish = await call.ask(event_payloads.message(call.world, "onMessageAdd", draft, call.origin))
    draft = messages.wished(call.world, draft, wish)
    return created(_body(call, messages.commit(call.world, draft, origin=call.origin)))


async def fetch(call: Call) -> Answer:
    """Return a message."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a message."""
    call.form.only(_UPDATE)
    validation.name("Subject", call.form.text("Subject"))
    changed = messages.changed(
        call.world,
        _named(call),
        author=call.form.text("Author"),
        body=call.form.text("Body"),
        attributes=call.form.text("Attributes"),
        date_created=call.date_created,
        date_updated=call.date_updated,
    )
    wish = await call.ask(event_payloads.message(call.world, "onMessageUpdate", changed, call.origin))
    changed = messages.wished(call.world, changed, wish)
    return found(_body(call, messages.update(call.world, changed, origin=call.origin)))


async def delete(call: Call) -> Answer:
    """Remove a message."""
    await call.ask(event_payloads.message(call.world, "onMessageRemove", _named(call), call.origin))
    messages.remove(call.world, _named(call), origin=call.origin)
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of a conversation's messages, oldest first unless asked otherwise."""
    rows = list(call.world.state.messages[_conversation(call).sid].values())
    if call.query.choice("Order", Order) is Order.DESCENDING:
        rows.reverse()
    return page(call, "messages", rows, lambda message: _body(call, message), filters=frozenset({"Order"}))


async def fetch_receipt(call: Call) -> Answer:
    """Return a delivery receipt."""
    message = messages.parent(call.world, _conversation(call).sid, call.parts["message_sid"])
    receipt = call.world.state.receipts.get(message.sid, {}).get(call.parts["sid"])
    if receipt is None:
        raise not_found(f"/Messages/{message.sid}/Receipts/{call.parts['sid']}")
    return found(_receipt_body(call, receipt))


async def index_of_receipts(call: Call) -> Answer:
    """Return a page of a message's delivery receipts, one for each recipient who is not on chat."""
    message = messages.parent(call.world, _conversation(call).sid, call.parts["message_sid"])
    rows = list(call.world.state.receipts.get(message.sid, {}).values())
    return page(call, "delivery_receipts", rows, lambda receipt: _receipt_body(call, receipt), most=50)


def _conversation(call: Call) -> Conversation:
    return conversations.parent(call.world, call.service_sid, call.parts["conversation_sid"])


def _named(call: Call) -> Message:
    return messages.fetch(call.world, _conversation(call).sid, call.parts["sid"])


def _files(call: Call, conversation: Conversation) -> tuple[File, ...]:
    sid = call.form.text("MediaSid")
    if not sid:
        return ()
    if not re.fullmatch(r"ME[0-9a-fA-F]{32}", sid):
        raise TwilioError(50510)
    return (media.to_send(call.world, conversation.service_sid, sid),)


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


def _receipt_body(call: Call, receipt: Receipt) -> JSON:
    path = f"/Conversations/{receipt.conversation_sid}/Messages/{receipt.message_sid}/Receipts/{receipt.sid}"
    return {
        "sid": receipt.sid,
        "account_sid": call.world.account_sid,
        **call.of_service(),
        "conversation_sid": receipt.conversation_sid,
        "message_sid": receipt.message_sid,
        "channel_message_sid": receipt.channel_message_sid,
        "participant_sid": receipt.participant_sid,
        "status": receipt.status,
        "error_code": receipt.error_code or 0,
        "date_created": instant(receipt.date_created),
        "date_updated": instant(receipt.date_updated),
        "url": call.url(path),
    }
