"""Participants: in a web chat with an identity, on every other channel with an address pair.

Projected addresses raise 50452, as they do at Twilio in an account without Group MMS.
"""

from dataclasses import replace
from datetime import datetime

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import addresses, conversations, event_payloads, users, validation
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import Origin
from twilio_emulator.models.resources import Binding, Participant
from twilio_emulator.models.state import pair_key

MAX_PARTICIPANTS = 1000
MAX_NON_CHAT_PARTICIPANTS = 50
MAX_CONVERSATIONS_PER_IDENTITY = 1000
REMOVE = "null"  # the value of a parameter that removes an address


def draft(
    backend: Backend,
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
    """Return a new participant for `commit` to add.

    Raise 50433 if the conversation already has the identity, 50416 if any open one has the address pair.
    """
    conversation = conversations.require_open(backend, conversation_sid)
    _reject_mixed_parameters(identity, address, proxy_address, projected_address)
    existing = backend.state.participants[conversation_sid]
    binding = None
    if identity is not None:
        validation.identity(identity)
        if find_by_identity(backend, conversation_sid, identity):
            raise TwilioError(50433)
    else:
        binding = _new_binding(backend, address or "", proxy_address)
        if not conversation.messaging_service_sid:
            raise TwilioError(50373)
    if len(existing) >= MAX_PARTICIPANTS:
        raise TwilioError(50417)
    if binding and len(conversations.channel_bindings(backend, conversation_sid)) >= MAX_NON_CHAT_PARTICIPANTS:
        raise TwilioError(50418)
    if identity and len(backend.state.memberships.get(identity, {})) >= MAX_CONVERSATIONS_PER_IDENTITY:
        raise TwilioError(50214)
    created = date_created or backend.clock()
    return Participant(
        sid=backend.new_sid("MB"),
        conversation_sid=conversation_sid,
        identity=identity,
        binding=binding,
        attributes=validation.attributes(attributes),
        role_sid=_role(backend, conversation.service_sid, role_sid, identity),
        last_read_message_index=None,
        last_read_timestamp=None,
        date_created=created,
        date_updated=date_updated or created,
    )


def commit(backend: Backend, participant: Participant, *, origin: Origin) -> Participant:
    """Add a draft, with a user for its identity, and emit its event."""
    conversation = conversations.require_open(backend, participant.conversation_sid)
    if participant.identity and find_by_identity(backend, conversation.sid, participant.identity):
        raise TwilioError(50433)
    if participant.binding:
        _reject_taken(backend, participant.binding)
    if participant.identity:
        users.find_or_create(backend, conversation.service_sid, participant.identity, origin=origin)
    _store(backend, participant)
    backend.emit(event_payloads.participant(backend, "onParticipantAdded", participant, origin))
    return participant


def fetch(backend: Backend, conversation_sid: str, sid: str) -> Participant:
    """Return a participant, by SID or identity; raise 20404 if there is none."""
    participant = backend.state.participants[conversation_sid].get(sid) or find_by_identity(
        backend, conversation_sid, sid
    )
    if participant is None:
        raise not_found(f"/Conversations/{conversation_sid}/Participants/{sid}")
    return participant


def find_by_identity(backend: Backend, conversation_sid: str, identity: str) -> Participant | None:
    """Return the participant with an identity; None if there is none."""
    participant = find_by_author(backend, conversation_sid, identity)
    return participant if participant and participant.identity == identity else None


def find_by_author(backend: Backend, conversation_sid: str, author: str) -> Participant | None:
    """Return the participant whose identity or address is the author of a message; None if there is none."""
    sid = backend.state.memberships.get(author, {}).get(conversation_sid)
    return backend.state.participants[conversation_sid][sid] if sid else None


def changed(
    backend: Backend,
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
    """Return a copy with changed fields; None leaves a field unchanged."""
    conversation = conversations.require_open(backend, participant.conversation_sid)
    now = backend.clock()
    if identity is not None:
        _reject_identity_change(participant)
    if projected_address is not None:
        _reject_projected_address(participant, projected_address)
    if proxy_address is not None:
        participant = replace(participant, binding=_with_proxy(backend, participant, proxy_address))
    if attributes is not None:
        participant = replace(participant, attributes=validation.attributes(attributes))
    if last_read_message_index is not None:
        participant = replace(
            participant, last_read_message_index=last_read_message_index, last_read_timestamp=last_read_timestamp or now
        )
    if role_sid is not None:
        role_sid = _role(backend, conversation.service_sid, role_sid, participant.identity)
    return replace(
        participant,
        role_sid=role_sid or participant.role_sid,
        date_created=date_created or participant.date_created,
        date_updated=date_updated or now,
    )


def update(backend: Backend, changed: Participant, *, origin: Origin) -> Participant:
    """Store a changed participant and emit its event."""
    conversations.require_open(backend, changed.conversation_sid)
    before = backend.state.participants[changed.conversation_sid].get(changed.sid)
    if before is None:
        raise TwilioError(50432)
    _discard(backend, before)
    _store(backend, changed)
    backend.emit(event_payloads.participant(backend, "onParticipantUpdated", changed, origin))
    return changed


def remove(backend: Backend, participant: Participant, *, origin: Origin) -> None:
    """Remove a participant; their address pair becomes free at once."""
    if participant.sid not in backend.state.participants[participant.conversation_sid]:
        raise TwilioError(50432)
    _discard(backend, participant)
    backend.emit(event_payloads.participant(backend, "onParticipantRemoved", participant, origin))


def _store(backend: Backend, participant: Participant) -> None:
    backend.state.participants[participant.conversation_sid][participant.sid] = participant
    binding = participant.binding
    for name in {participant.identity, binding.address if binding else None} - {None}:
        backend.state.memberships.setdefault(str(name), {})[participant.conversation_sid] = participant.sid
    if binding:
        key = pair_key(binding.address, binding.proxy_address)
        backend.state.conversations_by_pair[key] = participant.conversation_sid


def _discard(backend: Backend, participant: Participant) -> None:
    del backend.state.participants[participant.conversation_sid][participant.sid]
    binding = participant.binding
    for name in {participant.identity, binding.address if binding else None} - {None}:
        backend.state.memberships[str(name)].pop(participant.conversation_sid, None)
    if binding:
        key = pair_key(binding.address, binding.proxy_address)
        if backend.state.conversations_by_pair.get(key) == participant.conversation_sid:
            del backend.state.conversations_by_pair[key]


def _reject_mixed_parameters(
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


def _reject_identity_change(participant: Participant) -> None:
    raise TwilioError(50444 if participant.identity else 50211)


def _reject_projected_address(participant: Participant, projected_address: str) -> None:
    if projected_address == REMOVE:
        raise TwilioError(50442)
    raise TwilioError(50443 if participant.binding else 50452)


def _with_proxy(backend: Backend, participant: Participant, proxy_address: str) -> Binding:
    if proxy_address == REMOVE:
        raise TwilioError(50452 if participant.binding else 50440)
    if participant.binding is None:
        raise TwilioError(50441)
    if proxy_address == participant.binding.proxy_address:
        return participant.binding
    return _new_binding(backend, participant.binding.address, proxy_address)


def _new_binding(backend: Backend, address: str, proxy_address: str | None) -> Binding:
    channel = addresses.channel_of_pair(backend, address, proxy_address or "")
    binding = Binding(channel=channel, address=address, proxy_address=proxy_address or "")
    _reject_taken(backend, binding)
    return binding


def _reject_taken(backend: Backend, binding: Binding) -> None:
    taken_by = backend.state.conversations_by_pair.get(pair_key(binding.address, binding.proxy_address))
    if taken_by is not None:
        raise TwilioError(
            50416, f"A binding for this participant and proxy address already exists in Conversation {taken_by}"
        )


def _role(backend: Backend, service_sid: str, role_sid: str | None, identity: str | None) -> str | None:
    """Return the role of a participant; if none is given, it is the service's default for identities."""
    if role_sid is not None:
        if role_sid not in backend.state.roles[service_sid]:
            raise TwilioError(50100)
        return role_sid
    return backend.state.service_configurations[service_sid].default_conversation_role_sid if identity else None
