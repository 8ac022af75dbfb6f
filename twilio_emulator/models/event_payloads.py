"""The events of the account with their parameters (Twilio, "Conversations webhooks").

Pre-events (`…Add`, `…Update`, `…Remove`) are sent before something happens, post-events (`…Added`, `…Updated`,
`…Removed`) after it. In a pre-event, a resource that is about to be added has no SID yet.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import DELIVERY_ORIGIN, Event, Origin, form_fields
from twilio_emulator.models.resources import (
    Binding,
    Channel,
    Conversation,
    File,
    Message,
    Participant,
    Receipt,
    State,
    User,
)

_BINDING_TYPES = {Channel.SMS: "SMS", Channel.WHATSAPP: "WHATSAPP", Channel.RCS: "RCS", Channel.MESSENGER: "MESSENGER"}


def conversation(
    backend: Backend,
    event_type: str,
    conversation: Conversation,
    origin: Origin,
    *,
    bindings: Sequence[Binding] = (),
    first_message: str | None = None,
    first_media: Sequence[File] = (),
) -> Event:
    """Return an event about a conversation; `bindings` are those of its participants."""
    is_new = event_type == "onConversationAdd"
    return Event(
        type=event_type,
        service_sid=conversation.service_sid,
        conversation_sid=None if is_new else conversation.sid,
        fields=form_fields(
            [
                ("ConversationSid", None if is_new else conversation.sid),
                ("DateCreated", None if is_new else conversation.date_created),
                ("DateUpdated", None if is_new else conversation.date_updated),
                ("DateRemoved", _date_removed(backend, event_type)),
                ("FriendlyName", conversation.friendly_name),
                ("UniqueName", conversation.unique_name),
                ("Attributes", conversation.attributes),
                ("ChatServiceSid", conversation.service_sid),
                ("MessagingServiceSid", conversation.messaging_service_sid),
                *(("MessagingBinding.ProxyAddress", binding.proxy_address) for binding in bindings),
                *(("MessagingBinding.Address", binding.address) for binding in bindings),
                ("MessageBody", first_message),
                ("Media", _media(first_media)),
                ("State", conversation.state),
            ]
        ),
        origin=origin,
    )


def state(backend: Backend, before: State, conversation: Conversation, *, reason: str, origin: Origin) -> Event:
    """Return the event about a new state; `reason` is API, TIMER or EVENT."""
    return Event(
        type="onConversationStateUpdated",
        service_sid=conversation.service_sid,
        conversation_sid=conversation.sid,
        fields=form_fields(
            [
                ("ChatServiceSid", conversation.service_sid),
                ("ConversationSid", conversation.sid),
                ("MessagingServiceSid", conversation.messaging_service_sid),
                ("StateFrom", before),
                ("StateTo", conversation.state),
                ("StateUpdated", backend.clock()),
                ("Reason", reason),
            ]
        ),
        origin=origin,
    )


def participant(backend: Backend, event_type: str, participant: Participant, origin: Origin) -> Event:
    """Return an event about a participant."""
    binding = participant.binding
    is_new, was_added = event_type == "onParticipantAdd", event_type == "onParticipantAdded"
    return Event(
        type=event_type,
        service_sid=backend.state.conversations[participant.conversation_sid].service_sid,
        conversation_sid=participant.conversation_sid,
        fields=form_fields(
            [
                ("ConversationSid", participant.conversation_sid),
                ("ParticipantSid", None if is_new else participant.sid),
                ("DateCreated", None if is_new else participant.date_created),
                ("DateUpdated", None if is_new or was_added else participant.date_updated),
                ("DateRemoved", _date_removed(backend, event_type)),
                ("Identity", participant.identity),
                ("RoleSid", participant.role_sid),
                ("Attributes", participant.attributes),
                ("LastReadMessageIndex", participant.last_read_message_index),
                ("MessagingBinding.ProxyAddress", binding.proxy_address if binding else None),
                ("MessagingBinding.Address", binding.address if binding else None),
                ("MessagingBinding.Type", _BINDING_TYPES[binding.channel] if binding else "CHAT"),
            ]
        ),
        origin=origin,
    )


def message(backend: Backend, event_type: str, message: Message, origin: Origin) -> Event:
    """Return an event about a message."""
    conversation = backend.state.conversations[message.conversation_sid]
    is_new, was_added = event_type == "onMessageAdd", event_type == "onMessageAdded"
    return Event(
        type=event_type,
        service_sid=conversation.service_sid,
        conversation_sid=conversation.sid,
        fields=form_fields(
            [
                ("ConversationSid", conversation.sid),
                ("MessageSid", None if is_new else message.sid),
                ("ChatServiceSid", conversation.service_sid),
                ("MessagingServiceSid", conversation.messaging_service_sid),
                ("Index", None if is_new else message.index),
                ("DateCreated", None if is_new else message.date_created),
                ("DateUpdated", None if is_new or was_added else message.date_updated),
                ("DateRemoved", _date_removed(backend, event_type)),
                ("Body", message.body),
                ("Author", message.author),
                ("ParticipantSid", message.participant_sid),
                ("Attributes", message.attributes),
                ("Media", _media(message.media)),
            ]
        ),
        origin=origin,
    )


def delivery(conversation: Conversation, receipt: Receipt) -> Event:
    """Return the event about a delivery receipt."""
    return Event(
        type="onDeliveryUpdated",
        service_sid=conversation.service_sid,
        conversation_sid=conversation.sid,
        fields=form_fields(
            [
                ("ConversationSid", conversation.sid),
                ("ChatServiceSid", conversation.service_sid),
                ("MessageSid", receipt.message_sid),
                ("DeliveryReceiptSid", receipt.sid),
                ("ChannelMessageSid", receipt.channel_message_sid),
                ("ParticipantSid", receipt.participant_sid),
                ("Status", receipt.status),
                ("ErrorCode", receipt.error_code),
                ("DateCreated", receipt.date_created),
                ("DateUpdated", receipt.date_updated),
            ]
        ),
        origin=DELIVERY_ORIGIN,
    )


def user(event_type: str, user: User, origin: Origin) -> Event:
    """Return an event about a user."""
    return Event(
        type=event_type,
        service_sid=user.service_sid,
        conversation_sid=None,
        fields=form_fields(
            [
                ("ChatServiceSid", user.service_sid),
                ("UserSid", user.sid),
                ("DateCreated", user.date_created),
                ("DateUpdated", user.date_updated),
                ("Identity", user.identity),
                ("RoleSid", user.role_sid),
                ("Attributes", user.attributes),
                ("FriendlyName", user.friendly_name),
                ("isOnline", "false"),
                ("isNotifiable", "false"),
            ]
        ),
        origin=origin,
    )


def _date_removed(backend: Backend, event_type: str) -> datetime | None:
    return backend.clock() if event_type.endswith("Removed") else None


def _media(media: Sequence[File]) -> str | None:
    if not media:
        return None
    return json.dumps(
        [
            {"Sid": file.sid, "Filename": file.filename, "ContentType": file.content_type, "Size": file.size}
            for file in media
        ]
    )
