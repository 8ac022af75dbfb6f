"""The parameters of the events about conversations, participants and messages (Twilio, "Conversations webhooks").

`…Add`, `…Update` and `…Remove` are asked before something happens, `…Added`, `…Updated` and `…Removed` told after it.
What is about to be added has no SID yet.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Event, Origin, fields
from twilio_emulator.models.resources import Binding, Channel, Conversation, File, Message, Participant, State

_BINDING_TYPES = {Channel.SMS: "SMS", Channel.WHATSAPP: "WHATSAPP", Channel.RCS: "RCS", Channel.MESSENGER: "MESSENGER"}


def conversation(
    world: World,
    event_type: str,
    conversation: Conversation,
    origin: Origin,
    *,
    bindings: Sequence[Binding] = (),
    first_message: str | None = None,
    first_media: Sequence[File] = (),
) -> Event:
    """Return an event about a conversation; `bindings` are those of its participants, on channels."""
    is_new = event_type == "onConversationAdd"
    return Event(
        type=event_type,
        service_sid=conversation.service_sid,
        conversation_sid=None if is_new else conversation.sid,
        fields=fields(
            [
                ("ConversationSid", None if is_new else conversation.sid),
                ("DateCreated", None if is_new else conversation.date_created),
                ("DateUpdated", None if is_new else conversation.date_updated),
                ("DateRemoved", _removed(world, event_type)),
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


def state(world: World, before: State, conversation: Conversation, *, reason: str, origin: Origin) -> Event:
    """Return the event of a new state; `reason` is Twilio's: API, TIMER or EVENT."""
    return Event(
        type="onConversationStateUpdated",
        service_sid=conversation.service_sid,
        conversation_sid=conversation.sid,
        fields=fields(
            [
                ("ChatServiceSid", conversation.service_sid),
                ("ConversationSid", conversation.sid),
                ("MessagingServiceSid", conversation.messaging_service_sid),
                ("StateFrom", before),
                ("StateTo", conversation.state),
                ("StateUpdated", world.clock()),
                ("Reason", reason),
            ]
        ),
        origin=origin,
    )


def participant(world: World, event_type: str, participant: Participant, origin: Origin) -> Event:
    """Return an event about a participant."""
    binding = participant.binding
    is_new, was_added = event_type == "onParticipantAdd", event_type == "onParticipantAdded"
    return Event(
        type=event_type,
        service_sid=world.state.conversations[participant.conversation_sid].service_sid,
        conversation_sid=participant.conversation_sid,
        fields=fields(
            [
                ("ConversationSid", participant.conversation_sid),
                ("ParticipantSid", None if is_new else participant.sid),
                ("DateCreated", None if is_new else participant.date_created),
                ("DateUpdated", None if is_new or was_added else participant.date_updated),
                ("DateRemoved", _removed(world, event_type)),
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


def message(world: World, event_type: str, message: Message, origin: Origin) -> Event:
    """Return an event about a message."""
    conversation = world.state.conversations[message.conversation_sid]
    is_new, was_added = event_type == "onMessageAdd", event_type == "onMessageAdded"
    return Event(
        type=event_type,
        service_sid=conversation.service_sid,
        conversation_sid=conversation.sid,
        fields=fields(
            [
                ("ConversationSid", conversation.sid),
                ("MessageSid", None if is_new else message.sid),
                ("ChatServiceSid", conversation.service_sid),
                ("MessagingServiceSid", conversation.messaging_service_sid),
                ("Index", None if is_new else message.index),
                ("DateCreated", None if is_new else message.date_created),
                ("DateUpdated", None if is_new or was_added else message.date_updated),
                ("DateRemoved", _removed(world, event_type)),
                ("Body", message.body),
                ("Author", message.author),
                ("ParticipantSid", message.participant_sid),
                ("Attributes", message.attributes),
                ("Media", _media(message.media)),
            ]
        ),
        origin=origin,
    )


def _removed(world: World, event_type: str) -> datetime | None:
    return world.clock() if event_type.endswith("Removed") else None


def _media(media: Sequence[File]) -> str | None:
    if not media:
        return None
    return json.dumps(
        [
            {"Sid": file.sid, "Filename": file.filename, "ContentType": file.content_type, "Size": file.size}
            for file in media
        ]
    )
