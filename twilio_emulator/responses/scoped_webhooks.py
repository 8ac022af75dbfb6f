"""/Conversations/{CH}/Webhooks."""

from enum import StrEnum

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, scoped_webhooks
from twilio_emulator.models.resources import Conversation, ScopedWebhook
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

_UPDATE = frozenset(f"Configuration.{name}" for name in ("Url", "Method", "Filters", "Triggers", "FlowSid"))


class Target(StrEnum):
    """What a webhook of a conversation is for; a Studio flow is kept, not run."""

    WEBHOOK = "webhook"
    TRIGGER = "trigger"
    STUDIO = "studio"


class Method(StrEnum):
    """How it is sent; in small letters here, unlike a service's."""

    GET = "get"
    POST = "post"


async def create(call: Call) -> Answer:
    """Add a webhook; with ReplayAfter, the messages after that index are told to it alone."""
    call.form.only(_UPDATE | {"Target", "Configuration.ReplayAfter"})
    target = call.form.text("Target")
    if not target:
        raise TwilioError(50368)
    if target not in set(Target):
        raise TwilioError(50364)
    webhook = scoped_webhooks.add(
        call.world,
        _conversation(call).sid,
        target=target,
        url=call.form.url("Configuration.Url"),
        method=call.form.choice("Configuration.Method", Method),
        filters=call.form.many("Configuration.Filters") or (),
        triggers=call.form.many("Configuration.Triggers") or (),
        flow_sid=_flow_sid(call),
        replay_after=call.form.integer("Configuration.ReplayAfter"),
    )
    for event in scoped_webhooks.replayed(call.world, webhook):
        call.world.tell(event)
    return created(_body(call, webhook))


async def fetch(call: Call) -> Answer:
    """Return a webhook."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Change a webhook; its target stays."""
    call.form.only(_UPDATE)
    changed = scoped_webhooks.update(
        call.world,
        _named(call),
        url=call.form.url("Configuration.Url"),
        method=call.form.choice("Configuration.Method", Method),
        filters=call.form.many("Configuration.Filters"),
        triggers=call.form.many("Configuration.Triggers"),
        flow_sid=_flow_sid(call),
    )
    return found(_body(call, changed))


async def delete(call: Call) -> Answer:
    """Remove a webhook."""
    scoped_webhooks.remove(call.world, _named(call))
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of a conversation's webhooks."""
    rows = list(call.world.state.scoped_webhooks[_conversation(call).sid].values())
    return page(call, "webhooks", rows, lambda webhook: _body(call, webhook), most=scoped_webhooks.MOST_WEBHOOKS)


def _conversation(call: Call) -> Conversation:
    return conversations.parent(call.world, call.service_sid, call.parts["conversation_sid"])


def _named(call: Call) -> ScopedWebhook:
    return scoped_webhooks.fetch(call.world, _conversation(call).sid, call.parts["sid"])


def _flow_sid(call: Call) -> str | None:
    try:
        return call.form.sid("Configuration.FlowSid", "FW")
    except TwilioError:
        raise TwilioError(50367) from None


def _body(call: Call, webhook: ScopedWebhook) -> JSON:
    return {
        "sid": webhook.sid,
        "account_sid": call.world.account_sid,
        **call.of_service(),
        "conversation_sid": webhook.conversation_sid,
        "target": webhook.target,
        "configuration": _configuration_body(webhook),
        "date_created": instant(webhook.date_created),
        "date_updated": instant(webhook.date_updated),
        "url": call.url(f"/Conversations/{webhook.conversation_sid}/Webhooks/{webhook.sid}"),
    }


def _configuration_body(webhook: ScopedWebhook) -> JSON:
    match webhook.target:
        case Target.STUDIO:
            return {"flow_sid": webhook.flow_sid}
        case Target.TRIGGER:
            return {"url": webhook.url, "method": webhook.method or "post", "triggers": list(webhook.triggers)}
        case _:
            return {"url": webhook.url, "method": webhook.method or "post", "filters": list(webhook.filters)}
