"""The webhooks of one conversation: at most five, for post-events only."""

from collections.abc import Sequence
from dataclasses import replace

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import event_payloads
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import POST_EVENTS, Event, rest_origin
from twilio_emulator.models.resources import ScopedWebhook

MAX_WEBHOOKS = 5

_REQUIRED_FIELD = {"webhook": ("url", 50369), "trigger": ("triggers", 50371), "studio": ("flow_sid", 50367)}


def add(
    backend: Backend,
    conversation_sid: str,
    *,
    target: str,
    url: str | None = None,
    method: str | None = None,
    filters: Sequence[str] = (),
    triggers: Sequence[str] = (),
    flow_sid: str | None = None,
    replay_after: int | None = None,
) -> ScopedWebhook:
    """Add a webhook to a conversation; raise 50361 if it already has five."""
    if len(backend.state.scoped_webhooks[conversation_sid]) >= MAX_WEBHOOKS:
        raise TwilioError(50361)
    now = backend.clock()
    webhook = _validate(
        ScopedWebhook(
            sid=backend.new_sid("WH"),
            conversation_sid=conversation_sid,
            target=target,
            url=url,
            method=method,
            filters=tuple(filters),
            triggers=tuple(triggers),
            flow_sid=flow_sid,
            replay_after=replay_after,
            date_created=now,
            date_updated=now,
        )
    )
    backend.state.scoped_webhooks[conversation_sid][webhook.sid] = webhook
    return webhook


def fetch(backend: Backend, conversation_sid: str, sid: str) -> ScopedWebhook:
    """Return a webhook of the conversation; raise 50360 if it does not exist."""
    webhook = backend.state.scoped_webhooks[conversation_sid].get(sid)
    if webhook is None:
        raise TwilioError(50360)
    return webhook


def update(
    backend: Backend,
    webhook: ScopedWebhook,
    *,
    url: str | None = None,
    method: str | None = None,
    filters: Sequence[str] | None = None,
    triggers: Sequence[str] | None = None,
    flow_sid: str | None = None,
) -> ScopedWebhook:
    """Change a webhook; None leaves a field unchanged."""
    changed = _validate(
        replace(
            webhook,
            url=webhook.url if url is None else url,
            method=webhook.method if method is None else method,
            filters=webhook.filters if filters is None else tuple(filters),
            triggers=webhook.triggers if triggers is None else tuple(triggers),
            flow_sid=webhook.flow_sid if flow_sid is None else flow_sid,
            date_updated=backend.clock(),
        )
    )
    backend.state.scoped_webhooks[webhook.conversation_sid][webhook.sid] = changed
    return changed


def remove(backend: Backend, webhook: ScopedWebhook) -> None:
    """Remove a webhook from its conversation."""
    del backend.state.scoped_webhooks[webhook.conversation_sid][webhook.sid]


def replay_events(backend: Backend, webhook: ScopedWebhook) -> list[Event]:
    """Return an event for each message after `replay_after`, to be sent to this webhook only."""
    if webhook.replay_after is None:
        return []
    origin = rest_origin(webhook_enabled=True)
    existing = backend.state.messages[webhook.conversation_sid].values()
    return [
        replace(event_payloads.message(backend, "onMessageAdded", message, origin), only_webhook_sid=webhook.sid)
        for message in existing
        if message.index > webhook.replay_after
    ]


def _validate(webhook: ScopedWebhook) -> ScopedWebhook:
    needed, missing = _REQUIRED_FIELD[webhook.target]
    if not getattr(webhook, needed):
        raise TwilioError(missing)
    if webhook.target == "trigger" and not webhook.url:
        raise TwilioError(50369)
    if not all(webhook.triggers):
        raise TwilioError(50366)
    if not set(webhook.filters) <= set(POST_EVENTS):
        raise TwilioError(50365)
    return webhook
