"""Conversations, with their states and timers. A closed conversation cannot be changed."""

from dataclasses import replace
from datetime import datetime, timedelta

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import event_payloads, validation
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import TWILIO_ORIGIN, Origin
from twilio_emulator.models.resources import Binding, Conversation, Email, State, Timers
from twilio_emulator.models.state import TimerKind, pair_key, unique_name_key


def draft(
    backend: Backend,
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
    """Return a new conversation for `commit` to add.

    Timers that are not given are the account's defaults. Raise 50353 if the unique name is taken, 50384 if the state is
    closed.
    """
    if state is State.CLOSED:
        raise TwilioError(50384)
    unique_name = validation.unique_name(unique_name)
    _reject_taken(backend, service_sid, unique_name)
    now = backend.clock()
    created = date_created or now
    conversation = Conversation(
        sid=backend.new_sid("CH"),
        service_sid=service_sid,
        messaging_service_sid=messaging_service_sid or backend.state.configuration.default_messaging_service_sid,
        friendly_name=validation.name("FriendlyName", friendly_name),
        unique_name=unique_name,
        attributes=validation.attributes(attributes, max_bytes=validation.MAX_CONVERSATION_ATTRIBUTES_BYTES),
        state=state,
        timers=timers or default_timers(backend),
        date_inactive=None,
        date_closed=None,
        email=email,
        created_by=created_by,
        date_created=created,
        date_updated=date_updated or created,
    )
    return _with_timer_dates(conversation, now)


def commit(
    backend: Backend, conversation: Conversation, *, origin: Origin, bindings: tuple[Binding, ...] = ()
) -> Conversation:
    """Add a draft and emit its event; `bindings` are those of the message that opens the conversation."""
    _reject_taken(backend, conversation.service_sid, conversation.unique_name)
    backend.state.participants[conversation.sid] = {}
    backend.state.messages[conversation.sid] = {}
    backend.state.next_index[conversation.sid] = 0
    backend.state.scoped_webhooks[conversation.sid] = {}
    _store(backend, conversation)
    backend.emit(event_payloads.conversation(backend, "onConversationAdded", conversation, origin, bindings=bindings))
    return conversation


def fetch(backend: Backend, service_sid: str, sid: str) -> Conversation:
    """Return a conversation of the service, by SID or unique name; raise 20404 if it does not exist."""
    conversation = _find(backend, service_sid, sid)
    if conversation is None:
        raise not_found(f"/Conversations/{sid}")
    return conversation


def fetch_parent(backend: Backend, service_sid: str, sid: str) -> Conversation:
    """Return the conversation that contains a resource; raise 50350 if it does not exist."""
    conversation = _find(backend, service_sid, sid)
    if conversation is None:
        raise TwilioError(50350)
    return conversation


def changed(
    backend: Backend,
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
    """Return a copy with changed fields; None leaves a field unchanged. Raise 50377 if the conversation is closed."""
    require_open(backend, conversation.sid)
    if unique_name is not None:
        unique_name = validation.unique_name(unique_name)
        _reject_taken(backend, conversation.service_sid, unique_name, except_sid=conversation.sid)
        conversation = replace(conversation, unique_name=unique_name)
    if friendly_name is not None:
        conversation = replace(conversation, friendly_name=validation.name("FriendlyName", friendly_name))
    if attributes is not None:
        max_bytes = validation.MAX_CONVERSATION_ATTRIBUTES_BYTES
        conversation = replace(conversation, attributes=validation.attributes(attributes, max_bytes=max_bytes))
    now = backend.clock()
    if timers is not None:
        conversation = _with_timer_dates(replace(conversation, timers=timers), now)
    return replace(
        conversation,
        messaging_service_sid=messaging_service_sid or conversation.messaging_service_sid,
        email=email or conversation.email,
        date_created=date_created or conversation.date_created,
        date_updated=date_updated or now,
    )


def renamed(conversation: Conversation, friendly_name: str | None) -> Conversation:
    """Return the conversation with the friendly name that a pre-webhook returned, if it returned one."""
    if friendly_name is None:
        return conversation
    return replace(conversation, friendly_name=validation.name("FriendlyName", friendly_name))


def update(backend: Backend, changed: Conversation, *, origin: Origin, state: State | None = None) -> Conversation:
    """Store a changed conversation and set its state, if one is given; emit the events of both."""
    require_open(backend, changed.sid)
    _reject_taken(backend, changed.service_sid, changed.unique_name, except_sid=changed.sid)
    _store(backend, changed)
    bindings = channel_bindings(backend, changed.sid)
    backend.emit(event_payloads.conversation(backend, "onConversationUpdated", changed, origin, bindings=bindings))
    if state is not None:
        set_state(backend, changed.sid, state, reason="API", origin=origin)
    return backend.state.conversations[changed.sid]


def set_state(backend: Backend, sid: str, state: State, *, reason: str, origin: Origin) -> None:
    """Set the state of a conversation; `reason` is API, TIMER or EVENT, as in Twilio's webhooks."""
    before = backend.state.conversations[sid]
    if before.state is state:
        return
    now = backend.clock()
    conversation = replace(before, state=state, date_updated=now)
    if state is State.ACTIVE:
        conversation = _with_timer_dates(conversation, now)
    elif state is State.INACTIVE:
        conversation = replace(conversation, date_inactive=None)
    elif state is State.CLOSED:
        conversation = replace(conversation, date_inactive=None, date_closed=None)
        _release_pairs(backend, sid)
    _store(backend, conversation)
    backend.emit(event_payloads.state(backend, before.state, conversation, reason=reason, origin=origin))


def record_activity(backend: Backend, sid: str) -> None:
    """Restart the timers after a message; an inactive conversation becomes active."""
    conversation = backend.state.conversations[sid]
    if conversation.state is State.INACTIVE:
        set_state(backend, sid, State.ACTIVE, reason="EVENT", origin=TWILIO_ORIGIN)
    elif conversation.timers != Timers():
        _store(backend, _with_timer_dates(conversation, backend.clock()))


def remove(backend: Backend, conversation: Conversation, *, origin: Origin) -> None:
    """Delete a conversation with everything in it; its address pairs and its unique name become free."""
    sid = conversation.sid
    removed = event_payloads.conversation(
        backend, "onConversationRemoved", conversation, origin, bindings=channel_bindings(backend, sid)
    )
    backend.emit(removed)
    _release_pairs(backend, sid)
    del backend.state.conversations[sid]
    if conversation.unique_name:
        key = unique_name_key(conversation.service_sid, conversation.unique_name)
        del backend.state.conversations_by_unique_name[key]
    for message_sid in backend.state.messages.pop(sid):
        backend.state.receipts.pop(message_sid, None)
    for participant in backend.state.participants.pop(sid).values():
        for name in {participant.identity, participant.binding.address if participant.binding else None} - {None}:
            backend.state.memberships[str(name)].pop(sid, None)
    del backend.state.next_index[sid]
    del backend.state.scoped_webhooks[sid]
    backend.state.typing.pop(sid, None)


def require_open(backend: Backend, sid: str) -> Conversation:
    """Return a conversation that can be changed; raise 50377 if it is closed, 50350 if it does not exist."""
    conversation = backend.state.conversations.get(sid)
    if conversation is None:
        raise TwilioError(50350)
    if conversation.state is State.CLOSED:
        raise TwilioError(50377)
    return conversation


def apply_due_timers(backend: Backend, sid: str) -> None:
    """Make a conversation closed or inactive if its timer is due."""
    conversation = backend.state.conversations.get(sid)
    now = backend.clock()
    if conversation is None:
        return
    if conversation.date_closed is not None and conversation.date_closed <= now:
        set_state(backend, sid, State.CLOSED, reason="TIMER", origin=TWILIO_ORIGIN)
    elif conversation.date_inactive is not None and conversation.date_inactive <= now:
        set_state(backend, sid, State.INACTIVE, reason="TIMER", origin=TWILIO_ORIGIN)


def default_timers(backend: Backend) -> Timers:
    """Return the account's default timers."""
    configuration = backend.state.configuration
    return Timers(
        inactive=validation.inactive_timer(configuration.default_inactive_timer or validation.NO_TIMER),
        closed=validation.closed_timer(configuration.default_closed_timer or validation.NO_TIMER),
    )


def channel_bindings(backend: Backend, sid: str) -> tuple[Binding, ...]:
    """Return the bindings of the participants that have one."""
    return tuple(each.binding for each in backend.state.participants[sid].values() if each.binding)


def _find(backend: Backend, service_sid: str, sid: str) -> Conversation | None:
    sid = backend.state.conversations_by_unique_name.get(unique_name_key(service_sid, sid), sid)
    conversation = backend.state.conversations.get(sid)
    return conversation if conversation and conversation.service_sid == service_sid else None


def _reject_taken(
    backend: Backend, service_sid: str, unique_name: str | None, *, except_sid: str | None = None
) -> None:
    if unique_name is None:
        return
    taken_by = backend.state.conversations_by_unique_name.get(unique_name_key(service_sid, unique_name))
    if taken_by not in {None, except_sid}:
        raise TwilioError(50353)


def _store(backend: Backend, conversation: Conversation) -> None:
    before = backend.state.conversations.get(conversation.sid)
    names = backend.state.conversations_by_unique_name
    if before and before.unique_name:
        del names[unique_name_key(before.service_sid, before.unique_name)]
    if conversation.unique_name:
        names[unique_name_key(conversation.service_sid, conversation.unique_name)] = conversation.sid
    backend.state.conversations[conversation.sid] = conversation
    scheduled = {before.date_inactive, before.date_closed} if before else set()
    for at in {conversation.date_inactive, conversation.date_closed} - scheduled:
        if at is not None:
            backend.schedule(at, TimerKind.CONVERSATION, conversation.sid)


def _release_pairs(backend: Backend, sid: str) -> None:
    for binding in channel_bindings(backend, sid):
        key = pair_key(binding.address, binding.proxy_address)
        if backend.state.conversations_by_pair.get(key) == sid:
            del backend.state.conversations_by_pair[key]


def _with_timer_dates(conversation: Conversation, since: datetime) -> Conversation:
    timers = conversation.timers
    return replace(
        conversation,
        date_inactive=_after(since, timers.inactive) if conversation.state is not State.INACTIVE else None,
        date_closed=_after(since, timers.closed),
    )


def _after(since: datetime, duration: timedelta | None) -> datetime | None:
    return since + duration if duration else None
