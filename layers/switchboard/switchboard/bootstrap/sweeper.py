"""What the sweeper function works with."""

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial

from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.sweep_index import SweepIndex
from switchboard.aws.sqs.queue import Queue
from switchboard.bootstrap.clients import dynamodb_client, now, sqs_client, twilio_secret
from switchboard.bootstrap.twilio import twilio_service
from switchboard.settings import sweeper_settings
from switchboard.sweeper import SweepResult, sweep
from switchboard.telemetry import Telemetry, telemetry
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.messages import Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperFunction:
    """A sweep, and telemetry."""

    sweep: partial[SweepResult]
    telemetry: Telemetry

    def run(self) -> None:
        """Sweep once, and report what was found."""
        result = self.sweep()
        facts = {"requests": result.requests, "found": result.found, "failed": result.failed}
        self.telemetry.record_decision("found_again" if result.found else "swept", facts)


@cache
def sweeper_function() -> SweeperFunction:
    """Build it from the environment, once a process."""
    settings = sweeper_settings(os.environ)
    sqs = sqs_client()
    twilio = twilio_service(twilio_secret(settings.twilio_secret_id), settings.twilio_base_url)
    return SweeperFunction(
        sweep=partial(
            sweep,
            checks=SweepIndex(table=ConversationsTable(client=dynamodb_client(), name=settings.conversations_table)),
            conversations=Conversations(service=twilio),
            messages=Messages(service=twilio, author_rules=settings.author_rules),
            messages_queue=Queue(client=sqs, url=settings.messages_queue_url),
            lifecycle_queue=Queue(client=sqs, url=settings.lifecycle_queue_url),
            clock=now,
            max_event_age=timedelta(minutes=settings.max_event_age_minutes),
            max_requests=settings.sweep_requests,
        ),
        telemetry=telemetry(),
    )
