"""Users and their conversations: /Users and /Users/{US}/Conversations."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, event_payloads, participants, users
from twilio_emulator.models.resources import Conversation, Participant, User
from twilio_emulator.responses.conversations import timers_body
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.participants import last_read_message_index
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

_UPDATE = frozenset({"FriendlyName", "Attributes", "RoleSid"})


class NotificationLevel(StrEnum):
    """Whether a user is notified of new messages."""

    DEFAULT = "default"
    MUTED = "muted"


async def create(request: Request) -> Response:
    """Add a user."""
    request.form.reject_unknown(_UPDATE | {"Identity"})
    user = users.create(
        request.backend,
        request.service_sid,
        identity=request.form.text("Identity") or "",
        origin=request.origin,
        friendly_name=request.form.text("FriendlyName"),
        attributes=request.form.text("Attributes") or "{}",
        role_sid=request.form.sid("RoleSid", "RL"),
    )
    return created(_body(request, user))


async def fetch(request: Request) -> Response:
    """Return a user, by SID or identity."""
    return ok(_body(request, _from_path(request)))


async def update(request: Request) -> Response:
    """Change a user."""
    request.form.reject_unknown(_UPDATE)
    changed = users.changed(
        request.backend,
        _from_path(request),
        friendly_name=request.form.text("FriendlyName"),
        attributes=request.form.text("Attributes"),
        role_sid=request.form.sid("RoleSid", "RL"),
    )
    await request.call_pre_webhook(event_payloads.user("onUserUpdate", changed, request.origin))
    return ok(_body(request, users.update(request.backend, changed, origin=request.origin)))


async def delete(request: Request) -> Response:
    """Remove a user."""
    users.remove(request.backend, _from_path(request))
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of the service's users."""
    rows = list(request.backend.state.users[request.service_sid].values())
    return page(request, "users", rows, lambda user: _body(request, user), max_page_size=50)


async def fetch_conversation(request: Request) -> Response:
    """Return a conversation from the view of one of its users."""
    return ok(_membership_body(request, _membership(request)))


async def update_conversation(request: Request) -> Response:
    """Change how far a user has read, and whether they are notified of new messages."""
    request.form.reject_unknown({"NotificationLevel", "LastReadTimestamp", "LastReadMessageIndex"})
    membership = _membership(request)
    level = request.form.choice("NotificationLevel", NotificationLevel)
    changed = participants.changed(
        request.backend,
        membership.participant,
        last_read_message_index=last_read_message_index(request),
        last_read_timestamp=request.form.timestamp("LastReadTimestamp"),
    )
    participants.update(request.backend, changed, origin=request.origin)
    if level is NotificationLevel.MUTED:
        request.backend.state.muted.add(changed.sid)
    elif level is NotificationLevel.DEFAULT:
        request.backend.state.muted.discard(changed.sid)
    return ok(_membership_body(request, replace(membership, participant=changed)))


async def delete_conversation(request: Request) -> Response:
    """Remove a user from a conversation."""
    participants.remove(request.backend, _membership(request).participant, origin=request.origin)
    return NO_CONTENT


async def list_conversations(request: Request) -> Response:
    """Return a page of a user's conversations."""
    user = users.fetch_parent(request.backend, request.service_sid, request.path_params["user_sid"])
    rows = [
        _Membership(
            user, request.backend.state.conversations[sid], request.backend.state.participants[sid][participant_sid]
        )
        for sid, participant_sid in request.backend.state.memberships.get(user.identity, {}).items()
        if request.backend.state.conversations[sid].service_sid == user.service_sid
    ]
    return page(request, "conversations", rows, lambda row: _membership_body(request, row), max_page_size=50)


@dataclass(frozen=True, slots=True)
class _Membership:
    user: User
    conversation: Conversation
    participant: Participant

    @property
    def date_created(self) -> datetime:
        return self.participant.date_created


def _from_path(request: Request) -> User:
    return users.fetch(request.backend, request.service_sid, request.path_params["sid"])


def _membership(request: Request) -> _Membership:
    """Return the user and the conversation in the path; raise 50430 if the user is not a participant."""
    user = users.fetch_parent(request.backend, request.service_sid, request.path_params["user_sid"])
    conversation = conversations.fetch_parent(
        request.backend, request.service_sid, request.path_params["conversation_sid"]
    )
    participant = participants.find_by_identity(request.backend, conversation.sid, user.identity)
    if participant is None:
        raise TwilioError(50430)
    return _Membership(user, conversation, participant)


def _body(request: Request, user: User) -> JSON:
    url = request.url(f"/Users/{user.sid}")
    reachability = request.backend.state.service_configurations[user.service_sid].reachability_enabled
    return {
        "sid": user.sid,
        "account_sid": request.backend.account_sid,
        "chat_service_sid": user.service_sid,
        "role_sid": user.role_sid,
        "identity": user.identity,
        "friendly_name": user.friendly_name,
        "attributes": user.attributes,
        "is_online": False if reachability else None,
        "is_notifiable": False if reachability else None,
        "date_created": timestamp(user.date_created),
        "date_updated": timestamp(user.date_updated),
        "url": url,
        "links": {"user_conversations": f"{url}/Conversations"},
    }


def _membership_body(request: Request, row: _Membership) -> JSON:
    conversation, participant = row.conversation, row.participant
    url = request.url(f"/Conversations/{conversation.sid}")
    return {
        "account_sid": request.backend.account_sid,
        "chat_service_sid": conversation.service_sid,
        "conversation_sid": conversation.sid,
        "unread_messages_count": _unread(request, participant),
        "last_read_message_index": participant.last_read_message_index,
        "participant_sid": participant.sid,
        "user_sid": row.user.sid,
        "friendly_name": conversation.friendly_name,
        "conversation_state": conversation.state,
        "timers": timers_body(conversation),
        "attributes": conversation.attributes,
        "date_created": timestamp(conversation.date_created),
        "date_updated": timestamp(conversation.date_updated),
        "created_by": conversation.created_by,
        "notification_level": "muted" if participant.sid in request.backend.state.muted else "default",
        "unique_name": conversation.unique_name,
        "url": request.url(f"/Users/{row.user.sid}/Conversations/{conversation.sid}"),
        "links": {"participant": f"{url}/Participants/{participant.sid}", "conversation": url},
    }


def _unread(request: Request, participant: Participant) -> int | None:
    """Return the number of messages after the last read one; None if the user never read any."""
    if participant.last_read_message_index is None:
        return None
    existing = request.backend.state.messages[participant.conversation_sid].values()
    return sum(message.index > participant.last_read_message_index for message in existing)
