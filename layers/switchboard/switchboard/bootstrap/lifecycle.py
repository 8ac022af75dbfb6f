"""What the lifecycle function works with."""

import os
from dataclasses import dataclass
from functools import cache, partial

from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.sqs.lifecycle_batch import LifecycleBatch
from switchboard.aws.sqs.queue import Queue
from switchboard.bootstrap.clients import dynamodb_client, now, sqs_client, twilio_secret
from switchboard.bootstrap.publisher import owner_updates, publisher
from switchboard.bootstrap.twilio import twilio_service
from switchboard.lifecycle import apply
from switchboard.settings import lifecycle_queue_url, lifecycle_settings
from switchboard.telemetry import Telemetry, telemetry
from switchboard.twilio.rest.messages import Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleFunction:
    """A batch of events, and telemetry."""

    batch: LifecycleBatch
    telemetry: Telemetry


@cache
def lifecycle_function() -> LifecycleFunction:
    """Build it from the environment, once a process."""
    settings = lifecycle_settings(os.environ)
    observer = telemetry()
    table = ConversationsTable(client=dynamodb_client(), name=settings.conversations_table)
    secret = twilio_secret(settings.twilio_secret_id)
    service = twilio_service(secret, settings.twilio_base_url)
    return LifecycleFunction(
        batch=LifecycleBatch(
            apply=partial(
                apply,
                conversations=LifecycleStore(table=table),
                messages=Messages(
                    service=service,
                    author_rules=settings.author_rules,
                ),
                requeue=Queue(client=sqs_client(), url=settings.messages_queue_url),
                customer_secret=secret.read().customer_key,
            ),
            queue=Queue(client=sqs_client(), url=settings.lifecycle_queue_url),
            publish_of=publisher(table, settings.event_bus_name).publish_of,
            show_owners_of=owner_updates(table, service).show_of,
            dead_letters=Queue(client=sqs_client(), url=settings.lifecycle_dead_letter_queue_url),
            clock=now,
            record_decision=observer.record_decision,
            record_error=observer.record_error,
        ),
        telemetry=observer,
    )


def lifecycle_queue() -> Queue:
    """Return the queue to give records back to where another setting is wrong."""
    return Queue(client=sqs_client(), url=lifecycle_queue_url(os.environ))
