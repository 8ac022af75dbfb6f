"""/Users and /Users/{US}/Conversations."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, participants, users
from twilio_emulator.models.resources import Conversation, Participant, User
from twilio_emulator.responses.conversations import timers_body
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.participants import last_read_message_index
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

_UPDATE = frozenset({"FriendlyName", "Attributes", "RoleSid"})


class NotificationLevel(StrEnum):
    """Whether a user hears of new messages."""

    DEFAULT = "default"
    MUTED = "muted"


async def create(call: Call) -> Answer:
    """Add a user."""
    call.form.only(_UPDATE | {"Identity"})
    user = users.create(
        call.world,
        call.service_sid,
        identity=call.form.text("Identity") or "",
        origin=call.origin,
        friendly_name=call.form.text("FriendlyName"),
        attributes=call.form.text("Attributes") or "{}",
        role_sid=call.form.sid("RoleSid", "RL"),
    )
    return created(_body(call, user))


async def fetch(call: Call) -> Answer:
    """Return a user, by SID or identity."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a user."""
    call.form.only(_UPDATE)
    changed = users.changed(
        call.world,
        _named(call),
        friendly_name=call.form.text("FriendlyName"),
        attributes=call.form.text("Attributes"),
        role_sid=call.form.sid("RoleSid", "RL"),
    )
    await call.ask(users.telling("onUserUpdate", changed, call.origin))
    return found(_body(call, users.update(call.world, changed, origin=call.origin)))


async def delete(call: Call) -> Answer:
    """Remove a user."""
    users.remove(call.world, _named(call))
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of the service's users."""
    rows = list(call.world.state.users[call.service_sid].values())
    return page(call, "users", rows, lambda user: _body(call, user), most=50)


async def fetch_conversation(call: Call) -> Answer:
    """Return a conversation as a user of it sees it."""
    return found(_membership_body(call, _membership(call)))


async def update_conversation(call: Call) -> Answer:
    """Change how far a user has read, and whether he hears of new messages."""
    call.form.only({"NotificationLevel", "LastReadTimestamp", "LastReadMessageIndex"})
    membership = _membership(call)
    level = call.form.choice("NotificationLevel", NotificationLevel)
    changed = participants.changed(
        call.world,
        membership.participant,
        last_read_message_index=last_read_message_index(call),
        last_read_timestamp=call.form.instant("LastReadTimestamp"),
    )
    participants.update(call.world, changed, origin=call.origin)
    if level is NotificationLevel.MUTED:
        call.world.state.muted.add(changed.sid)
    elif level is NotificationLevel.DEFAULT:
        call.world.state.muted.discard(changed.sid)
    return found(_membership_body(call, replace(membership, participant=changed)))


async def delete_conversation(call: Call) -> Answer:
    """Have a user leave a conversation."""
    participants.remove(call.world, _membership(call).participant, origin=call.origin)
    return DELETED


async def index_of_conversations(call: Call) -> Answer:
    """Return a page of the conversations a user is in."""
    user = users.parent(call.world, call.service_sid, call.parts["user_sid"])
    rows = [
        _Membership(user, call.world.state.conversations[sid], call.world.state.participants[sid][participant_sid])
        for sid, participant_sid in call.world.state.memberships.get(user.identity, {}).items()
        if call.world.state.conversations[sid].service_sid == user.service_sid
    ]
    return page(call, "conversations", rows, lambda row: _membership_body(call, row), most=50)


@dataclass(frozen=True, slots=True)
class _Membership:
    user: User
    conversation: Conversation
    participant: Participant

    @property
    def date_created(self) -> datetime:
        return self.participant.date_created


def _named(call: Call) -> User:
    return users.fetch(call.world, call.service_sid, call.parts["sid"])


def _membership(call: Call) -> _Membership:
    """Return the user and his conversation that the path names; 50430 where he is not in it."""
    user = users.parent(call.world, call.service_sid, call.parts["user_sid"])
    conversation = conversations.parent(call.world, call.service_sid, call.parts["conversation_sid"])
    participant = participants.of_identity(call.world, conversation.sid, user.identity)
    if participant is None:
        raise TwilioError(50430)
    return _Membership(user, conversation, participant)


def _body(call: Call, user: User) -> JSON:
    url = call.url(f"/Users/{user.sid}")
    reachability = call.world.state.service_configurations[user.service_sid].reachability_enabled
    return {
        "sid": user.sid,
        "account_sid": call.world.account_sid,
        "chat_service_sid": user.service_sid,
        "role_sid": user.role_sid,
        "identity": user.identity,
        "friendly_name": user.friendly_name,
        "attributes": user.attributes,
        "is_online": False if reachability else None,
        "is_notifiable": False if reachability else None,
        "date_created": instant(user.date_created),
        "date_updated": instant(user.date_updated),
        "url": url,
        "links": {"user_conversations": f"{url}/Conversations"},
    }


def _membership_body(call: Call, row: _Membership) -> JSON:
    conversation, participant = row.conversation, row.participant
    url = call.url(f"/Conversations/{conversation.sid}")
    return {
        "account_sid": call.world.account_sid,
        "chat_service_sid": conversation.service_sid,
        "conversation_sid": conversation.sid,
        "unread_messages_count": _unread(call, participant),
        "last_read_message_index": participant.last_read_message_index,
        "participant_sid": participant.sid,
        "user_sid": row.user.sid,
        "friendly_name": conversation.friendly_name,
        "conversation_state": conversation.state,
        "timers": timers_body(conversation),
        "attributes": conversation.attributes,
        "date_created": instant(conversation.date_created),
        "date_updated": instant(conversation.date_updated),
        "created_by": conversation.created_by,
        "notification_level": "muted" if participant.sid in call.world.state.muted else "default",
        "unique_name": conversation.unique_name,
        "url": call.url(f"/Users/{row.user.sid}/Conversations/{conversation.sid}"),
        "links": {"participant": f"{url}/Participants/{participant.sid}", "conversation": url},
    }


def _unread(call: Call, participant: Participant) -> int | None:
    """Return how many messages stand after the last read one; None where nothing was ever read."""
    if participant.last_read_message_index is None:
        return None
    standing = call.world.state.messages[participant.conversation_sid].values()
    return sum(message.index > participant.last_read_message_index for message in standing)
