"""What becomes of a message on its way to each recipient."""

from dataclasses import replace

from local.twilio.models.events import DELIVERY, Event, fields
from local.twilio.models.records import Arrived, Channel, DeliveryStatus, Message, Participant, Receipt
from local.twilio.models.world import World

_CHANNEL_SIDS = {Channel.SMS: "SM", Channel.WHATSAPP: "WA", Channel.RCS: "RC", Channel.MESSENGER: "FB"}


def send(world: World, message: Message) -> None:
    """Send a message to every participant but its author; all but chat participants get a delivery receipt."""
    for participant in world.state.participants[message.conversation_sid].values():
        if participant.sid == message.participant_sid:
            continue
        if participant.binding is None:
            _arrive(world, message, participant)
            continue
        receipt = _open_receipt(world, message, participant, channel=participant.binding.channel)
        if error_code := world.delivery_error(participant.binding.address):
            advance(world, receipt, DeliveryStatus.FAILED, error_code=error_code)
            continue
        advance(world, receipt, DeliveryStatus.DELIVERED)
        _arrive(world, message, participant)


def advance(world: World, receipt: Receipt, status: DeliveryStatus, *, error_code: int | None = None) -> Receipt:
    """Give a receipt its next status and tell it."""
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
    return changed


def _open_receipt(world: World, message: Message, participant: Participant, *, channel: Channel) -> Receipt:
    now = world.clock()
    receipt = Receipt(
        sid=world.new_sid("DY"),
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        channel_message_sid=world.new_sid(_CHANNEL_SIDS[channel]),
        participant_sid=participant.sid,
        status=DeliveryStatus.SENT,
        error_code=None,
        date_created=now,
        date_updated=now,
    )
    return advance(world, receipt, DeliveryStatus.SENT)


def _arrive(world: World, message: Message, participant: Participant) -> None:
    address = participant.binding.address if participant.binding else participant.identity or ""
    world.state.inboxes.setdefault(address, {})[message.sid] = Arrived(
        conversation_sid=message.conversation_sid,
        message_sid=message.sid,
        body=message.body or "",
        author=message.author,
        status=DeliveryStatus.DELIVERED,
        at=world.clock(),
    )
