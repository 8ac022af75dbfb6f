"""The delivery of a message to each of its recipients.

A delivery can fail after the REST call that sent the message has succeeded: the customer opted out (21610), wrote on
WhatsApp more than 24 hours ago (63016), the message is too long for the channel (21617), or the channel does not take
its file (`media_limits`). A fault can set any code.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from twilio_emulator.models import event_payloads, media_limits
from twilio_emulator.models.addresses import channel_of
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.resources import (
    Binding,
    Channel,
    DeliveryFailure,
    DeliveryStatus,
    InboxMessage,
    Message,
    Participant,
    Receipt,
)
from twilio_emulator.models.state import TimerKind, pair_key

MAX_CHANNEL_CHARACTERS = 1600
WHATSAPP_WINDOW = timedelta(hours=24)

OPTED_OUT = 21610
TOO_LONG = 21617
OUTSIDE_WINDOW = 63016

CHANNEL_SIDS = {Channel.SMS: "SM", Channel.WHATSAPP: "SM", Channel.RCS: "SM", Channel.MESSENGER: "FB"}
_REPORTS_READ = frozenset({Channel.WHATSAPP, Channel.RCS, Channel.MESSENGER})


def send(backend: Backend, message: Message) -> None:
    """Deliver a message to every participant except its author; only those on a channel get a delivery receipt."""
    for participant in backend.state.participants[message.conversation_sid].values():
        if participant.sid == message.participant_sid:
            continue
        if participant.binding is None:
            _add_to_inbox(backend, message, participant.identity or "")
            continue
        receipt = _new_receipt(backend, message, participant, participant.binding)
        if failure := _failure(backend, message, participant.binding):
            if failure.status is DeliveryStatus.UNDELIVERED:
                _set_status(backend, receipt, DeliveryStatus.SENT)
            _set_status(backend, receipt, failure.status, error_code=failure.error_code)
            continue
        _set_status(backend, receipt, DeliveryStatus.SENT)
        address = participant.binding.address
        late = backend.late_delivery(address)
        if late and late.may_be_overtaken:
            backend.state.to_be_overtaken.setdefault(address, []).append(_timer_key(receipt))
        if late or backend.delivery_delay:
            due = backend.clock() + (late.after if late else backend.delivery_delay)
            backend.schedule(due, TimerKind.DELIVERY, _timer_key(receipt))
        else:
            _deliver(backend, message, receipt, participant.binding)


def complete_delivery(backend: Backend, key: str) -> None:
    """Deliver a message that was sent earlier, if the message and its recipient still exist."""
    message_sid, receipt_sid = key.split(" ")
    receipt = backend.state.receipts.get(message_sid, {}).get(receipt_sid)
    if receipt is None or receipt.status is not DeliveryStatus.SENT:
        return
    message = backend.state.messages[receipt.conversation_sid].get(message_sid)
    participant = backend.state.participants[receipt.conversation_sid].get(receipt.participant_sid)
    if message and participant and participant.binding:
        _deliver(backend, message, receipt, participant.binding)


def mark_read(backend: Backend, address: str) -> list[InboxMessage]:
    """Return the unread messages of an address or identity, and mark them as read; SMS does not report it."""
    inbox = backend.state.inboxes.get(address, {})
    unread = [received for received in inbox.values() if received.status is not DeliveryStatus.READ]
    for received in unread:
        for receipt in _read_receipts(backend, received, address):
            _set_status(backend, receipt, DeliveryStatus.READ)
        if not _came_by_sms(backend, received, address):
            inbox[received.message_sid] = replace(received, status=DeliveryStatus.READ)
            backend.on_phone_changed(address, received.message_sid)
    return unread


def _read_receipts(backend: Backend, received: InboxMessage, address: str) -> Iterable[Receipt]:
    participant = _recipient(backend, received, address)
    if participant is None or participant.binding is None or participant.binding.channel not in _REPORTS_READ:
        return []
    receipts = backend.state.receipts.get(received.message_sid, {}).values()
    return [receipt for receipt in receipts if receipt.participant_sid == participant.sid]


def _came_by_sms(backend: Backend, received: InboxMessage, address: str) -> bool:
    participant = _recipient(backend, received, address)
    if participant is None:  # a text of Twilio's own, or the participant was removed
        return channel_of(address) is Channel.SMS
    return participant.binding is not None and participant.binding.channel is Channel.SMS


def _recipient(backend: Backend, received: InboxMessage, address: str) -> Participant | None:
    sid = backend.state.memberships.get(address, {}).get(received.conversation_sid)
    return backend.state.participants.get(received.conversation_sid, {}).get(sid or "")


def _failure(backend: Backend, message: Message, binding: Binding) -> DeliveryFailure | None:
    if failure := backend.delivery_failure(binding.address):
        return failure
    pair = pair_key(binding.address, binding.proxy_address)
    if pair in backend.state.opted_out:
        return DeliveryFailure(OPTED_OUT)
    if len(message.body or "") > MAX_CHANNEL_CHARACTERS:
        return DeliveryFailure(TOO_LONG)
    if binding.channel is Channel.WHATSAPP and message.content_sid is None:
        last_inbound = backend.state.last_inbound.get(pair)
        if last_inbound is None or backend.clock() - last_inbound > WHATSAPP_WINDOW:
            return DeliveryFailure(OUTSIDE_WINDOW)
    if code := media_limits.delivery_error(binding.channel, message.media):
        return DeliveryFailure(code)
    return None


def _new_receipt(backend: Backend, message: Message, participant: Participant, binding: Binding) -> Receipt:
    now = backend.clock()
    return Receipt(
        sid=backend.new_sid("DY"),
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        channel_message_sid=backend.new_sid(CHANNEL_SIDS[binding.channel]),
        participant_sid=participant.sid,
        status=DeliveryStatus.SENT,
        error_code=None,
        date_created=now,
        date_updated=now,
    )


def _timer_key(receipt: Receipt) -> str:
    return f"{receipt.message_sid} {receipt.sid}"


def _deliver(backend: Backend, message: Message, receipt: Receipt, binding: Binding) -> None:
    """Deliver a message, and after it those that it overtook, the newest first."""
    _set_status(backend, receipt, DeliveryStatus.DELIVERED)
    _add_to_inbox(backend, media_limits.as_received(binding.channel, message), binding.address)
    waiting = backend.state.to_be_overtaken.get(binding.address, [])
    if _timer_key(receipt) in waiting:  # nothing overtook it in time
        waiting.remove(_timer_key(receipt))
        return
    for key in reversed(backend.state.to_be_overtaken.pop(binding.address, [])):
        complete_delivery(backend, key)


def receive_from_twilio(backend: Backend, address: str, body: str, *, author: str) -> None:
    """Let a phone receive a text of Twilio's own, which belongs to no conversation."""
    sid = backend.new_sid("SM")
    backend.state.inboxes.setdefault(address, {})[sid] = InboxMessage(
        conversation_sid="",
        message_sid=sid,
        body=body,
        author=author,
        status=DeliveryStatus.DELIVERED,
        at=backend.clock(),
    )
    backend.on_phone_changed(address, sid)


def _add_to_inbox(backend: Backend, message: Message, address: str) -> None:
    backend.state.inboxes.setdefault(address, {})[message.sid] = InboxMessage(
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        body=message.body or "",
        author=message.author,
        status=DeliveryStatus.DELIVERED,
        at=backend.clock(),
        media=message.media,
    )
    backend.on_phone_changed(address, message.sid)


def _set_status(backend: Backend, receipt: Receipt, status: DeliveryStatus, *, error_code: int | None = None) -> None:
    """Set the status of a receipt and emit its event, which does not depend on the webhook header of the message."""
    changed = replace(receipt, status=status, error_code=error_code, date_updated=backend.clock())
    backend.state.receipts.setdefault(receipt.message_sid, {})[receipt.sid] = changed
    conversation = backend.state.conversations[receipt.conversation_sid]
    backend.emit(event_payloads.delivery(conversation, changed))
    participant = backend.state.participants[receipt.conversation_sid].get(receipt.participant_sid)
    if participant and participant.binding:
        backend.on_phone_changed(participant.binding.address, receipt.message_sid)
