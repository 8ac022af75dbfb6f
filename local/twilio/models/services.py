"""Services, their webhooks and the account's."""

from local.twilio.exceptions import not_found
from local.twilio.models import checks
from local.twilio.models.records import Service, WebhookConfiguration
from local.twilio.models.world import World


def create(world: World, *, friendly_name: str, sid: str | None = None) -> Service:
    """Add a service."""
    now = world.clock()
    service = Service(
        sid=sid or world.new_sid("IS"),
        friendly_name=checks.name("FriendlyName", friendly_name) or "",
        date_created=now,
        date_updated=now,
    )
    world.state.services[service.sid] = service
    return service


def fetch(world: World, sid: str) -> Service:
    """Return a service."""
    service = world.state.services.get(sid)
    if service is None:
        raise not_found(f"/Services/{sid}")
    return service


def webhooks(world: World, service_sid: str) -> WebhookConfiguration:
    """Return a service's webhook configuration; `""` is the account's."""
    return world.state.webhooks.get(service_sid, WebhookConfiguration())


def set_webhooks(world: World, service_sid: str, configuration: WebhookConfiguration) -> None:
    """Replace a webhook configuration."""
    world.state.webhooks[service_sid] = configuration
