"""/Conversations, in both path families."""

from local.twilio.models import checks, conversations
from local.twilio.models.records import Conversation, State, Timers
from local.twilio.responses.call import DELETED, JSON, Answer, Call, created, found, instant
from local.twilio.responses.paging import page

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
    conversation = conversations.create(
        call.world,
        service_sid=call.service_sid,
        origin=call.origin,
        friendly_name=call.form.text("FriendlyName"),
        unique_name=call.form.text("UniqueName"),
        attributes=call.form.text("Attributes") or "{}",
        messaging_service_sid=call.form.sid("MessagingServiceSid", "MG"),
        state=call.form.choice("State", State) or State.ACTIVE,
        timers=_timers(call, Timers()),
    )
    return created(_body(call, conversation))


async def fetch(call: Call) -> Answer:
    """Return a conversation."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a conversation."""
    call.form.only(_FIELDS)
    conversation = _named(call)
    conversations.must_be_open(call.world, conversation.sid)
    changes_timers = "Timers.Inactive" in call.form or "Timers.Closed" in call.form
    changed = conversations.update(
        call.world,
        conversation.sid,
        origin=call.origin,
        friendly_name=call.form.text("FriendlyName"),
        unique_name=call.form.text("UniqueName"),
        attributes=call.form.text("Attributes"),
        messaging_service_sid=call.form.sid("MessagingServiceSid", "MG"),
        state=call.form.choice("State", State),
        timers=_timers(call, conversation.timers) if changes_timers else None,
    )
    return found(_body(call, changed))


async def delete(call: Call) -> Answer:
    """Remove a conversation."""
    conversations.delete(call.world, _named(call).sid, origin=call.origin)
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
        rows.reverse()
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


def _timers(call: Call, before: Timers) -> Timers:
    inactive, closed = call.form.text("Timers.Inactive"), call.form.text("Timers.Closed")
    return Timers(
        inactive=before.inactive if inactive is None else checks.inactive_timer(inactive),
        closed=before.closed if closed is None else checks.closed_timer(closed),
    )


def _body(call: Call, conversation: Conversation) -> JSON:
    url = call.url(f"/Conversations/{conversation.sid}")
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
        "bindings": {},
        "url": url,
        "links": {
            "participants": f"{url}/Participants",
            "messages": f"{url}/Messages",
            "webhooks": f"{url}/Webhooks",
            "export": f"{url}/Export",
        },
    }
