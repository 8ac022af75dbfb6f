"""What the webhook function works with."""

import os
from dataclasses import dataclass
from functools import cache

from switchboard.aws.sqs.queue import Queue
from switchboard.bootstrap.clients import sqs_client, twilio_secret
from switchboard.settings import webhook_settings
from switchboard.telemetry import Telemetry, telemetry
from switchboard.twilio.webhook.read import WebhookReader


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFunction:
    """A reader of webhooks, the two queues, and telemetry."""

    reader: WebhookReader
    messages: Queue
    lifecycle: Queue
    telemetry: Telemetry


@cache
def webhook_function() -> WebhookFunction:
    """Build it from the environment, once a process."""
    settings = webhook_settings(os.environ)
    sqs = sqs_client()
    return WebhookFunction(
        reader=WebhookReader(
            secrets=twilio_secret(settings.twilio_secret_id),
            public_url=settings.public_url,
            author_rules=settings.author_rules,
        ),
        messages=Queue(client=sqs, url=settings.messages_queue_url),
        lifecycle=Queue(client=sqs, url=settings.lifecycle_queue_url),
        telemetry=telemetry(),
    )
