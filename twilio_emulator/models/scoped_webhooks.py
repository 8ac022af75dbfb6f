"""Webhooks of one conversation: at most five, told after something happened, never asked before."""

from collections.abc import Sequence
from dataclasses import replace

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import event_payloads
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import POST_EVENTS, Event, rest
from twilio_emulator.models.resources import ScopedWebhook

MOST_WEBHOOKS = 5

_NEEDS = {"webhook": ("url", 50369), "trigger": ("triggers", 50371), "studio": ("flow_sid", 50367)}


def add(
    world: World,
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
    """Add a webhook to a conversation; 50361 where there are five."""
    if len(world.state.scoped_webhooks[conversation_sid]) >= MOST_WEBHOOKS:
        raise TwilioError(50361)
    now = world.clock()
    webhook = _checked(
        ScopedWebhook(
            sid=world.new_sid("WH"),
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
    world.state.scoped_webhooks[conversation_sid][webhook.sid] = webhook
    return webhook


def fetch(world: World, conversation_sid: str, sid: str) -> ScopedWebhook:
    """Return a webhook of the conversation; 50360 where there is none."""
    webhook = world.state.scoped_webhooks[conversation_sid].get(sid)
    if webhook is None:
        raise TwilioError(50360)
    return webhook


def update(
    world: World,
    webhook: ScopedWebhook,
    *,
    url: str | None = None,
    method: str | None = None,
    filters: Sequence[str] | None = None,
    triggers: Sequence[str] | None = None,
    flow_sid: str | None = None,
) -> ScopedWebhook:
    """Change what is given; None leaves a field as it is."""
    changed = _checked(
        replace(
            webhook,
            url=webhook.url if url is None else url,
            method=webhook.method if method is None else method,
            filters=webhook.filters if filters is None else tuple(filters),
            triggers=webhook.triggers if triggers is None else tuple(triggers),
            flow_sid=webhook.flow_sid if flow_sid is None else flow_sid,
            date_updated=world.clock(),
        )
    )
    world.state.scoped_webhooks[webhook.conversation_sid][webhook.sid] = changed
    return changed


def remove(world: World, webhook: ScopedWebhook) -> None:
    """Take a webhook from a conversation."""
    del world.state.scoped_webhooks[webhook.conversation_sid][webhook.sid]


def replayed(world: World, webhook: ScopedWebhook) -> list[Event]:
    """Return the messages after `replay_after`, to be told to a new webhook alone, if it wants messages."""
    if webhook.replay_after is None:
        return []
    origin = rest(webhook_enabled=True)
    standing = world.state.messages[webhook.conversation_sid].values()
    return [
        replace(event_payloads.message(world, "onMessageAdded", message, origin), only_webhook=webhook.sid)
        for message in standing
        if message.index > webhook.replay_after
    ]


def _checked(webhook: ScopedWebhook) -> ScopedWebhook:
    needed, missing = _NEEDS[webhook.target]
    if not getattr(webhook, needed):
        raise TwilioError(missing)
    if webhook.target == "trigger" and not webhook.url:
        raise TwilioError(50369)
    if not all(webhook.triggers):
        raise TwilioError(50366)
    if not set(webhook.filters) <= set(POST_EVENTS):
        raise TwilioError(50365)
    return webhook
