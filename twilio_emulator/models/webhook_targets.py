"""Who is to hear of an event.

A service's webhooks replace the account's, they do not add to them (Twilio, per-service webhook resource); those of a
conversation come on top.
"""

from dataclasses import dataclass

from twilio_emulator.models import services
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Event
from twilio_emulator.models.resources import ScopedWebhook, WebhookConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a webhook goes, and how."""

    url: str
    method: str


def before(world: World, event: Event) -> Target | None:
    """Return who is asked before an event happens: never a conversation's own webhooks."""
    configuration = _configuration(world, event)
    if not configuration.pre_webhook_url or event.type not in (configuration.filters or ()):
        return None
    return Target(url=configuration.pre_webhook_url, method=configuration.method or "POST")


def after(world: World, event: Event) -> list[Target]:
    """Return where an event is told after it happened."""
    targets = []
    configuration = _configuration(world, event)
    if event.only_webhook is None and configuration.post_webhook_url and event.type in (configuration.filters or ()):
        targets.append(Target(url=configuration.post_webhook_url, method=configuration.method or "POST"))
    if event.conversation_sid is None:
        return targets
    scoped = world.state.scoped_webhooks.get(event.conversation_sid, {})
    return targets + [
        Target(url=webhook.url, method=(webhook.method or "post").upper())
        for webhook in scoped.values()
        if webhook.url and event.only_webhook in {None, webhook.sid} and _wants(webhook, event)
    ]


def _configuration(world: World, event: Event) -> WebhookConfiguration:
    own = services.webhooks(world, event.service_sid)
    return own if own.post_webhook_url or own.pre_webhook_url else services.webhooks(world, services.ACCOUNT)


def _wants(webhook: ScopedWebhook, event: Event) -> bool:
    if webhook.target == "trigger":
        body = event.named().get("Body", "") if event.type == "onMessageAdded" else ""
        return any(trigger.lower() in body.lower() for trigger in webhook.triggers)
    return webhook.target == "webhook" and event.type in webhook.filters
