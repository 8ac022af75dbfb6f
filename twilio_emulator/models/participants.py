"""Participants: by identity in a web chat, by an address pair on every other channel.

Group MMS is not enabled for the emulated account: projected addresses are refused with 50452, as Twilio then does.
"""

from dataclasses import replace
from datetime import datetime

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import addresses, conversations, event_payloads, users, validation
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Origin
from twilio_emulator.models.resources import Binding, Participant
from twilio_emulator.models.state import pair_key

MOST_PARTICIPANTS = 1000
MOST_ON_CHANNELS = 50
MOST_CONVERSATIONS_OF_AN_IDENTITY = 1000
REMOVE = "null"  # the value that takes an address away


def draft(
    world: World,
    conversation_sid: str,
    *,
    identity: str | None = None,
    address: str | None = None,
    proxy_address: str | None = None,
    projected_address: str | None = None,
    attributes: str = "{}",
    role_sid: str | None = None,
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
) -> Participant:
    """Return somebody who could be added; 409 where the identity, or the address pair in the account, is in already."""
    conversation = conversations.must_be_open(world, conversation_sid)
    _refuse_mixed(identity, address, proxy_address, projected_address)
    standing = world.state.participants[conversation_sid]
    binding = None
    if identity is not None:
        validation.identity(identity)
        if of_identity(world, conversation_sid, identity):
            raise TwilioError(50433)
    else:
        binding = _free_binding(world, address or "", proxy_address)
        if not conversation.messaging_service_sid:
            raise TwilioError(50373)
    if len(standing) >= MOST_PARTICIPANTS:
        raise TwilioError(50417)
    if binding and len(conversations.bindings_of(world, conversation_sid)) >= MOST_ON_CHANNELS:
        raise TwilioError(50418)
    if identity and len(world.state.memberships.get(identity, {})) >= MOST_CONVERSATIONS_OF_AN_IDENTITY:
        raise TwilioError(50214)
    created = date_created or world.clock()
    return Participant(
        sid=world.new_sid("MB"),
        conversation_sid=conversation_sid,
        identity=identity,
        binding=binding,
        attributes=validation.attributes(attributes),
        role_sid=_role(world, conversation.service_sid, role_sid, identity),
        last_read_message_index=None,
        last_read_timestamp=None,
        date_created=created,
        date_updated=date_updated or created,
    )


def commit(world: World, participant: Participant, *, origin: Origin) -> Participant:
    """Add a drafted participant, with a user of his identity, and tell it."""
    conversation = conversations.must_be_open(world, participant.conversation_sid)
    if participant.identity and of_identity(world, conversation.sid, participant.identity):
        raise TwilioError(50433)
    if participant.binding:
        _refuse_taken(world, participant.binding)
    if participant.identity:
        users.of_identity(world, conversation.service_sid, participant.identity, origin=origin)
    _keep(world, participant)
    world.tell(event_payloads.participant(world, "onParticipantAdded", participant, origin))
    return participant


def fetch(world: World, conversation_sid: str, sid: str) -> Participant:
    """Return a participant, by SID or identity."""
    participant = world.state.participants[conversation_sid].get(sid) or of_identity(world, conversation_sid, sid)
    if participant is None:
        raise not_found(f"/Conversations/{conversation_sid}/Participants/{sid}")
    return participant


def of_identity(world: World, conversation_sid: str, identity: str) -> Participant | None:
    """Return the participant with an identity, if there is one."""
    participant = of_author(world, conversation_sid, identity)
    return participant if participant and participant.identity == identity else None


def of_author(world: World, conversation_sid: str, author: str) -> Participant | None:
    """Return the participant whom a message with this author is from, if there is one."""
    sid = world.state.memberships.get(author, {}).get(conversation_sid)
    return world.state.participants[conversation_sid][sid] if sid else None


def changed(
    world: World,
    participant: Participant,
    *,
    identity: str | None = None,
    proxy_address: str | None = None,
    projected_address: str | None = None,
    attributes: str | None = None,
    role_sid: str | None = None,
    last_read_message_index: int | None = None,
    last_read_timestamp: datetime | None = None,
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
) -> Participant:
    """Return a participant with what is given; None leaves a field as it is."""
    conversation = conversations.must_be_open(world, participant.conversation_sid)
    now = world.clock()
    if identity is not None:
        _refuse_identity(participant)
    if projected_address is not None:
        _refuse_projected(participant, projected_address)
    if proxy_address is not None:
        participant = replace(participant, binding=_with_proxy(world, participant, proxy_address))
    if attributes is not None:
        participant = replace(participant, attributes=validation.attributes(attributes))
    if last_read_message_index is not None:
        participant = replace(
            participant, last_read_message_index=last_read_message_index, last_read_timestamp=last_read_timestamp or now
        )
    if role_sid is not None:
        role_sid = _role(world, conversation.service_sid, role_sid, participant.identity)
    return replace(
        participant,
        role_sid=role_sid or participant.role_sid,
        date_created=date_created or participant.date_created,
        date_updated=date_updated or now,
    )


def update(world: World, changed: Participant, *, origin: Origin) -> Participant:
    """Keep a changed participant and tell it."""
    conversations.must_be_open(world, changed.conversation_sid)
    before = world.state.participants[changed.conversation_sid].get(changed.sid)
    if before is None:
        raise TwilioError(50432)
    _forget(world, before)
    _keep(world, changed)
    world.tell(event_payloads.participant(world, "onParticipantUpdated", changed, origin))
    return changed


def remove(world: World, participant: Participant, *, origin: Origin) -> None:
    """Take somebody out; an address pair is free at once."""
    if participant.sid not in world.state.participants[participant.conversation_sid]:
        raise TwilioError(50432)
    _forget(world, participant)
    world.tell(event_payloads.participant(world, "onParticipantRemoved", participant, origin))


def _keep(world: World, participant: Participant) -> None:
    world.state.participants[participant.conversation_sid][participant.sid] = participant
    binding = participant.binding
    for name in {participant.identity, binding.address if binding else None} - {None}:
        world.state.memberships.setdefault(str(name), {})[participant.conversation_sid] = participant.sid
    if binding:
        key = pair_key(binding.address, binding.proxy_address)
        world.state.conversations_by_pair[key] = participant.conversation_sid


def _forget(world: World, participant: Participant) -> None:
    del world.state.participants[participant.conversation_sid][participant.sid]
    binding = participant.binding
    for name in {participant.identity, binding.address if binding else None} - {None}:
        world.state.memberships[str(name)].pop(participant.conversation_sid, None)
    if binding:
        key = pair_key(binding.address, binding.proxy_address)
        if world.state.conversations_by_pair.get(key) == participant.conversation_sid:
            del world.state.conversations_by_pair[key]


def _refuse_mixed(
    identity: str | None, address: str | None, proxy_address: str | None, projected_address: str | None
) -> None:
    if projected_address is not None:
        raise TwilioError(50452)
    if identity is None:
        return
    if address is not None:
        raise TwilioError(50211)
    if proxy_address is not None:
        raise TwilioError(50453)


def _refuse_identity(participant: Participant) -> None:
    raise TwilioError(50444 if participant.identity else 50211)


def _refuse_projected(participant: Participant, projected_address: str) -> None:
    if projected_address == REMOVE:
        raise TwilioError(50442)
    raise TwilioError(50443 if participant.binding else 50452)


def _with_proxy(world: World, participant: Participant, proxy_address: str) -> Binding:
    if proxy_address == REMOVE:
        raise TwilioError(50452 if participant.binding else 50440)
    if participant.binding is None:
        raise TwilioError(50441)
    if proxy_address == participant.binding.proxy_address:
        return participant.binding
    return _free_binding(world, participant.binding.address, proxy_address)


def _free_binding(world: World, address: str, proxy_address: str | None) -> Binding:
    channel = addresses.pair(world, address, proxy_address or "")
    binding = Binding(channel=channel, address=address, proxy_address=proxy_address or "")
    _refuse_taken(world, binding)
    return binding


def _refuse_taken(world: World, binding: Binding) -> None:
    taken_by = world.state.conversations_by_pair.get(pair_key(binding.address, binding.proxy_address))
    if taken_by is not None:
        raise TwilioError(
            50416, f"A binding for this participant and proxy address already exists in Conversation {taken_by}"
        )


def _role(world: World, service_sid: str, role_sid: str | None, identity: str | None) -> str | None:
    """Return the role of a participant: on chat the service's default one, where none is given."""
    if role_sid is not None:
        if role_sid not in world.state.roles[service_sid]:
            raise TwilioError(50100)
        return role_sid
    return world.state.service_configurations[service_sid].default_conversation_role_sid if identity else None
