"""Where webhooks go: /Configuration/Webhooks of a service and of the account."""

from enum import StrEnum

from twilio_emulator.models import services
from twilio_emulator.models.events import POST_EVENTS, PRE_EVENTS, USER_EVENTS
from twilio_emulator.models.resources import WebhookConfiguration
from twilio_emulator.responses.parameters import invalid
from twilio_emulator.responses.request import JSON, Answer, Call, found

_FIELDS = frozenset({"PreWebhookUrl", "PostWebhookUrl", "Filters", "Method"})


class Method(StrEnum):
    """How webhooks are sent."""

    GET = "GET"
    POST = "POST"


class Target(StrEnum):
    """Who handles the account's webhooks; Flex is no part of the emulator, and changes nothing."""

    WEBHOOK = "webhook"
    FLEX = "flex"


async def fetch(call: Call) -> Answer:
    """Return where the service's webhooks go."""
    return found(_service_body(call, services.webhooks(call.world, call.service_sid)))


async def update(call: Call) -> Answer:
    """Change where the service's webhooks go."""
    call.form.only(_FIELDS)
    before = services.webhooks(call.world, call.service_sid)
    changed = _changed(call, before, filters=(*PRE_EVENTS, *POST_EVENTS), target=before.target)
    services.set_webhooks(call.world, call.service_sid, changed)
    return found(_service_body(call, changed))


async def fetch_of_account(call: Call) -> Answer:
    """Return where the account's webhooks go."""
    return found(_account_body(call, services.webhooks(call.world, services.ACCOUNT)))


async def update_of_account(call: Call) -> Answer:
    """Change where the account's webhooks go: those of services that have none of their own."""
    call.form.only(_FIELDS | {"Target"})
    before = services.webhooks(call.world, services.ACCOUNT)
    target = call.form.choice("Target", Target) or before.target
    changed = _changed(call, before, filters=(*PRE_EVENTS, *POST_EVENTS, *USER_EVENTS), target=target)
    services.set_webhooks(call.world, services.ACCOUNT, changed)
    return found(_account_body(call, changed))


def _changed(
    call: Call, before: WebhookConfiguration, *, filters: tuple[str, ...], target: str
) -> WebhookConfiguration:
    pre, post = call.form.url("PreWebhookUrl"), call.form.url("PostWebhookUrl")
    method = call.form.choice("Method", Method)
    chosen = call.form.many("Filters")
    if unknown := set(chosen or ()) - {*filters, ""}:
        raise invalid("Filters", f"names an event there is not: {min(unknown)[:50]}")
    return WebhookConfiguration(
        pre_webhook_url=before.pre_webhook_url if pre is None else pre or None,
        post_webhook_url=before.post_webhook_url if post is None else post or None,
        filters=before.filters if chosen is None else tuple(name for name in chosen if name),
        method=before.method if method is None else method,
        target=target,
    )


def _service_body(call: Call, configuration: WebhookConfiguration) -> JSON:
    return {
        "account_sid": call.world.account_sid,
        "chat_service_sid": call.service_sid,
        **_body(configuration),
        "url": call.url("/Configuration/Webhooks"),
    }


def _account_body(call: Call, configuration: WebhookConfiguration) -> JSON:
    return {
        "account_sid": call.world.account_sid,
        **_body(configuration),
        "target": configuration.target,
        "url": call.account_url("/Configuration/Webhooks"),
    }


def _body(configuration: WebhookConfiguration) -> JSON:
    return {
        "pre_webhook_url": configuration.pre_webhook_url,
        "post_webhook_url": configuration.post_webhook_url,
        "filters": None if configuration.filters is None else list(configuration.filters),
        "method": configuration.method,
    }
