"""/Conversations/{CH}/Participants and /ParticipantConversations."""

from dataclasses import dataclass
from datetime import datetime

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models import conversations, event_payloads, participants
from twilio_emulator.models.resources import Binding, Conversation, Participant
from twilio_emulator.responses.conversations import timers_body
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

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
    draft = participants.draft(
        call.world,
        _conversation(call).sid,
        identity=call.form.text("Identity") or None,
        address=call.form.text("MessagingBinding.Address"),
        proxy_address=call.form.text("MessagingBinding.ProxyAddress"),
        projected_address=call.form.text("MessagingBinding.ProjectedAddress"),
        attributes=call.form.text("Attributes") or "{}",
        role_sid=call.form.sid("RoleSid", "RL"),
        date_created=call.date_created,
        date_updated=call.date_updated,
    )
    await call.ask(event_payloads.participant(call.world, "onParticipantAdd", draft, call.origin))
    return created(_body(call, participants.commit(call.world, draft, origin=call.origin)))


async def fetch(call: Call) -> Answer:
    """Return a participant."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a participant."""
    call.form.only(_UPDATE)
    changed = participants.changed(
        call.world,
        _named(call),
        identity=call.form.text("Identity"),
        proxy_address=call.form.text("MessagingBinding.ProxyAddress"),
        projected_address=call.form.text("MessagingBinding.ProjectedAddress"),
        attributes=call.form.text("Attributes"),
        role_sid=call.form.sid("RoleSid", "RL"),
        last_read_message_index=last_read_message_index(call),
        last_read_timestamp=call.form.instant("LastReadTimestamp"),
        date_created=call.date_created,
        date_updated=call.date_updated,
    )
    await call.ask(event_payloads.participant(call.world, "onParticipantUpdate", changed, call.origin))
    return found(_body(call, participants.update(call.world, changed, origin=call.origin)))


async def delete(call: Call) -> Answer:
    """Take somebody out of a conversation."""
    await call.ask(event_payloads.participant(call.world, "onParticipantRemove", _named(call), call.origin))
    participants.remove(call.world, _named(call), origin=call.origin)
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of a conversation's participants."""
    rows = list(call.world.state.participants[_conversation(call).sid].values())
    return page(call, "participants", rows, lambda participant: _body(call, participant))


async def index_of_conversations(call: Call) -> Answer:
    """Return a page of the conversations that an identity or an address is in, open and closed."""
    identity, address = call.query.text("Identity"), call.query.text("Address")
    if identity and address:
        raise TwilioError(50451)
    if not identity and not address:
        raise TwilioError(INVALID_PARAMETER, "Give Identity or Address")
    service_sid = call.service_sid
    rows = [
        _Membership(call.world.state.conversations[sid], call.world.state.participants[sid][participant_sid])
        for sid, participant_sid in call.world.state.memberships.get(identity or address or "", {}).items()
        if call.world.state.conversations[sid].service_sid == service_sid
    ]
    return page(
        call,
        "conversations",
        rows,
        lambda row: _membership_body(call, row),
        most=50,
        filters=frozenset({"Identity", "Address"}),
    )


def last_read_message_index(call: Call) -> int | None:
    """Return how far somebody has read; 50421 where it is no index."""
    try:
        index = call.form.integer("LastReadMessageIndex")
    except TwilioError:
        raise TwilioError(50421) from None
    if index is not None and index < 0:
        raise TwilioError(50421)
    return index


@dataclass(frozen=True, slots=True)
class _Membership:
    conversation: Conversation
    participant: Participant

    @property
    def date_created(self) -> datetime:
        return self.participant.date_created


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


def _membership_body(call: Call, row: _Membership) -> JSON:
    conversation, participant = row.conversation, row.participant
    url = call.url(f"/Conversations/{conversation.sid}")
    binding = _binding_body(participant.binding)
    user_key = f"{conversation.service_sid} {participant.identity}"
    return {
        "account_sid": call.world.account_sid,
        "chat_service_sid": conversation.service_sid,
        "participant_sid": participant.sid,
        "participant_user_sid": call.world.state.users_by_identity.get(user_key),
        "participant_identity": participant.identity,
        "participant_messaging_binding": {**binding, "level": None, "name": None, "projected_address": None}
        if binding
        else None,
        "conversation_sid": conversation.sid,
        "conversation_unique_name": conversation.unique_name,
        "conversation_friendly_name": conversation.friendly_name,
        "conversation_attributes": conversation.attributes,
        "conversation_date_created": instant(conversation.date_created),
        "conversation_date_updated": instant(conversation.date_updated),
        "conversation_created_by": conversation.created_by,
        "conversation_state": conversation.state,
        "conversation_timers": timers_body(conversation),
        "links": {"participant": f"{url}/Participants/{participant.sid}", "conversation": url},
    }
