"""The webhooks of one conversation: /Conversations/{CH}/Webhooks."""

from enum import StrEnum

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, scoped_webhooks
from twilio_emulator.models.resources import Conversation, ScopedWebhook
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

_UPDATE = frozenset(f"Configuration.{name}" for name in ("Url", "Method", "Filters", "Triggers", "FlowSid"))


class Target(StrEnum):
    """The target of a webhook; a Studio flow is stored but never run."""

    WEBHOOK = "webhook"
    TRIGGER = "trigger"
    STUDIO = "studio"


class Method(StrEnum):
    """The HTTP method, in lower case here; for the webhooks of a service it is in upper case."""

    GET = "get"
    POST = "post"


async def create(request: Request) -> Response:
    """Add a webhook; with ReplayAfter, send the earlier messages after that index to it, and to no other webhook."""
    request.form.reject_unknown(_UPDATE | {"Target", "Configuration.ReplayAfter"})
    target = request.form.text("Target")
    if not target:
        raise TwilioError(50368)
    if target not in set(Target):
        raise TwilioError(50364)
    webhook = scoped_webhooks.add(
        request.backend,
        _parent_conversation(request).sid,
        target=target,
        url=request.form.url("Configuration.Url"),
        method=request.form.choice("Configuration.Method", Method),
        filters=request.form.array("Configuration.Filters") or (),
        triggers=request.form.array("Configuration.Triggers") or (),
        flow_sid=_flow_sid(request),
        replay_after=request.form.integer("Configuration.ReplayAfter"),
    )
    for event in scoped_webhooks.replay_events(request.backend, webhook):
        request.backend.emit(event)
    return created(_body(request, webhook))


async def fetch(request: Request) -> Response:
    """Return a webhook."""
    return ok(_body(request, _from_path(request)))


async def update(request: Request) -> Response:
    """Change a webhook; its target cannot be changed."""
    request.form.reject_unknown(_UPDATE)
    changed = scoped_webhooks.update(
        request.backend,
        _from_path(request),
        url=request.form.url("Configuration.Url"),
        method=request.form.choice("Configuration.Method", Method),
        filters=request.form.array("Configuration.Filters"),
        triggers=request.form.array("Configuration.Triggers"),
        flow_sid=_flow_sid(request),
    )
    return ok(_body(request, changed))


async def delete(request: Request) -> Response:
    """Remove a webhook."""
    scoped_webhooks.remove(request.backend, _from_path(request))
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of a conversation's webhooks."""
    rows = list(request.backend.state.scoped_webhooks[_parent_conversation(request).sid].values())
    return page(
        request, "webhooks", rows, lambda webhook: _body(request, webhook), max_page_size=scoped_webhooks.MAX_WEBHOOKS
    )


def _parent_conversation(request: Request) -> Conversation:
    return conversations.fetch_parent(request.backend, request.service_sid, request.path_params["conversation_sid"])


def _from_path(request: Request) -> ScopedWebhook:
    return scoped_webhooks.fetch(request.backend, _parent_conversation(request).sid, request.path_params["sid"])


def _flow_sid(request: Request) -> str | None:
    try:
        return request.form.sid("Configuration.FlowSid", "FW")
    except TwilioError:
        raise TwilioError(50367) from None


def _body(request: Request, webhook: ScopedWebhook) -> JSON:
    return {
        "sid": webhook.sid,
        "account_sid": request.backend.account_sid,
        **request.service_fields(),
        "conversation_sid": webhook.conversation_sid,
        "target": webhook.target,
        "configuration": _configuration_body(webhook),
        "date_created": timestamp(webhook.date_created),
        "date_updated": timestamp(webhook.date_updated),
        "url": request.url(f"/Conversations/{webhook.conversation_sid}/Webhooks/{webhook.sid}"),
    }


def _configuration_body(webhook: ScopedWebhook) -> JSON:
    match webhook.target:
        case Target.STUDIO:
            return {"flow_sid": webhook.flow_sid}
        case Target.TRIGGER:
            return {"url": webhook.url, "method": webhook.method or "post", "triggers": list(webhook.triggers)}
        case _:
            return {"url": webhook.url, "method": webhook.method or "post", "filters": list(webhook.filters)}
