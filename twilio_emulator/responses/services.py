"""/v1/Services and /v1/Services/{IS}/Configuration."""

from dataclasses import replace

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import services, users
from twilio_emulator.models.resources import Service, ServiceConfiguration
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

_LINKS = {
    "conversations": "Conversations",
    "users": "Users",
    "roles": "Roles",
    "bindings": "Bindings",
    "configuration": "Configuration",
    "participant_conversations": "ParticipantConversations",
    "conversation_with_participants": "ConversationWithParticipants",
}


async def create(call: Call) -> Answer:
    """Add a service."""
    call.form.only({"FriendlyName"})
    return created(_body(call, services.create(call.world, friendly_name=call.form.required("FriendlyName"))))


async def fetch(call: Call) -> Answer:
    """Return a service."""
    return found(_body(call, services.fetch(call.world, call.parts["sid"])))


async def delete(call: Call) -> Answer:
    """Remove a service with all it holds."""
    services.remove(call.world, services.fetch(call.world, call.parts["sid"]))
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of services."""
    return page(call, "services", list(call.world.state.services.values()), lambda service: _body(call, service))


async def fetch_configuration(call: Call) -> Answer:
    """Return the service's defaults."""
    return found(_configuration_body(call, call.world.state.service_configurations[call.service_sid]))


async def update_configuration(call: Call) -> Answer:
    """Change the service's defaults."""
    call.form.only(
        {
            "DefaultConversationCreatorRoleSid",
            "DefaultConversationRoleSid",
            "DefaultChatServiceRoleSid",
            "ReachabilityEnabled",
        }
    )
    before = call.world.state.service_configurations[call.service_sid]
    reachability = call.form.flag("ReachabilityEnabled")
    changed = replace(
        before,
        default_conversation_creator_role_sid=_role(call, "DefaultConversationCreatorRoleSid")
        or before.default_conversation_creator_role_sid,
        default_conversation_role_sid=_role(call, "DefaultConversationRoleSid") or before.default_conversation_role_sid,
        default_chat_service_role_sid=_role(call, "DefaultChatServiceRoleSid") or before.default_chat_service_role_sid,
        reachability_enabled=before.reachability_enabled if reachability is None else reachability,
    )
    call.world.state.service_configurations[call.service_sid] = changed
    return found(_configuration_body(call, changed))


def _role(call: Call, name: str) -> str | None:
    sid = call.form.sid(name, "RL")
    if not sid:
        return None
    if sid not in call.world.state.roles[call.service_sid]:
        raise TwilioError(50100)
    return users.fetch_role(call.world, call.service_sid, sid).sid


def _body(call: Call, service: Service) -> JSON:
    url = call.account_url(f"/Services/{service.sid}")
    return {
        "sid": service.sid,
        "account_sid": call.world.account_sid,
        "friendly_name": service.friendly_name,
        "date_created": instant(service.date_created),
        "date_updated": instant(service.date_updated),
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in _LINKS.items()},
    }


def _configuration_body(call: Call, configuration: ServiceConfiguration) -> JSON:
    url = call.url("/Configuration")
    return {
        "chat_service_sid": call.service_sid,
        "default_conversation_creator_role_sid": configuration.default_conversation_creator_role_sid,
        "default_conversation_role_sid": configuration.default_conversation_role_sid,
        "default_chat_service_role_sid": configuration.default_chat_service_role_sid,
        "reachability_enabled": configuration.reachability_enabled,
        "url": url,
        "links": {"notifications": f"{url}/Notifications", "webhooks": f"{url}/Webhooks"},
    }
