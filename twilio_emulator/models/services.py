"""Services with their defaults and roles, and where webhooks go."""

from twilio_emulator.exceptions import not_found
from twilio_emulator.models import conversations, users, validation
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import rest
from twilio_emulator.models.resources import RoleType, Service, ServiceConfiguration, WebhookConfiguration

ACCOUNT = ""  # the key of the account's own webhooks

# What Twilio's default roles permit is not documented in full; these are the permissions its documentation names.
_DEFAULT_ROLES = {
    "service user": (RoleType.SERVICE, ("createConversation", "joinConversation", "editOwnUserInfo")),
    "service admin": (
        RoleType.SERVICE,
        ("createConversation", "joinConversation", "addParticipant", "deleteConversation", "editAnyUserInfo"),
    ),
    "channel user": (
        RoleType.CONVERSATION,
        ("sendMessage", "sendMediaMessage", "leaveConversation", "editOwnMessage", "deleteOwnMessage"),
    ),
    "channel admin": (
        RoleType.CONVERSATION,
        ("sendMessage", "sendMediaMessage", "addParticipant", "removeParticipant", "deleteAnyMessage"),
    ),
}


def create(world: World, *, friendly_name: str, sid: str | None = None) -> Service:
    """Add a service, with Twilio's default roles."""
    now = world.clock()
    service = Service(
        sid=sid or world.new_sid("IS"),
        friendly_name=validation.name("FriendlyName", friendly_name) or "",
        date_created=now,
        date_updated=now,
    )
    world.state.services[service.sid] = service
    world.state.roles[service.sid] = {}
    world.state.users[service.sid] = {}
    roles = {
        name: users.create_role(world, service.sid, friendly_name=name, type=kind, permissions=permissions)
        for name, (kind, permissions) in _DEFAULT_ROLES.items()
    }
    world.state.service_configurations[service.sid] = ServiceConfiguration(
        default_conversation_creator_role_sid=roles["channel admin"].sid,
        default_conversation_role_sid=roles["channel user"].sid,
        default_chat_service_role_sid=roles["service user"].sid,
    )
    return service


def fetch(world: World, sid: str) -> Service:
    """Return a service."""
    service = world.state.services.get(sid)
    if service is None:
        raise not_found(f"/Services/{sid}")
    return service


def remove(world: World, service: Service) -> None:
    """Delete a service with all it holds; nothing of it is told."""
    state, sid = world.state, service.sid
    for conversation in [each for each in state.conversations.values() if each.service_sid == sid]:
        conversations.remove(world, conversation, origin=rest(webhook_enabled=False))
    for user in list(state.users[sid].values()):
        users.remove(world, user)
    state.media = {key: media for key, media in state.media.items() if media.service_sid != sid}
    state.webhooks.pop(sid, None)
    for children in (state.services, state.service_configurations, state.roles, state.users):
        children.pop(sid)


def webhooks(world: World, service_sid: str) -> WebhookConfiguration:
    """Return a service's webhook configuration, or with `ACCOUNT` the account's."""
    return world.state.webhooks.get(service_sid, WebhookConfiguration())


def set_webhooks(world: World, service_sid: str, configuration: WebhookConfiguration) -> None:
    """Replace a webhook configuration."""
    world.state.webhooks[service_sid] = configuration
