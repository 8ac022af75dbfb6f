"""Services, with their default roles and their webhook configuration."""

from twilio_emulator.exceptions import not_found
from twilio_emulator.models import conversations, users, validation
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import rest_origin
from twilio_emulator.models.resources import RoleType, Service, ServiceConfiguration, WebhookConfiguration

ACCOUNT = ""  # the key of the account's own webhook configuration

# Twilio does not document all permissions of its default roles; these are the ones that its documentation names.
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


def create(backend: Backend, *, friendly_name: str, sid: str | None = None) -> Service:
    """Add a service, with Twilio's default roles."""
    now = backend.clock()
    service = Service(
        sid=sid or backend.new_sid("IS"),
        friendly_name=validation.name("FriendlyName", friendly_name) or "",
        date_created=now,
        date_updated=now,
    )
    backend.state.services[service.sid] = service
    backend.state.roles[service.sid] = {}
    backend.state.users[service.sid] = {}
    roles = {
        name: users.create_role(backend, service.sid, friendly_name=name, type=kind, permissions=permissions)
        for name, (kind, permissions) in _DEFAULT_ROLES.items()
    }
    backend.state.service_configurations[service.sid] = ServiceConfiguration(
        default_conversation_creator_role_sid=roles["channel admin"].sid,
        default_conversation_role_sid=roles["channel user"].sid,
        default_chat_service_role_sid=roles["service user"].sid,
    )
    return service


def fetch(backend: Backend, sid: str) -> Service:
    """Return a service; raise 20404 if it does not exist."""
    service = backend.state.services.get(sid)
    if service is None:
        raise not_found(f"/Services/{sid}")
    return service


def remove(backend: Backend, service: Service) -> None:
    """Delete a service with everything in it, without webhooks."""
    state, sid = backend.state, service.sid
    for conversation in [each for each in state.conversations.values() if each.service_sid == sid]:
        conversations.remove(backend, conversation, origin=rest_origin(webhook_enabled=False))
    for user in list(state.users[sid].values()):
        users.remove(backend, user)
    state.media = {key: media for key, media in state.media.items() if media.service_sid != sid}
    state.webhooks.pop(sid, None)
    for children in (state.services, state.service_configurations, state.roles, state.users):
        children.pop(sid)


def webhooks(backend: Backend, service_sid: str) -> WebhookConfiguration:
    """Return the webhook configuration of a service, or of the account if `service_sid` is `ACCOUNT`."""
    return backend.state.webhooks.get(service_sid, WebhookConfiguration())


def set_webhooks(backend: Backend, service_sid: str, configuration: WebhookConfiguration) -> None:
    """Replace the webhook configuration of a service, or of the account if `service_sid` is `ACCOUNT`."""
    backend.state.webhooks[service_sid] = configuration
