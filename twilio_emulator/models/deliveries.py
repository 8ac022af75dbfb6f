"""What becomes of a message on its way to each recipient.

A carrier's refusal is a failed delivery, never an error of the call that sent the message: opted out (21610), outside
the 24 hours in which WhatsApp takes free text (63016), too long for the channel (21617), or what a fault says.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from twilio_emulator.models.backend import World
from twilio_emulator.models.events import DELIVERY, Event, fields
from twilio_emulator.models.resources import (
    Arrived,
    Binding,
    Channel,
    DeliveryFailure,
    DeliveryStatus,
    Message,
    Participant,
    Receipt,
)
from twilio_emulator.models.state import Due, pair_key

MOST_CHANNEL_CHARACTERS = 1600
WHATSAPP_WINDOW = timedelta(hours=24)

OPTED_OUT = 21610
TOO_LONG = 21617
OUTSIDE_WINDOW = 63016

CHANNEL_SIDS = {Channel.SMS: "SM", Channel.WHATSAPP: "SM", Channel.RCS: "SM", Channel.MESSENGER: "FB"}
_TELLS_READ = frozenset({Channel.WHATSAPP, Channel.RCS, Channel.MESSENGER})


def send(world: World, message: Message) -> None:
    """Send a message to every participant but its author; all but chat participants get a delivery receipt."""
    for participant in world.state.participants[message.conversation_sid].values():
        if participant.sid == message.participant_sid:
            continue
        if participant.binding is None:
            _arrive(world, message, participant.identity or "")
            continue
        receipt = _receipt(world, message, participant, participant.binding)
        if failure := _failure(world, message, participant.binding):
            if failure.status is DeliveryStatus.UNDELIVERED:
                _advance(world, receipt, DeliveryStatus.SENT)
            _advance(world, receipt, failure.status, error_code=failure.error_code)
            continue
        _advance(world, receipt, DeliveryStatus.SENT)
        if world.delivery_takes:
            world.schedule(world.clock() + world.delivery_takes, Due.DELIVERY, f"{message.sid} {receipt.sid}")
        else:
            _deliver(world, message, receipt, participant.binding.address)


def look_at_delivery(world: World, key: str) -> None:
    """Deliver a message whose time has come, if it and its recipient are still there."""
    message_sid, receipt_sid = key.split(" ")
    receipt = world.state.receipts.get(message_sid, {}).get(receipt_sid)
    if receipt is None or receipt.status is not DeliveryStatus.SENT:
        return
    message = world.state.messages[receipt.conversation_sid].get(message_sid)
    participant = world.state.participants[receipt.conversation_sid].get(receipt.participant_sid)
    if message and participant and participant.binding:
        _deliver(world, message, receipt, participant.binding.address)


def read(world: World, address: str) -> list[Arrived]:
    """Mark what arrived at an address or identity as read; return it. SMS tells nobody."""
    inbox = world.state.inboxes.get(address, {})
    unread = [arrived for arrived in inbox.values() if arrived.status is not DeliveryStatus.READ]
    for arrived in unread:
        for receipt in _receipts_of(world, arrived, address):
            _advance(world, receipt, DeliveryStatus.READ)
        if not address.startswith("+"):
            inbox[arrived.message_sid] = replace(arrived, status=DeliveryStatus.READ)
    return unread


def _receipts_of(world: World, arrived: Arrived, address: str) -> Iterable[Receipt]:
    participant_sid = world.state.memberships.get(address, {}).get(arrived.conversation_sid)
    participant = world.state.participants.get(arrived.conversation_sid, {}).get(participant_sid or "")
    if participant is None or participant.binding is None or participant.binding.channel not in _TELLS_READ:
        return []
    receipts = world.state.receipts.get(arrived.message_sid, {}).values()
    return [receipt for receipt in receipts if receipt.participant_sid == participant_sid]


def _failure(world: World, message: Message, binding: Binding) -> DeliveryFailure | None:
    if failure := world.delivery_failure(binding.address):
        return failure
    pair = pair_key(binding.address, binding.proxy_address)
    if pair in world.state.opted_out:
        return DeliveryFailure(OPTED_OUT)
    if len(message.body or "") > MOST_CHANNEL_CHARACTERS:
        return DeliveryFailure(TOO_LONG)
    if binding.channel is Channel.WHATSAPP and message.content_sid is None:
        last_inbound = world.state.last_inbound.get(pair)
        if last_inbound is None or world.clock() - last_inbound > WHATSAPP_WINDOW:
            return DeliveryFailure(OUTSIDE_WINDOW)
    return None


def _receipt(world: World, message: Message, participant: Participant, binding: Binding) -> Receipt:
    now = world.clock()
    return Receipt(
        sid=world.new_sid("DY"),
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        channel_message_sid=world.new_sid(CHANNEL_SIDS[binding.channel]),
        participant_sid=participant.sid,
        status=DeliveryStatus.SENT,
        error_code=None,
        date_created=now,
        date_updated=now,
    )


def _deliver(world: World, message: Message, receipt: Receipt, address: str) -> None:
    _advance(world, receipt, DeliveryStatus.DELIVERED)
    _arrive(world, message, address)


def _arrive(world: World, message: Message, address: str) -> None:
    world.state.inboxes.setdefault(address, {})[message.sid] = Arrived(
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        body=message.body or "",
        author=message.author,
        status=DeliveryStatus.DELIVERED,
        at=world.clock(),
    )


def _advance(world: World, receipt: Receipt, status: DeliveryStatus, *, error_code: int | None = None) -> None:
    """Give a receipt its next status and tell it, whatever header the message was sent with."""
    changed = replace(receipt, status=status, error_code=error_code, date_updated=world.clock())
    world.state.receipts.setdefault(receipt.message_sid, {})[receipt.sid] = changed
    conversation = world.state.conversations[receipt.conversation_sid]
    world.tell(
        Event(
            type="onDeliveryUpdated",
            service_sid=conversation.service_sid,
            conversation_sid=conversation.sid,
            fields=fields(
                [
                    ("ConversationSid", conversation.sid),
                    ("ChatServiceSid", conversation.service_sid),
                    ("MessageSid", changed.message_sid),
                    ("DeliveryReceiptSid", changed.sid),
                    ("ChannelMessageSid", changed.channel_message_sid),
                    ("ParticipantSid", changed.participant_sid),
                    ("Status", changed.status),
                    ("ErrorCode", changed.error_code),
                    ("DateCreated", changed.date_created),
                    ("DateUpdated", changed.date_updated),
                ]
            ),
            origin=DELIVERY,
        )
    )
