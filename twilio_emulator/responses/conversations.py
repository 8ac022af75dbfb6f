"""/Conversations and /ConversationWithParticipants, in both path families."""

import json

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, event_payloads, participants, validation
from twilio_emulator.models.events import rest
from twilio_emulator.models.resources import Conversation, Email, State, Timers
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.parameters import invalid
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

MOST_PARTICIPANTS_AT_ONCE = 10

_FIELDS = frozenset(
    {
        "FriendlyName",
        "UniqueName",
        "Attributes",
        "MessagingServiceSid",
        "DateCreated",
        "DateUpdated",
        "State",
        "Timers.Inactive",
        "Timers.Closed",
        "Bindings.Email.Address",
        "Bindings.Email.Name",
    }
)


async def create(call: Call) -> Answer:
    """Add a conversation."""
    call.form.only(_FIELDS)
    draft = await _asked(call, _draft(call))
    return created(_body(call, conversations.commit(call.world, draft, origin=call.origin)))


async def create_with_participants(call: Call) -> Answer:
    """Add a conversation with up to ten participants, or none of it."""
    call.form.only(_FIELDS | {"Participant"})
    wanted = [_participant(text) for text in call.form.many("Participant") or ()]
    if len(wanted) > MOST_PARTICIPANTS_AT_ONCE:
        raise TwilioError(50426)
    draft = await _asked(call, _draft(call))
    conversation = None
    try:
        with call.world.told_together():
            conversation = conversations.commit(call.world, draft, origin=call.origin)
            for each in wanted:
                somebody = participants.draft(
                    call.world,
                    conversation.sid,
                    identity=each.get("identity"),
                    address=each.get("address"),
                    proxy_address=each.get("proxy_address"),
                    projected_address=each.get("projected_address"),
                    attributes=each.get("attributes", "{}"),
                    role_sid=each.get("role_sid"),
                )
                participants.commit(call.world, somebody, origin=call.origin)
    except TwilioError:
        if conversation is not None:
            conversations.remove(call.world, conversation, origin=rest(webhook_enabled=False))
        raise
    return created(_body(call, conversation))


async def fetch(call: Call) -> Answer:
    """Return a conversation."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a conversation."""
    call.form.only(_FIELDS)
    before = _named(call)
    conversations.must_be_open(call.world, before.sid)
    state = _state(call)
    changes_timers = "Timers.Inactive" in call.form or "Timers.Closed" in call.form
    changed = conversations.changed(
        call.world,
        before,
        friendly_name=call.form.text("FriendlyName"),
        unique_name=call.form.text("UniqueName"),
        attributes=call.form.text("Attributes"),
        messaging_service_sid=_messaging_service(call),
        timers=_timers(call, before.timers) if changes_timers else None,
        email=_email(call),
        date_created=call.date_created,
        date_updated=call.date_updated,
    )
    bindings = conversations.bindings_of(call.world, before.sid)
    wish = await call.ask(
        event_payloads.conversation(call.world, "onConversationUpdate", changed, call.origin, bindings=bindings)
    )
    changed = conversations.renamed(changed, wish.get("friendly_name"))
    return found(_body(call, conversations.update(call.world, changed, origin=call.origin, state=state)))


async def delete(call: Call) -> Answer:
    """Remove a conversation."""
    before = _named(call)
    bindings = conversations.bindings_of(call.world, before.sid)
    await call.ask(
        event_payloads.conversation(call.world, "onConversationRemove", before, call.origin, bindings=bindings)
    )
    conversations.remove(call.world, _named(call), origin=call.origin)
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of conversations: as created, or newest first where a date is asked for (as Twilio says)."""
    state = call.query.choice("State", State)
    since, until = call.query.instant("StartDate"), call.query.instant("EndDate")
    service_sid = call.service_sid
    rows = [
        conversation
        for conversation in call.world.state.conversations.values()
        if conversation.service_sid == service_sid
        and (state is None or conversation.state is state)
        and (since is None or conversation.date_created >= since)
        and (until is None or conversation.date_created <= until)
    ]
    if since or until:
        rows.sort(key=lambda conversation: conversation.date_created, reverse=True)
    return page(
        call,
        "conversations",
        rows,
        lambda conversation: _body(call, conversation),
        filters=frozenset({"State", "StartDate", "EndDate"}),
    )


def timers_body(conversation: Conversation) -> JSON:
    """Return when a conversation's timers fall due; no timer, no entry."""
    instants = {"date_inactive": instant(conversation.date_inactive), "date_closed": instant(conversation.date_closed)}
    return {name: value for name, value in instants.items() if value is not None}


def _named(call: Call) -> Conversation:
    return conversations.fetch(call.world, call.service_sid, call.parts["sid"])


def _draft(call: Call) -> Conversation:
    return conversations.draft(
        call.world,
        service_sid=call.service_sid,
        friendly_name=call.form.text("FriendlyName"),
        unique_name=call.form.text("UniqueName"),
        attributes=call.form.text("Attributes") or "{}",
        messaging_service_sid=_messaging_service(call),
        state=_state(call) or State.ACTIVE,
        timers=_timers(call, conversations.default_timers(call.world)),
        email=_email(call),
        date_created=call.date_created,
        date_updated=call.date_updated,
    )


async def _asked(call: Call, draft: Conversation) -> Conversation:
    """Return what the pre-webhook makes of a draft."""
    wish = await call.ask(event_payloads.conversation(call.world, "onConversationAdd", draft, call.origin))
    return conversations.renamed(draft, wish.get("friendly_name"))


def _state(call: Call) -> State | None:
    text = call.form.text("State")
    if text is None:
        return None
    if not text:
        raise TwilioError(50374)
    if text not in {State.ACTIVE, State.INACTIVE, State.CLOSED}:
        raise TwilioError(50378)
    return State(text)


def _messaging_service(call: Call) -> str | None:
    try:
        return call.form.sid("MessagingServiceSid", "MG")
    except TwilioError:
        raise TwilioError(50341) from None


def _email(call: Call) -> Email | None:
    address, name = call.form.text("Bindings.Email.Address"), call.form.text("Bindings.Email.Name")
    return Email(address=address, name=name) if address or name else None


def _timers(call: Call, before: Timers) -> Timers:
    inactive, closed = call.form.text("Timers.Inactive"), call.form.text("Timers.Closed")
    return Timers(
        inactive=before.inactive if inactive is None else validation.inactive_timer(inactive),
        closed=before.closed if closed is None else validation.closed_timer(closed),
    )


def _participant(text: str) -> dict[str, str]:
    """Return one `Participant` of a form, a JSON object, with its messaging binding laid flat."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("Participant", "is no JSON") from None
    binding = given.get("messaging_binding") if isinstance(given, dict) else None
    flat = {**given, **binding} if isinstance(given, dict) and isinstance(binding, dict) else given
    if not isinstance(flat, dict):
        raise invalid("Participant", "is no JSON object")
    known = ("identity", "address", "proxy_address", "projected_address", "attributes", "role_sid")
    wanted = {name: flat[name] for name in known if flat.get(name) is not None}
    if not all(isinstance(value, str) for value in wanted.values()):
        raise invalid("Participant", "takes strings only")
    return wanted


def _body(call: Call, conversation: Conversation) -> JSON:
    url = call.url(f"/Conversations/{conversation.sid}")
    email = conversation.email
    return {
        "sid": conversation.sid,
        "account_sid": call.world.account_sid,
        "chat_service_sid": conversation.service_sid,
        "messaging_service_sid": conversation.messaging_service_sid,
        "friendly_name": conversation.friendly_name,
        "unique_name": conversation.unique_name,
        "attributes": conversation.attributes,
        "date_created": instant(conversation.date_created),
        "date_updated": instant(conversation.date_updated),
        "state": conversation.state,
        "timers": timers_body(conversation),
        "bindings": {"email": {"projected_address": email.address, "name": email.name}} if email else {},
        "url": url,
        "links": {
            "participants": f"{url}/Participants",
            "messages": f"{url}/Messages",
            "webhooks": f"{url}/Webhooks",
            "export": f"{url}/Export",
        },
    }
