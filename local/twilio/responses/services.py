"""/v1/Services and /v1/Services/{IS}/Configuration/Webhooks."""

from enum import StrEnum

from local.twilio.models import services
from local.twilio.models.records import Service, WebhookConfiguration
from local.twilio.responses.call import JSON, Answer, Call, created, found, instant
from local.twilio.responses.paging import page

_LINKS = {
    "conversations": "Conversations",
    "users": "Users",
    "roles": "Roles",
    "bindings": "Bindings",
    "configuration": "Configuration",
    "participant_conversations": "ParticipantConversations",
    "conversation_with_participants": "ConversationWithParticipants",
}


class Method(StrEnum):
    """How a service's or the account's webhooks are sent."""

    GET = "GET"
    POST = "POST"


async def create(call: Call) -> Answer:
    """Add a service."""
    call.form.only({"FriendlyName"})
    return created(_body(call, services.create(call.world, friendly_name=call.form.required("FriendlyName"))))


async def fetch(call: Call) -> Answer:
    """Return a service."""
    return found(_body(call, services.fetch(call.world, call.parts["sid"])))


async def index(call: Call) -> Answer:
    """Return a page of services."""
    return page(call, "services", list(call.world.state.services.values()), lambda service: _body(call, service))


async def fetch_webhooks(call: Call) -> Answer:
    """Return where the service's webhooks go."""
    return found(_webhooks_body(call, services.webhooks(call.world, call.service_sid)))


async def update_webhooks(call: Call) -> Answer:
    """Change where the service's webhooks go."""
    call.form.only({"PreWebhookUrl", "PostWebhookUrl", "Filters", "Method"})
    configuration = _changed(call, services.webhooks(call.world, call.service_sid))
    services.set_webhooks(call.world, call.service_sid, configuration)
    return found(_webhooks_body(call, configuration))


def _changed(call: Call, before: WebhookConfiguration) -> WebhookConfiguration:
    pre, post = call.form.text("PreWebhookUrl"), call.form.text("PostWebhookUrl")
    filters, method = call.form.many("Filters"), call.form.choice("Method", Method)
    return WebhookConfiguration(
        pre_webhook_url=before.pre_webhook_url if pre is None else pre or None,
        post_webhook_url=before.post_webhook_url if post is None else post or None,
        filters=before.filters if filters is None else tuple(name for name in filters if name),
        method=before.method if method is None else method,
    )


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


def _webhooks_body(call: Call, configuration: WebhookConfiguration) -> JSON:
    return {
        "account_sid": call.world.account_sid,
        "chat_service_sid": call.service_sid,
        "pre_webhook_url": configuration.pre_webhook_url,
        "post_webhook_url": configuration.post_webhook_url,
        "filters": None if configuration.filters is None else list(configuration.filters),
        "method": configuration.method,
        "url": call.url("/Configuration/Webhooks"),
    }
