"""Conversations: /Conversations and /ConversationWithParticipants."""

import json

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, event_payloads, participants, validation
from twilio_emulator.models.events import rest_origin
from twilio_emulator.models.resources import Conversation, Email, State, Timers
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.parameters import invalid_parameter
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

MAX_PARTICIPANTS_PER_REQUEST = 10

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


async def create(request: Request) -> Response:
    """Add a conversation."""
    request.form.reject_unknown(_FIELDS)
    draft = await _after_pre_webhook(request, _draft(request))
    return created(_body(request, conversations.commit(request.backend, draft, origin=request.origin)))


async def create_with_participants(request: Request) -> Response:
    """Add a conversation with up to ten participants; if one of them is refused, add nothing."""
    request.form.reject_unknown(_FIELDS | {"Participant"})
    wanted = [_participant(text) for text in request.form.array("Participant") or ()]
    if len(wanted) > MAX_PARTICIPANTS_PER_REQUEST:
        raise TwilioError(50426)
    draft = await _after_pre_webhook(request, _draft(request))
    conversation = None
    try:
        with request.backend.emit_together():
            conversation = conversations.commit(request.backend, draft, origin=request.origin)
            for each in wanted:
                participant = participants.draft(
                    request.backend,
                    conversation.sid,
                    identity=each.get("identity"),
                    address=each.get("address"),
                    proxy_address=each.get("proxy_address"),
                    projected_address=each.get("projected_address"),
                    attributes=each.get("attributes", "{}"),
                    role_sid=each.get("role_sid"),
                )
                participants.commit(request.backend, participant, origin=request.origin)
    except TwilioError:
        if conversation is not None:
            conversations.remove(request.backend, conversation, origin=rest_origin(webhook_enabled=False))
        raise
    return created(_body(request, conversation))


async def fetch(request: Request) -> Response:
    """Return a conversation."""
    return ok(_body(request, _from_path(request)))


async def update(request: Request) -> Response:
    """Change a conversation."""
    request.form.reject_unknown(_FIELDS)
    before = _from_path(request)
    conversations.require_open(request.backend, before.sid)
    state = _state(request)
    changes_timers = "Timers.Inactive" in request.form or "Timers.Closed" in request.form
    changed = conversations.changed(
        request.backend,
        before,
        friendly_name=request.form.text("FriendlyName"),
        unique_name=request.form.text("UniqueName"),
        attributes=request.form.text("Attributes"),
        messaging_service_sid=_messaging_service(request),
        timers=_timers(request, before.timers) if changes_timers else None,
        email=_email(request),
        date_created=request.date_created,
        date_updated=request.date_updated,
    )
    bindings = conversations.channel_bindings(request.backend, before.sid)
    changes = await request.call_pre_webhook(
        event_payloads.conversation(request.backend, "onConversationUpdate", changed, request.origin, bindings=bindings)
    )
    changed = conversations.renamed(changed, changes.get("friendly_name"))
    return ok(_body(request, conversations.update(request.backend, changed, origin=request.origin, state=state)))


async def delete(request: Request) -> Response:
    """Remove a conversation."""
    before = _from_path(request)
    bindings = conversations.channel_bindings(request.backend, before.sid)
    await request.call_pre_webhook(
        event_payloads.conversation(request.backend, "onConversationRemove", before, request.origin, bindings=bindings)
    )
    conversations.remove(request.backend, _from_path(request), origin=request.origin)
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of conversations: oldest first, or newest first if filtered by date (as Twilio documents)."""
    state = request.query.choice("State", State)
    since, until = request.query.timestamp("StartDate"), request.query.timestamp("EndDate")
    service_sid = request.service_sid
    rows = [
        conversation
        for conversation in request.backend.state.conversations.values()
        if conversation.service_sid == service_sid
        and (state is None or conversation.state is state)
        and (since is None or conversation.date_created >= since)
        and (until is None or conversation.date_created <= until)
    ]
    if since or until:
        rows.sort(key=lambda conversation: conversation.date_created, reverse=True)
    return page(
        request,
        "conversations",
        rows,
        lambda conversation: _body(request, conversation),
        filters=frozenset({"State", "StartDate", "EndDate"}),
    )


def timers_body(conversation: Conversation) -> JSON:
    """Return when a conversation's timers are due, without those that are not set."""
    dates = {"date_inactive": timestamp(conversation.date_inactive), "date_closed": timestamp(conversation.date_closed)}
    return {name: value for name, value in dates.items() if value is not None}


def _from_path(request: Request) -> Conversation:
    return conversations.fetch(request.backend, request.service_sid, request.path_params["sid"])


def _draft(request: Request) -> Conversation:
    return conversations.draft(
        request.backend,
        service_sid=request.service_sid,
        friendly_name=request.form.text("FriendlyName"),
        unique_name=request.form.text("UniqueName"),
        attributes=request.form.text("Attributes") or "{}",
        messaging_service_sid=_messaging_service(request),
        state=_state(request) or State.ACTIVE,
        timers=_timers(request, conversations.default_timers(request.backend)),
        email=_email(request),
        date_created=request.date_created,
        date_updated=request.date_updated,
    )


async def _after_pre_webhook(request: Request, draft: Conversation) -> Conversation:
    """Call the pre-webhook and return the draft with the changes that it wants."""
    changes = await request.call_pre_webhook(
        event_payloads.conversation(request.backend, "onConversationAdd", draft, request.origin)
    )
    return conversations.renamed(draft, changes.get("friendly_name"))


def _state(request: Request) -> State | None:
    text = request.form.text("State")
    if text is None:
        return None
    if not text:
        raise TwilioError(50374)
    if text not in {State.ACTIVE, State.INACTIVE, State.CLOSED}:
        raise TwilioError(50378)
    return State(text)


def _messaging_service(request: Request) -> str | None:
    try:
        return request.form.sid("MessagingServiceSid", "MG")
    except TwilioError:
        raise TwilioError(50341) from None


def _email(request: Request) -> Email | None:
    address, name = request.form.text("Bindings.Email.Address"), request.form.text("Bindings.Email.Name")
    return Email(address=address, name=name) if address or name else None


def _timers(request: Request, before: Timers) -> Timers:
    inactive, closed = request.form.text("Timers.Inactive"), request.form.text("Timers.Closed")
    return Timers(
        inactive=before.inactive if inactive is None else validation.inactive_timer(inactive),
        closed=before.closed if closed is None else validation.closed_timer(closed),
    )


def _participant(text: str) -> dict[str, str]:
    """Parse one `Participant` parameter, a JSON object; the fields of `messaging_binding` move to the top level."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid_parameter("Participant", "must be valid JSON") from None
    binding = given.get("messaging_binding") if isinstance(given, dict) else None
    flat = {**given, **binding} if isinstance(given, dict) and isinstance(binding, dict) else given
    if not isinstance(flat, dict):
        raise invalid_parameter("Participant", "must be a JSON object")
    known = ("identity", "address", "proxy_address", "projected_address", "attributes", "role_sid")
    wanted = {name: flat[name] for name in known if flat.get(name) is not None}
    if not all(isinstance(value, str) for value in wanted.values()):
        raise invalid_parameter("Participant", "must contain only strings")
    return wanted


def _body(request: Request, conversation: Conversation) -> JSON:
    url = request.url(f"/Conversations/{conversation.sid}")
    email = conversation.email
    return {
        "sid": conversation.sid,
        "account_sid": request.backend.account_sid,
        "chat_service_sid": conversation.service_sid,
        "messaging_service_sid": conversation.messaging_service_sid,
        "friendly_name": conversation.friendly_name,
        "unique_name": conversation.unique_name,
        "attributes": conversation.attributes,
        "date_created": timestamp(conversation.date_created),
        "date_updated": timestamp(conversation.date_updated),
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
