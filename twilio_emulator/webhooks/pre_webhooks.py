"""Pre-event webhooks: sent before something happens; the response may change it or reject it."""

import json
from collections.abc import Mapping

import httpx

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import webhook_targets
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import Event
from twilio_emulator.webhooks.sender import WebhookSender

REJECTED = 50056
_CHANGEABLE_FIELDS = frozenset({"body", "author", "attributes", "friendly_name"})


class PreWebhooks:
    """Calls the pre-webhook that is configured for an event, if there is one."""

    def __init__(self, *, backend: Backend, sender: WebhookSender) -> None:
        self._backend = backend
        self._sender = sender

    async def call(self, event: Event) -> Mapping[str, str]:
        """Return the fields that the pre-webhook wants to change.

        Raise 50056 if it responds with a status of 300 or above. No response within 5 seconds changes nothing.
        """
        target = webhook_targets.pre_webhook_target(self._backend, event)
        if target is None or not event.origin.fires_webhooks:
            return {}
        response = await self._sender.send_and_wait(event, target)
        if response is None:
            return {}
        if response.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise TwilioError(REJECTED)
        return _changes(response)


def _changes(response: httpx.Response) -> Mapping[str, str]:
    if not response.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        changes = json.loads(response.text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(changes, dict):
        return {}
    return {name: value for name, value in changes.items() if name in _CHANGEABLE_FIELDS and isinstance(value, str)}
