"""Participants: by identity in a web chat, by an address pair on every other channel."""

from dataclasses import replace
from datetime import datetime

from local.twilio.exceptions import INVALID_PARAMETER, TwilioError, not_found
from local.twilio.models import addresses, checks, conversations
from local.twilio.models.events import Event, Origin, fields
from local.twilio.models.records import Binding, Channel, Participant
from local.twilio.models.world import World, pair_key

_BINDING_TYPES = {Channel.SMS: "SMS", Channel.WHATSAPP: "WHATSAPP", Channel.RCS: "RCS", Channel.MESSENGER: "MESSENGER"}


def add(
    world: World,
    conversation_sid: str,
    *,
    origin: Origin,
    identity: str | None = None,
    address: str | None = None,
    proxy_address: str | None = None,
    attributes: str = "{}",
    role_sid: str | None = None,
) -> Participant:
    """Add somebody; 409 where the identity, or the address pair anywhere in the account, is in already."""
    conversations.must_be_open(world, conversation_sid)
    if (identity is None) == (address is None):
        raise TwilioError(INVALID_PARAMETER, "Give either Identity or MessagingBinding.Address")
    standing = world.state.participants[conversation_sid].values()
    if identity is not None and any(each.identity == identity for each in standing):
        raise TwilioError(50433)
    now = world.clock()
    participant = Participant(
        sid=world.new_sid("MB"),
        conversation_sid=conversation_sid,
        identity=checks.name("Identity", identity),
        binding=_free_binding(world, address, proxy_address) if address is not None else None,
        attributes=checks.attributes(attributes),
        role_sid=role_sid,
        last_read_message_index=None,
        last_read_timestamp=None,
        date_created=now,
        date_updated=now,
    )
    world.state.participants[conversation_sid][participant.sid] = participant
    if participant.binding:
        key = pair_key(participant.binding.address, participant.binding.proxy_address)
        world.state.conversations_by_pair[key] = conversation_sid
    _tell(world, "onParticipantAdded", participant, origin)
    return participant


def fetch(world: World, conversation_sid: str, sid: str) -> Participant:
    """Return a participant, by SID or identity."""
    participant = world.state.participants[conversation_sid].get(sid) or of_identity(world, conversation_sid, sid)
    if participant is None:
        raise not_found(f"/Conversations/{conversation_sid}/Participants/{sid}")
    return participant


def of_identity(world: World, conversation_sid: str, identity: str) -> Participant | None:
    """Return the participant with an identity, if there is one."""
    standing = world.state.participants[conversation_sid].values()
    return next((each for each in standing if each.identity == identity), None)


def of_author(world: World, conversation_sid: str, author: str) -> Participant | None:
    """Return the participant whom a message with this author is from, if there is one."""
    standing = world.state.participants[conversation_sid].values()
    return next(
        (each for each in standing if author in {each.identity, each.binding.address if each.binding else None}), None
    )


def update(
    world: World,
    participant: Participant,
    *,
    origin: Origin,
    identity: str | None = None,
    attributes: str | None = None,
    role_sid: str | None = None,
    last_read_message_index: int | None = None,
    last_read_timestamp: datetime | None = None,
) -> Participant:
    """Change what is given; None leaves a field as it is."""
    conversations.must_be_open(world, participant.conversation_sid)
    now = world.clock()
    read = last_read_message_index is not None
    changed = replace(
        participant,
        identity=checks.name("Identity", identity) or participant.identity,
        attributes=participant.attributes if attributes is None else checks.attributes(attributes),
        role_sid=role_sid or participant.role_sid,
        last_read_message_index=last_read_message_index if read else participant.last_read_message_index,
        last_read_timestamp=last_read_timestamp or (now if read else participant.last_read_timestamp),
        date_updated=now,
    )
    world.state.participants[participant.conversation_sid][participant.sid] = changed
    _tell(world, "onParticipantUpdated", changed, origin)
    return changed


def remove(world: World, participant: Participant, *, origin: Origin) -> None:
    """Take somebody out; an address pair is free at once."""
    del world.state.participants[participant.conversation_sid][participant.sid]
    if participant.binding:
        key = pair_key(participant.binding.address, participant.binding.proxy_address)
        if world.state.conversations_by_pair.get(key) == participant.conversation_sid:
            del world.state.conversations_by_pair[key]
    _tell(world, "onParticipantRemoved", participant, origin, removed=world.clock())


def _free_binding(world: World, address: str, proxy_address: str | None) -> Binding:
    channel = addresses.pair(world, address, proxy_address or "")
    binding = Binding(channel=channel, address=address, proxy_address=proxy_address or "")
    taken_by = world.state.conversations_by_pair.get(pair_key(binding.address, binding.proxy_address))
    if taken_by is not None:
        raise TwilioError(
            50416, f"A binding for this participant and proxy address already exists in Conversation {taken_by}"
        )
    return binding


def _tell(
    world: World, event_type: str, participant: Participant, origin: Origin, *, removed: datetime | None = None
) -> None:
    conversation = world.state.conversations[participant.conversation_sid]
    binding = participant.binding
    world.tell(
        Event(
            type=event_type,
            service_sid=conversation.service_sid,
            conversation_sid=conversation.sid,
            fields=fields(
                [
                    ("ConversationSid", conversation.sid),
                    ("ParticipantSid", participant.sid),
                    ("DateCreated", participant.date_created),
                    ("DateUpdated", participant.date_updated if event_type != "onParticipantAdded" else None),
                    ("DateRemoved", removed),
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
    )
