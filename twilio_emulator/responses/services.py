"""Services and their configuration: /v1/Services and /v1/Services/{IS}/Configuration."""

from dataclasses import replace

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import services, users
from twilio_emulator.models.resources import Service, ServiceConfiguration
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

_LINKS = {
    "conversations": "Conversations",
    "users": "Users",
    "roles": "Roles",
    "bindings": "Bindings",
    "configuration": "Configuration",
    "participant_conversations": "ParticipantConversations",
    "conversation_with_participants": "ConversationWithParticipants",
}


async def create(request: Request) -> Response:
    """Add a service."""
    request.form.reject_unknown({"FriendlyName"})
    return created(
        _body(request, services.create(request.backend, friendly_name=request.form.required("FriendlyName")))
    )


async def fetch(request: Request) -> Response:
    """Return a service."""
    return ok(_body(request, services.fetch(request.backend, request.path_params["sid"])))


async def delete(request: Request) -> Response:
    """Remove a service with everything in it."""
    services.remove(request.backend, services.fetch(request.backend, request.path_params["sid"]))
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of services."""
    return page(
        request, "services", list(request.backend.state.services.values()), lambda service: _body(request, service)
    )


async def fetch_configuration(request: Request) -> Response:
    """Return the service's configuration."""
    return ok(_configuration_body(request, request.backend.state.service_configurations[request.service_sid]))


async def update_configuration(request: Request) -> Response:
    """Change the service's configuration."""
    request.form.reject_unknown(
        {
            "DefaultConversationCreatorRoleSid",
            "DefaultConversationRoleSid",
            "DefaultChatServiceRoleSid",
            "ReachabilityEnabled",
        }
    )
    before = request.backend.state.service_configurations[request.service_sid]
    reachability = request.form.boolean("ReachabilityEnabled")
    changed = replace(
        before,
        default_conversation_creator_role_sid=_role(request, "DefaultConversationCreatorRoleSid")
        or before.default_conversation_creator_role_sid,
        default_conversation_role_sid=_role(request, "DefaultConversationRoleSid")
        or before.default_conversation_role_sid,
        default_chat_service_role_sid=_role(request, "DefaultChatServiceRoleSid")
        or before.default_chat_service_role_sid,
        reachability_enabled=before.reachability_enabled if reachability is None else reachability,
    )
    request.backend.state.service_configurations[request.service_sid] = changed
    return ok(_configuration_body(request, changed))


def _role(request: Request, name: str) -> str | None:
    sid = request.form.sid(name, "RL")
    if not sid:
        return None
    if sid not in request.backend.state.roles[request.service_sid]:
        raise TwilioError(50100)
    return users.fetch_role(request.backend, request.service_sid, sid).sid


def _body(request: Request, service: Service) -> JSON:
    url = request.account_url(f"/Services/{service.sid}")
    return {
        "sid": service.sid,
        "account_sid": request.backend.account_sid,
        "friendly_name": service.friendly_name,
        "date_created": timestamp(service.date_created),
        "date_updated": timestamp(service.date_updated),
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in _LINKS.items()},
    }


def _configuration_body(request: Request, configuration: ServiceConfiguration) -> JSON:
    url = request.url("/Configuration")
    return {
        "chat_service_sid": request.service_sid,
        "default_conversation_creator_role_sid": configuration.default_conversation_creator_role_sid,
        "default_conversation_role_sid": configuration.default_conversation_role_sid,
        "default_chat_service_role_sid": configuration.default_chat_service_role_sid,
        "reachability_enabled": configuration.reachability_enabled,
        "url": url,
        "links": {"notifications": f"{url}/Notifications", "webhooks": f"{url}/Webhooks"},
    }
