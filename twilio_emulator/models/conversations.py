"""Conversations: their states, their timers, and that a closed one stays closed."""

from dataclasses import replace
from datetime import datetime, timedelta

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import event_payloads, validation
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import TWILIO, Origin
from twilio_emulator.models.resources import Binding, Conversation, Email, State, Timers
from twilio_emulator.models.state import Due, pair_key, unique_name_key


def draft(
    world: World,
    *,
    service_sid: str,
    friendly_name: str | None = None,
    unique_name: str | None = None,
    attributes: str = "{}",
    messaging_service_sid: str | None = None,
    state: State = State.ACTIVE,
    timers: Timers | None = None,
    email: Email | None = None,
    created_by: str = "system",
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
) -> Conversation:
    """Return a conversation that could be added; 50353 if its unique name is taken, 50384 if it were to begin closed.

    Timers that are not given are the account's default ones.
    """
    if state is State.CLOSED:
        raise TwilioError(50384)
    unique_name = validation.unique_name(unique_name)
    _refuse_taken(world, service_sid, unique_name)
    now = world.clock()
    created = date_created or now
    conversation = Conversation(
        sid=world.new_sid("CH"),
        service_sid=service_sid,
        messaging_service_sid=messaging_service_sid or world.state.configuration.default_messaging_service_sid,
        friendly_name=validation.name("FriendlyName", friendly_name),
        unique_name=unique_name,
        attributes=validation.attributes(attributes, most_bytes=validation.MOST_CONVERSATION_ATTRIBUTES_BYTES),
        state=state,
        timers=timers or default_timers(world),
        date_inactive=None,
        date_closed=None,
        email=email,
        created_by=created_by,
        date_created=created,
        date_updated=date_updated or created,
    )
    return _with_instants(conversation, now)


def commit(
    world: World, conversation: Conversation, *, origin: Origin, bindings: tuple[Binding, ...] = ()
) -> Conversation:
    """Add a drafted conversation and tell it; `bindings` are those of a first text."""
    _refuse_taken(world, conversation.service_sid, conversation.unique_name)
    world.state.participants[conversation.sid] = {}
    world.state.messages[conversation.sid] = {}
    world.state.next_index[conversation.sid] = 0
    world.state.scoped_webhooks[conversation.sid] = {}
    _keep(world, conversation)
    world.tell(event_payloads.conversation(world, "onConversationAdded", conversation, origin, bindings=bindings))
    return conversation


def fetch(world: World, service_sid: str, sid: str) -> Conversation:
    """Return a conversation of the service, by SID or unique name."""
    conversation = _find(world, service_sid, sid)
    if conversation is None:
        raise not_found(f"/Conversations/{sid}")
    return conversation


def parent(world: World, service_sid: str, sid: str) -> Conversation:
    """Return the conversation that a resource belongs to; 50350 where there is none."""
    conversation = _find(world, service_sid, sid)
    if conversation is None:
        raise TwilioError(50350)
    return conversation


def changed(
    world: World,
    conversation: Conversation,
    *,
    friendly_name: str | None = None,
    unique_name: str | None = None,
    attributes: str | None = None,
    messaging_service_sid: str | None = None,
    timers: Timers | None = None,
    email: Email | None = None,
    date_created: datetime | None = None,
    date_updated: datetime | None = None,
) -> Conversation:
    """Return a conversation with what is given; None leaves a field as it is. A closed one refuses all: 50377."""
    must_be_open(world, conversation.sid)
    if unique_name is not None:
        unique_name = validation.unique_name(unique_name)
        _refuse_taken(world, conversation.service_sid, unique_name, but=conversation.sid)
        conversation = replace(conversation, unique_name=unique_name)
    if friendly_name is not None:
        conversation = replace(conversation, friendly_name=validation.name("FriendlyName", friendly_name))
    if attributes is not None:
        most_bytes = validation.MOST_CONVERSATION_ATTRIBUTES_BYTES
        conversation = replace(conversation, attributes=validation.attributes(attributes, most_bytes=most_bytes))
    now = world.clock()
    if timers is not None:
        conversation = _with_instants(replace(conversation, timers=timers), now)
    return replace(
        conversation,
        messaging_service_sid=messaging_service_sid or conversation.messaging_service_sid,
        email=email or conversation.email,
        date_created=date_created or conversation.date_created,
        date_updated=date_updated or now,
    )


def renamed(conversation: Conversation, friendly_name: str | None) -> Conversation:
    """Return a conversation with the name that a pre-webhook wants, if it wants one."""
    if friendly_name is None:
        return conversation
    return replace(conversation, friendly_name=validation.name("FriendlyName", friendly_name))


def update(world: World, changed: Conversation, *, origin: Origin, state: State | None = None) -> Conversation:
    """Keep a changed conversation, bring it into a state if one is given, and tell both."""
    must_be_open(world, changed.sid)
    _refuse_taken(world, changed.service_sid, changed.unique_name, but=changed.sid)
    _keep(world, changed)
    bindings = bindings_of(world, changed.sid)
    world.tell(event_payloads.conversation(world, "onConversationUpdated", changed, origin, bindings=bindings))
    if state is not None:
        set_state(world, changed.sid, state, reason="API", origin=origin)
    return world.state.conversations[changed.sid]


def set_state(world: World, sid: str, state: State, *, reason: str, origin: Origin) -> None:
    """Bring a conversation into a state; `reason` is Twilio's: API, TIMER or EVENT."""
    before = world.state.conversations[sid]
    if before.state is state:
        return
    now = world.clock()
    conversation = replace(before, state=state, date_updated=now)
    if state is State.ACTIVE:
        conversation = _with_instants(conversation, now)
    elif state is State.INACTIVE:
        conversation = replace(conversation, date_inactive=None)
    elif state is State.CLOSED:
        conversation = replace(conversation, date_inactive=None, date_closed=None)
        _free_pairs(world, sid)
    _keep(world, conversation)
    world.tell(event_payloads.state(world, before.state, conversation, reason=reason, origin=origin))


def note_message(world: World, sid: str) -> None:
    """Note a message: an inactive conversation becomes active, and its timers start anew."""
    conversation = world.state.conversations[sid]
    if conversation.state is State.INACTIVE:
        set_state(world, sid, State.ACTIVE, reason="EVENT", origin=TWILIO)
    elif conversation.timers != Timers():
        _keep(world, _with_instants(conversation, world.clock()))


def remove(world: World, conversation: Conversation, *, origin: Origin) -> None:
    """Delete a conversation with all it holds; its address pairs and its unique name are free."""
    sid = conversation.sid
    removed = event_payloads.conversation(
        world, "onConversationRemoved", conversation, origin, bindings=bindings_of(world, sid)
    )
    world.tell(removed)
    _free_pairs(world, sid)
    del world.state.conversations[sid]
    if conversation.unique_name:
        key = unique_name_key(conversation.service_sid, conversation.unique_name)
        del world.state.conversations_by_unique_name[key]
    for message_sid in world.state.messages.pop(sid):
        world.state.receipts.pop(message_sid, None)
    for participant in world.state.participants.pop(sid).values():
        for name in {participant.identity, participant.binding.address if participant.binding else None} - {None}:
            world.state.memberships[str(name)].pop(sid, None)
    del world.state.next_index[sid]
    del world.state.scoped_webhooks[sid]
    world.state.typing.pop(sid, None)


def must_be_open(world: World, sid: str) -> Conversation:
    """Return a conversation that takes changes; 50377 if it is closed, 50350 if it is gone."""
    conversation = world.state.conversations.get(sid)
    if conversation is None:
        raise TwilioError(50350)
    if conversation.state is State.CLOSED:
        raise TwilioError(50377)
    return conversation


def look_at_timers(world: World, sid: str) -> None:
    """Change the state of a conversation whose time has come."""
    conversation = world.state.conversations.get(sid)
    now = world.clock()
    if conversation is None:
        return
    if conversation.date_closed is not None and conversation.date_closed <= now:
        set_state(world, sid, State.CLOSED, reason="TIMER", origin=TWILIO)
    elif conversation.date_inactive is not None and conversation.date_inactive <= now:
        set_state(world, sid, State.INACTIVE, reason="TIMER", origin=TWILIO)


def default_timers(world: World) -> Timers:
    """Return the timers of a conversation that is given none."""
    configuration = world.state.configuration
    return Timers(
        inactive=validation.inactive_timer(configuration.default_inactive_timer or validation.NEVER),
        closed=validation.closed_timer(configuration.default_closed_timer or validation.NEVER),
    )


def bindings_of(world: World, sid: str) -> tuple[Binding, ...]:
    """Return how the participants on channels are bound."""
    return tuple(each.binding for each in world.state.participants[sid].values() if each.binding)


def _find(world: World, service_sid: str, sid: str) -> Conversation | None:
    sid = world.state.conversations_by_unique_name.get(unique_name_key(service_sid, sid), sid)
    conversation = world.state.conversations.get(sid)
    return conversation if conversation and conversation.service_sid == service_sid else None


def _refuse_taken(world: World, service_sid: str, unique_name: str | None, *, but: str | None = None) -> None:
    if unique_name is None:
        return
    taken_by = world.state.conversations_by_unique_name.get(unique_name_key(service_sid, unique_name))
    if taken_by not in {None, but}:
        raise TwilioError(50353)


def _keep(world: World, conversation: Conversation) -> None:
    before = world.state.conversations.get(conversation.sid)
    names = world.state.conversations_by_unique_name
    if before and before.unique_name:
        del names[unique_name_key(before.service_sid, before.unique_name)]
    if conversation.unique_name:
        names[unique_name_key(conversation.service_sid, conversation.unique_name)] = conversation.sid
    world.state.conversations[conversation.sid] = conversation
    known = {before.date_inactive, before.date_closed} if before else set()
    for at in {conversation.date_inactive, conversation.date_closed} - known:
        if at is not None:
            world.schedule(at, Due.CONVERSATION, conversation.sid)


def _free_pairs(world: World, sid: str) -> None:
    for binding in bindings_of(world, sid):
        key = pair_key(binding.address, binding.proxy_address)
        if world.state.conversations_by_pair.get(key) == sid:
            del world.state.conversations_by_pair[key]


def _with_instants(conversation: Conversation, since: datetime) -> Conversation:
    timers = conversation.timers
    return replace(
        conversation,
        date_inactive=_after(since, timers.inactive) if conversation.state is not State.INACTIVE else None,
        date_closed=_after(since, timers.closed),
    )


def _after(since: datetime, duration: timedelta | None) -> datetime | None:
    return since + duration if duration else None
