"""Which webhooks an event is sent to.

The webhooks of a service replace those of the account (Twilio, "per-service webhook resource"). The webhooks of a
conversation are sent in addition.
"""

from dataclasses import dataclass

from twilio_emulator.models import services
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import Event
from twilio_emulator.models.resources import ScopedWebhook, WebhookConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """The URL and the HTTP method of a webhook."""

    url: str
    method: str


def pre_webhook_target(backend: Backend, event: Event) -> WebhookTarget | None:
    """Return the target of a pre-event, or None; webhooks of a conversation never get pre-events."""
    configuration = _configuration(backend, event)
    if not configuration.pre_webhook_url or event.type not in (configuration.filters or ()):
        return None
    return WebhookTarget(url=configuration.pre_webhook_url, method=configuration.method or "POST")


def post_webhook_targets(backend: Backend, event: Event) -> list[WebhookTarget]:
    """Return the targets of a post-event."""
    targets = []
    configuration = _configuration(backend, event)
    if (
        event.only_webhook_sid is None
        and configuration.post_webhook_url
        and event.type in (configuration.filters or ())
    ):
        targets.append(WebhookTarget(url=configuration.post_webhook_url, method=configuration.method or "POST"))
    if event.conversation_sid is None:
        return targets
    scoped = backend.state.scoped_webhooks.get(event.conversation_sid, {})
    return targets + [
        WebhookTarget(url=webhook.url, method=(webhook.method or "post").upper())
        for webhook in scoped.values()
        if webhook.url and event.only_webhook_sid in {None, webhook.sid} and _is_subscribed(webhook, event)
    ]


def _configuration(backend: Backend, event: Event) -> WebhookConfiguration:
    own = services.webhooks(backend, event.service_sid)
    return own if own.post_webhook_url or own.pre_webhook_url else services.webhooks(backend, services.ACCOUNT)


def _is_subscribed(webhook: ScopedWebhook, event: Event) -> bool:
    if webhook.target == "trigger":
        body = event.by_name().get("Body", "") if event.type == "onMessageAdded" else ""
        return any(trigger.lower() in body.lower() for trigger in webhook.triggers)
    return webhook.target == "webhook" and event.type in webhook.filters
