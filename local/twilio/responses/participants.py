"""/Conversations/{CH}/Participants."""

from local.twilio.models import conversations, participants
from local.twilio.models.records import Binding, Conversation, Participant
from local.twilio.responses.call import DELETED, JSON, Answer, Call, created, found, instant
from local.twilio.responses.paging import page

_CREATE = frozenset(
    {
        "Identity",
        "MessagingBinding.Address",
        "MessagingBinding.ProxyAddress",
        "MessagingBinding.ProjectedAddress",
        "Attributes",
        "RoleSid",
        "DateCreated",
        "DateUpdated",
    }
)
_UPDATE = _CREATE - {"MessagingBinding.Address"} | {"LastReadMessageIndex", "LastReadTimestamp"}


async def create(call: Call) -> Answer:
    """Add somebody to a conversation."""
    call.form.only(_CREATE)
    participant = participants.add(
        call.world,
        _conversation(call).sid,
        origin=call.origin,
        identity=call.form.text("Identity") or None,
        address=call.form.text("MessagingBinding.Address") or None,
        proxy_address=call.form.text("MessagingBinding.ProxyAddress"),
        attributes=call.form.text("Attributes") or "{}",
        role_sid=call.form.sid("RoleSid", "RL"),
    )
    return created(_body(call, participant))


async def fetch(call: Call) -> Answer:
    """Return a participant."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a participant."""
    call.form.only(_UPDATE)
    changed = participants.update(
        call.world,
        _named(call),
        origin=call.origin,
        identity=call.form.text("Identity"),
        attributes=call.form.text("Attributes"),
        role_sid=call.form.sid("RoleSid", "RL"),
        last_read_message_index=call.form.integer("LastReadMessageIndex"),
        last_read_timestamp=call.form.instant("LastReadTimestamp"),
    )
    return found(_body(call, changed))


async def delete(call: Call) -> Answer:
    """Take somebody out of a conversation."""
    participants.remove(call.world, _named(call), origin=call.origin)
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of a conversation's participants."""
    rows = list(call.world.state.participants[_conversation(call).sid].values())
    return page(call, "participants", rows, lambda participant: _body(call, participant))


def _conversation(call: Call) -> Conversation:
    return conversations.parent(call.world, call.service_sid, call.parts["conversation_sid"])


def _named(call: Call) -> Participant:
    return participants.fetch(call.world, _conversation(call).sid, call.parts["sid"])


def _binding_body(binding: Binding | None) -> JSON | None:
    if binding is None:
        return None
    return {"type": binding.channel, "address": binding.address, "proxy_address": binding.proxy_address}


def _body(call: Call, participant: Participant) -> JSON:
    return {
        "account_sid": call.world.account_sid,
        **call.of_service(),
        "conversation_sid": participant.conversation_sid,
        "sid": participant.sid,
        "identity": participant.identity,
        "attributes": participant.attributes,
        "messaging_binding": _binding_body(participant.binding),
        "role_sid": participant.role_sid,
        "date_created": instant(participant.date_created),
        "date_updated": instant(participant.date_updated),
        "url": call.url(f"/Conversations/{participant.conversation_sid}/Participants/{participant.sid}"),
        "last_read_message_index": participant.last_read_message_index,
        "last_read_timestamp": instant(participant.last_read_timestamp),
    }
