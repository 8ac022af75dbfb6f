"""Webhooks of one conversation."""

from collections.abc import Sequence

from local.twilio.models.records import ScopedWebhook
from local.twilio.models.world import World


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
    """Add a webhook to a conversation."""
    now = world.clock()
    webhook = ScopedWebhook(
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
    world.state.scoped_webhooks[conversation_sid][webhook.sid] = webhook
    return webhook
