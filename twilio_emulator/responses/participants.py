"""Participants: /Conversations/{CH}/Participants and /ParticipantConversations."""

from dataclasses import dataclass
from datetime import datetime

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models import conversations, event_payloads, participants
from twilio_emulator.models.resources import Binding, Conversation, Participant
from twilio_emulator.responses.conversations import timers_body
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

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


async def create(request: Request) -> Response:
    """Add a participant to a conversation."""
    request.form.reject_unknown(_CREATE)
    draft = participants.draft(
        request.backend,
        _parent_conversation(request).sid,
        identity=request.form.text("Identity") or None,
        address=request.form.text("MessagingBinding.Address"),
        proxy_address=request.form.text("MessagingBinding.ProxyAddress"),
        projected_address=request.form.text("MessagingBinding.ProjectedAddress"),
        attributes=request.form.text("Attributes") or "{}",
        role_sid=request.form.sid("RoleSid", "RL"),
        date_created=request.date_created,
        date_updated=request.date_updated,
    )
    await request.call_pre_webhook(
        event_payloads.participant(request.backend, "onParticipantAdd", draft, request.origin)
    )
    return created(_body(request, participants.commit(request.backend, draft, origin=request.origin)))


async def fetch(request: Request) -> Response:
    """Return a participant."""
    return ok(_body(request, _from_path(request)))


async def update(request: Request) -> Response:
    """Change a participant."""
    request.form.reject_unknown(_UPDATE)
    changed = participants.changed(
        request.backend,
        _from_path(request),
        identity=request.form.text("Identity"),
        proxy_address=request.form.text("MessagingBinding.ProxyAddress"),
        projected_address=request.form.text("MessagingBinding.ProjectedAddress"),
        attributes=request.form.text("Attributes"),
        role_sid=request.form.sid("RoleSid", "RL"),
        last_read_message_index=last_read_message_index(request),
        last_read_timestamp=request.form.timestamp("LastReadTimestamp"),
        date_created=request.date_created,
        date_updated=request.date_updated,
    )
    await request.call_pre_webhook(
        event_payloads.participant(request.backend, "onParticipantUpdate", changed, request.origin)
    )
    return ok(_body(request, participants.update(request.backend, changed, origin=request.origin)))


async def delete(request: Request) -> Response:
    """Remove a participant from a conversation."""
    await request.call_pre_webhook(
        event_payloads.participant(request.backend, "onParticipantRemove", _from_path(request), request.origin)
    )
    participants.remove(request.backend, _from_path(request), origin=request.origin)
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of a conversation's participants."""
    rows = list(request.backend.state.participants[_parent_conversation(request).sid].values())
    return page(request, "participants", rows, lambda participant: _body(request, participant))


async def list_conversations(request: Request) -> Response:
    """Return a page of the conversations, open and closed, with this identity or address as a participant."""
    identity, address = request.query.text("Identity"), request.query.text("Address")
    if identity and address:
        raise TwilioError(50451)
    if not identity and not address:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: either Identity or Address is required")
    service_sid = request.service_sid
    rows = [
        _Membership(request.backend.state.conversations[sid], request.backend.state.participants[sid][participant_sid])
        for sid, participant_sid in request.backend.state.memberships.get(identity or address or "", {}).items()
        if request.backend.state.conversations[sid].service_sid == service_sid
    ]
    return page(
        request,
        "conversations",
        rows,
        lambda row: _membership_body(request, row),
        max_page_size=50,
        filters=frozenset({"Identity", "Address"}),
    )


def last_read_message_index(request: Request) -> int | None:
    """Return the index of the last message that a participant has read; raise 50421 if it is not valid."""
    try:
        index = request.form.integer("LastReadMessageIndex")
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


def _parent_conversation(request: Request) -> Conversation:
    return conversations.fetch_parent(request.backend, request.service_sid, request.path_params["conversation_sid"])


def _from_path(request: Request) -> Participant:
    return participants.fetch(request.backend, _parent_conversation(request).sid, request.path_params["sid"])


def _binding_body(binding: Binding | None) -> JSON | None:
    if binding is None:
        return None
    return {"type": binding.channel, "address": binding.address, "proxy_address": binding.proxy_address}


def _body(request: Request, participant: Participant) -> JSON:
    return {
        "account_sid": request.backend.account_sid,
        **request.service_fields(),
        "conversation_sid": participant.conversation_sid,
        "sid": participant.sid,
        "identity": participant.identity,
        "attributes": participant.attributes,
        "messaging_binding": _binding_body(participant.binding),
        "role_sid": participant.role_sid,
        "date_created": timestamp(participant.date_created),
        "date_updated": timestamp(participant.date_updated),
        "url": request.url(f"/Conversations/{participant.conversation_sid}/Participants/{participant.sid}"),
        "last_read_message_index": participant.last_read_message_index,
        "last_read_timestamp": timestamp(participant.last_read_timestamp),
    }


def _membership_body(request: Request, row: _Membership) -> JSON:
    conversation, participant = row.conversation, row.participant
    url = request.url(f"/Conversations/{conversation.sid}")
    binding = _binding_body(participant.binding)
    user_key = f"{conversation.service_sid} {participant.identity}"
    return {
        "account_sid": request.backend.account_sid,
        "chat_service_sid": conversation.service_sid,
        "participant_sid": participant.sid,
        "participant_user_sid": request.backend.state.users_by_identity.get(user_key),
        "participant_identity": participant.identity,
        "participant_messaging_binding": {**binding, "level": None, "name": None, "projected_address": None}
        if binding
        else None,
        "conversation_sid": conversation.sid,
        "conversation_unique_name": conversation.unique_name,
        "conversation_friendly_name": conversation.friendly_name,
        "conversation_attributes": conversation.attributes,
        "conversation_date_created": timestamp(conversation.date_created),
        "conversation_date_updated": timestamp(conversation.date_updated),
        "conversation_created_by": conversation.created_by,
        "conversation_state": conversation.state,
        "conversation_timers": timers_body(conversation),
        "links": {"participant": f"{url}/Participants/{participant.sid}", "conversation": url},
    }
