"""Conversations: their states and timers, and what is told about them."""

from dataclasses import replace
from datetime import datetime, timedelta

from local.twilio.exceptions import TwilioError, not_found
from local.twilio.models import checks
from local.twilio.models.events import TWILIO, Event, Origin, fields
from local.twilio.models.records import Conversation, State, Timers
from local.twilio.models.world import Due, World, pair_key, unique_name_key


def create(
    world: World,
    *,
    service_sid: str,
    origin: Origin,
    friendly_name: str | None = None,
    unique_name: str | None = None,
    attributes: str = "{}",
    messaging_service_sid: str | None = None,
    state: State = State.ACTIVE,
    timers: Timers | None = None,
    created_by: str = "system",
) -> Conversation:
    """Add a conversation; 50353 if its unique name is taken, 50384 if it were to begin closed."""
    if state is State.CLOSED:
        raise TwilioError(50384)
    unique_name = checks.unique_name(unique_name)
    _refuse_taken(world, service_sid, unique_name)
    now = world.clock()
    conversation = Conversation(
        sid=world.new_sid("CH"),
        service_sid=service_sid,
        messaging_service_sid=messaging_service_sid or world.state.messaging_service_sid,
        friendly_name=checks.name("FriendlyName", friendly_name),
        unique_name=unique_name,
        attributes=checks.attributes(attributes, most_bytes=checks.MOST_CONVERSATION_ATTRIBUTES_BYTES),
        state=state,
        timers=timers or Timers(),
        date_inactive=None,
        date_closed=None,
        created_by=created_by,
        date_created=now,
        date_updated=now,
    )
    world.state.participants[conversation.sid] = {}
    world.state.messages[conversation.sid] = {}
    world.state.next_index[conversation.sid] = 0
    world.state.scoped_webhooks[conversation.sid] = {}
    _keep(world, _with_instants(conversation, now))
    tell(world, "onConversationAdded", conversation, origin)
    return world.state.conversations[conversation.sid]


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


def update(
    world: World,
    sid: str,
    *,
    origin: Origin,
    friendly_name: str | None = None,
    unique_name: str | None = None,
    attributes: str | None = None,
    messaging_service_sid: str | None = None,
    state: State | None = None,
    timers: Timers | None = None,
) -> Conversation:
    """Change what is given; None leaves a field as it is. A closed conversation refuses everything: 50377."""
    conversation = must_be_open(world, sid)
    if unique_name is not None:
        unique_name = checks.unique_name(unique_name)
        _refuse_taken(world, conversation.service_sid, unique_name, but=sid)
    else:
        unique_name = conversation.unique_name
    if attributes is not None:
        attributes = checks.attributes(attributes, most_bytes=checks.MOST_CONVERSATION_ATTRIBUTES_BYTES)
    now = world.clock()
    changed = replace(
        conversation,
        friendly_name=conversation.friendly_name
        if friendly_name is None
        else checks.name("FriendlyName", friendly_name),
        unique_name=unique_name,
        attributes=conversation.attributes if attributes is None else attributes,
        messaging_service_sid=messaging_service_sid or conversation.messaging_service_sid,
        date_updated=now,
    )
    if timers is not None:
        changed = _with_instants(replace(changed, timers=timers), now)
    _keep(world, changed)
    tell(world, "onConversationUpdated", changed, origin)
    if state is not None:
        set_state(world, sid, state, reason="API", origin=origin)
    return world.state.conversations[sid]


def set_state(world: World, sid: str, state: State, *, reason: str, origin: Origin) -> None:
    """Bring a conversation into a state; `reason` is Twilio's: API, TIMER or EVENT."""
    conversation = world.state.conversations[sid]
    if conversation.state is state:
        return
    now = world.clock()
    changed = replace(conversation, state=state, date_updated=now)
    if state is State.ACTIVE:
        changed = _with_instants(changed, now)
    elif state is State.INACTIVE:
        changed = replace(changed, date_inactive=None)
    elif state is State.CLOSED:
        changed = replace(changed, date_inactive=None, date_closed=None)
        free_pairs(world, sid)
    _keep(world, changed)
    world.tell(
        Event(
            type="onConversationStateUpdated",
            service_sid=changed.service_sid,
            conversation_sid=sid,
            fields=fields(
                [
                    ("ChatServiceSid", changed.service_sid),
                    ("ConversationSid", sid),
                    ("MessagingServiceSid", changed.messaging_service_sid),
                    ("StateFrom", conversation.state),
                    ("StateTo", state),
                    ("StateUpdated", now),
                    ("Reason", reason),
                ]
            ),
            origin=origin,
        )
    )


def active_again(world: World, sid: str) -> None:
    """Note a message: an inactive conversation becomes active, and its timers start anew."""
    conversation = world.state.conversations[sid]
    if conversation.state is State.INACTIVE:
        set_state(world, sid, State.ACTIVE, reason="EVENT", origin=TWILIO)
    elif conversation.timers != Timers():
        _keep(world, _with_instants(conversation, world.clock()))


def delete(world: World, sid: str, *, origin: Origin) -> None:
    """Remove a conversation with all it holds; its address pairs and its unique name are free."""
    conversation = world.state.conversations[sid]
    free_pairs(world, sid)
    del world.state.conversations[sid]
    if conversation.unique_name:
        del world.state.conversations_by_unique_name[
            unique_name_key(conversation.service_sid, conversation.unique_name)
        ]
    for message_sid in world.state.messages.pop(sid):
        world.state.receipts.pop(message_sid, None)
    for children in (world.state.participants, world.state.next_index):
        del children[sid]
    tell(world, "onConversationRemoved", conversation, origin, removed=world.clock())
    del world.state.scoped_webhooks[sid]


def must_be_open(world: World, sid: str) -> Conversation:
    """Return a conversation that takes changes; 50377 if it is closed."""
    conversation = world.state.conversations[sid]
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


def free_pairs(world: World, sid: str) -> None:
    """Let the addresses in a conversation be used in another."""
    for participant in world.state.participants[sid].values():
        if participant.binding:
            key = pair_key(participant.binding.address, participant.binding.proxy_address)
            world.state.conversations_by_pair.pop(key, None)


def tell(
    world: World, event_type: str, conversation: Conversation, origin: Origin, *, removed: datetime | None = None
) -> None:
    """Tell that a conversation was added, updated or removed."""
    bindings = [each.binding for each in world.state.participants.get(conversation.sid, {}).values() if each.binding]
    world.tell(
        Event(
            type=event_type,
            service_sid=conversation.service_sid,
            conversation_sid=conversation.sid,
            fields=fields(
                [
                    ("ConversationSid", conversation.sid),
                    ("DateCreated", conversation.date_created),
                    ("DateUpdated", conversation.date_updated),
                    ("DateRemoved", removed),
                    ("FriendlyName", conversation.friendly_name),
                    ("UniqueName", conversation.unique_name),
                    ("Attributes", conversation.attributes),
                    ("ChatServiceSid", conversation.service_sid),
                    ("MessagingServiceSid", conversation.messaging_service_sid),
                    *(("MessagingBinding.Address", binding.address) for binding in bindings),
                    *(("MessagingBinding.ProxyAddress", binding.proxy_address) for binding in bindings),
                    ("State", conversation.state),
                ]
            ),
            origin=origin,
        )
    )


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
    for at in {conversation.date_inactive, conversation.date_closed} - {None}:
        if at is not None and (before is None or at not in {before.date_inactive, before.date_closed}):
            world.schedule(at, Due.CONVERSATION, conversation.sid)


def _with_instants(conversation: Conversation, since: datetime) -> Conversation:
    timers = conversation.timers
    return replace(
        conversation,
        date_inactive=_after(since, timers.inactive) if conversation.state is not State.INACTIVE else None,
        date_closed=_after(since, timers.closed),
    )


def _after(since: datetime, duration: timedelta | None) -> datetime | None:
    return since + duration if duration else None
