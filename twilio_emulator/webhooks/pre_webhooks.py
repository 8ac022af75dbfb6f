"""Pre-webhooks: asked before something happens, they may change it or forbid it."""

import json
from collections.abc import Mapping

import httpx

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import webhook_targets
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Event
from twilio_emulator.webhooks.sender import WebhookSender

REJECTED = 50056
_MAY_CHANGE = frozenset({"body", "author", "attributes", "friendly_name"})


class Asking:
    """Asks the pre-webhook that an event is subscribed to, if there is one."""

    def __init__(self, *, world: World, sender: WebhookSender) -> None:
        self._world = world
        self._sender = sender

    async def ask(self, event: Event) -> Mapping[str, str]:
        """Return what is wanted changed. An answer of 300 and above forbids (50056); none within 5 s lets it pass."""
        target = webhook_targets.before(self._world, event)
        if target is None or not event.origin.fires:
            return {}
        answer = await self._sender.ask(event, target)
        if answer is None:
            return {}
        if answer.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise TwilioError(REJECTED)
        return _wish(answer)


def _wish(answer: httpx.Response) -> Mapping[str, str]:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        wish = json.loads(answer.text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(wish, dict):
        return {}
    return {name: value for name, value in wish.items() if name in _MAY_CHANGE and isinstance(value, str)}
