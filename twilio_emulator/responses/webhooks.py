"""The webhook configuration of a service and of the account: /Configuration/Webhooks."""

from enum import StrEnum

from twilio_emulator.models import services
from twilio_emulator.models.events import POST_EVENTS, PRE_EVENTS, USER_EVENTS
from twilio_emulator.models.resources import WebhookConfiguration
from twilio_emulator.responses.parameters import invalid_parameter
from twilio_emulator.responses.request import JSON, Request, Response, ok

_FIELDS = frozenset({"PreWebhookUrl", "PostWebhookUrl", "Filters", "Method"})


class Method(StrEnum):
    """The HTTP method of webhooks."""

    GET = "GET"
    POST = "POST"


class Target(StrEnum):
    """The target of the account's webhooks; the emulator stores `flex` and ignores it."""

    WEBHOOK = "webhook"
    FLEX = "flex"


async def fetch(request: Request) -> Response:
    """Return the service's webhook configuration."""
    return ok(_service_body(request, services.webhooks(request.backend, request.service_sid)))


async def update(request: Request) -> Response:
    """Change the service's webhook configuration."""
    request.form.reject_unknown(_FIELDS)
    before = services.webhooks(request.backend, request.service_sid)
    changed = _changed(request, before, filters=(*PRE_EVENTS, *POST_EVENTS), target=before.target)
    services.set_webhooks(request.backend, request.service_sid, changed)
    return ok(_service_body(request, changed))


async def fetch_of_account(request: Request) -> Response:
    """Return the account's webhook configuration."""
    return ok(_account_body(request, services.webhooks(request.backend, services.ACCOUNT)))


async def update_of_account(request: Request) -> Response:
    """Change the account's webhook configuration, which applies to services without a configuration of their own."""
    request.form.reject_unknown(_FIELDS | {"Target"})
    before = services.webhooks(request.backend, services.ACCOUNT)
    target = request.form.choice("Target", Target) or before.target
    changed = _changed(request, before, filters=(*PRE_EVENTS, *POST_EVENTS, *USER_EVENTS), target=target)
    services.set_webhooks(request.backend, services.ACCOUNT, changed)
    return ok(_account_body(request, changed))


def _changed(
    request: Request, before: WebhookConfiguration, *, filters: tuple[str, ...], target: str
) -> WebhookConfiguration:
    pre, post = request.form.url("PreWebhookUrl"), request.form.url("PostWebhookUrl")
    method = request.form.choice("Method", Method)
    chosen = request.form.array("Filters")
    if unknown := set(chosen or ()) - {*filters, ""}:
        raise invalid_parameter("Filters", f"contains an unknown event: {min(unknown)[:50]}")
    return WebhookConfiguration(
        pre_webhook_url=before.pre_webhook_url if pre is None else pre or None,
        post_webhook_url=before.post_webhook_url if post is None else post or None,
        filters=before.filters if chosen is None else tuple(name for name in chosen if name),
        method=before.method if method is None else method,
        target=target,
    )


def _service_body(request: Request, configuration: WebhookConfiguration) -> JSON:
    return {
        "account_sid": request.backend.account_sid,
        "chat_service_sid": request.service_sid,
        **_body(configuration),
        "url": request.url("/Configuration/Webhooks"),
    }


def _account_body(request: Request, configuration: WebhookConfiguration) -> JSON:
    return {
        "account_sid": request.backend.account_sid,
        **_body(configuration),
        "target": configuration.target,
        "url": request.account_url("/Configuration/Webhooks"),
    }


def _body(configuration: WebhookConfiguration) -> JSON:
    return {
        "pre_webhook_url": configuration.pre_webhook_url,
        "post_webhook_url": configuration.post_webhook_url,
        "filters": None if configuration.filters is None else list(configuration.filters),
        "method": configuration.method,
    }
