"""Messages and their delivery receipts: /Conversations/{CH}/Messages."""

import re
from enum import StrEnum

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import content_templates, conversations, event_payloads, media, messages, validation
from twilio_emulator.models.resources import Conversation, DeliveryStatus, File, Message, Receipt
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

_UPDATE = frozenset({"Author", "Body", "Attributes", "Subject", "DateCreated", "DateUpdated"})
_CREATE = _UPDATE | {"MediaSid", "ContentSid", "ContentVariables"}

_STATUSES_COUNTED_AS = {  # a read message counts as delivered, and a delivered one as sent
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


async def create(request: Request) -> Response:
    """Add a message and deliver it. The text of a content template replaces body and media."""
    request.form.reject_unknown(_CREATE)
    validation.name("Subject", request.form.text("Subject"))
    conversation = _parent_conversation(request)
    content_sid = request.form.text("ContentSid") or None
    rendered = content_templates.render(request.backend, content_sid, request.form.text("ContentVariables"))
    draft = messages.draft(
        request.backend,
        conversation.sid,
        author=request.form.text("Author"),
        body=request.form.text("Body") if rendered is None else rendered,
        files=_files(request, conversation) if rendered is None else (),
        attributes=request.form.text("Attributes") or "{}",
        content_sid=content_sid,
        date_created=request.date_created,
        date_updated=request.date_updated,
    )
    changes = await request.call_pre_webhook(
        event_payloads.message(request.backend, "onMessageAdd", draft, request.origin)
    )
    draft = messages.apply_pre_webhook_changes(request.backend, draft, changes)
    return created(_body(request, messages.commit(request.backend, draft, origin=request.origin)))


async def fetch(request: Request) -> Response:
    """Return a message."""
    return ok(_body(request, _from_path(request)))


async def update(request: Request) -> Response:
    """Change a message."""
    request.form.reject_unknown(_UPDATE)
    validation.name("Subject", request.form.text("Subject"))
    changed = messages.changed(
        request.backend,
        _from_path(request),
        author=request.form.text("Author"),
        body=request.form.text("Body"),
        attributes=request.form.text("Attributes"),
        date_created=request.date_created,
        date_updated=request.date_updated,
    )
    changes = await request.call_pre_webhook(
        event_payloads.message(request.backend, "onMessageUpdate", changed, request.origin)
    )
    changed = messages.apply_pre_webhook_changes(request.backend, changed, changes)
    return ok(_body(request, messages.update(request.backend, changed, origin=request.origin)))


async def delete(request: Request) -> Response:
    """Remove a message."""
    await request.call_pre_webhook(
        event_payloads.message(request.backend, "onMessageRemove", _from_path(request), request.origin)
    )
    messages.remove(request.backend, _from_path(request), origin=request.origin)
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of a conversation's messages, by default oldest first."""
    rows = list(request.backend.state.messages[_parent_conversation(request).sid].values())
    if request.query.choice("Order", Order) is Order.DESCENDING:
        rows.reverse()
    return page(request, "messages", rows, lambda message: _body(request, message), filters=frozenset({"Order"}))


async def fetch_receipt(request: Request) -> Response:
    """Return a delivery receipt."""
    message = messages.fetch_parent(
        request.backend, _parent_conversation(request).sid, request.path_params["message_sid"]
    )
    receipt = request.backend.state.receipts.get(message.sid, {}).get(request.path_params["sid"])
    if receipt is None:
        raise not_found(f"/Messages/{message.sid}/Receipts/{request.path_params['sid']}")
    return ok(_receipt_body(request, receipt))


async def list_receipts(request: Request) -> Response:
    """Return a page of a message's delivery receipts, one for each recipient who is not on chat."""
    message = messages.fetch_parent(
        request.backend, _parent_conversation(request).sid, request.path_params["message_sid"]
    )
    rows = list(request.backend.state.receipts.get(message.sid, {}).values())
    return page(request, "delivery_receipts", rows, lambda receipt: _receipt_body(request, receipt), max_page_size=50)


def _parent_conversation(request: Request) -> Conversation:
    return conversations.fetch_parent(request.backend, request.service_sid, request.path_params["conversation_sid"])


def _from_path(request: Request) -> Message:
    return messages.fetch(request.backend, _parent_conversation(request).sid, request.path_params["sid"])


def _files(request: Request, conversation: Conversation) -> tuple[File, ...]:
    sid = request.form.text("MediaSid")
    if not sid:
        return ()
    if not re.fullmatch(r"ME[0-9a-fA-F]{32}", sid):
        raise TwilioError(50510)
    return (media.fetch_for_message(request.backend, conversation.service_sid, sid),)


def _body(request: Request, message: Message) -> JSON:
    url = request.url(f"/Conversations/{message.conversation_sid}/Messages/{message.sid}")
    return {
        "sid": message.sid,
        "account_sid": request.backend.account_sid,
        **request.service_fields(),
        "conversation_sid": message.conversation_sid,
        "body": message.body,
        "media": [_file_body(file) for file in message.media] or None,
        "author": message.author,
        "participant_sid": message.participant_sid,
        "attributes": message.attributes,
        "date_created": timestamp(message.date_created),
        "date_updated": timestamp(message.date_updated),
        "index": message.index,
        "delivery": _delivery_body(list(request.backend.state.receipts.get(message.sid, {}).values())),
        "content_sid": message.content_sid,
        "url": url,
        "links": {"delivery_receipts": f"{url}/Receipts", "channel_metadata": f"{url}/ChannelMetadata"},
    }


def _file_body(file: File) -> JSON:
    return {"sid": file.sid, "size": file.size, "content_type": file.content_type, "filename": file.filename}


def _delivery_body(receipts: list[Receipt]) -> JSON | None:
    """Return how many recipients a message reached; None if it has no delivery receipts."""
    if not receipts:
        return None
    counts = {
        name: sum(receipt.status in reached for receipt in receipts) for name, reached in _STATUSES_COUNTED_AS.items()
    }
    words = {0: "none", len(receipts): "all"}
    return {"total": len(receipts), **{name: words.get(count, "some") for name, count in counts.items()}}


def _receipt_body(request: Request, receipt: Receipt) -> JSON:
    path = f"/Conversations/{receipt.conversation_sid}/Messages/{receipt.message_sid}/Receipts/{receipt.sid}"
    return {
        "sid": receipt.sid,
        "account_sid": request.backend.account_sid,
        **request.service_fields(),
        "conversation_sid": receipt.conversation_sid,
        "message_sid": receipt.message_sid,
        "channel_message_sid": receipt.channel_message_sid,
        "participant_sid": receipt.participant_sid,
        "status": receipt.status,
        "error_code": receipt.error_code or 0,
        "date_created": timestamp(receipt.date_created),
        "date_updated": timestamp(receipt.date_updated),
        "url": request.url(path),
    }
