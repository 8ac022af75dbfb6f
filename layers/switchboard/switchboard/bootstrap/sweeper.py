"""What the sweeper function works with."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from aws_lambda_powertools.metrics import MetricUnit

from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.dynamodb.sweep_index import SweepIndex
from switchboard.aws.sqs.queue import Queue
from switchboard.bootstrap.clients import dynamodb_client, now, sqs_client, twilio_secret
from switchboard.bootstrap.publisher import owner_updates, publisher
from switchboard.bootstrap.twilio import twilio_service
from switchboard.notices import Notice, facts_of
from switchboard.settings import sweeper_settings
from switchboard.sweeper import HandBackRule, SweepResult, sweep
from switchboard.telemetry import Telemetry, telemetry
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.messages import Messages

TIME_FOR_CHECKS = timedelta(seconds=25)  # which owners that are to be shown leave the checks
CHECKS_SIDE_BY_SIDE = 10  # their time is waiting; as many as a client of AWS has connections, half of Twilio's


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperFunction:
    """A sweep, what tells people and Twilio of a decision whose worker did not, and telemetry."""

    sweep: partial[SweepResult]
    publish_due: Callable[[], Sequence[Notice]]
    show_due: Callable[[datetime], None]
    telemetry: Telemetry

    def run(self, *, deadline: datetime) -> None:
        """Publish what is due, sweep once, and report what was found and what failed.

        No check begins shortly before the deadline.
        """
        self._try(self._publish_due)
        self._try(lambda: self.show_due(deadline - TIME_FOR_CHECKS))
        with ThreadPoolExecutor(max_workers=CHECKS_SIDE_BY_SIDE, thread_name_prefix="check") as threads:
            result = self.sweep(deadline=deadline, run_all=threads.map)
        for failure in result.failures:
            self.telemetry.record_error(failure.error, {"conversation_sid": failure.conversation_sid})
        for conversation_sid in result.handed_back:
            self.telemetry.record_decision("handed_back", {"conversation_sid": conversation_sid})
        self.telemetry.record_value(
            "oldest_due_check_seconds", result.oldest_due.total_seconds(), unit=MetricUnit.Seconds
        )
        facts = {
            "requests": result.requests,
            "checked": result.checked,
            "found": result.found,
            "left": result.left,
            "failed": len(result.failures),
            "oldest_due_seconds": round(result.oldest_due.total_seconds()),
        }
        self.telemetry.record_decision("found_again" if result.found else "swept", facts)
        if not result.is_complete:
            self.telemetry.record_decision("sweep_incomplete", facts)

    def _publish_due(self) -> None:
        for notice in self.publish_due():
            self.telemetry.record_decision("notified", facts_of(notice))

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 -- the next sweep tells it, and this one goes on
            self.telemetry.record_error(error, {})


@cache
def sweeper_function() -> SweeperFunction:
    """Build it from the environment, once a process."""
    settings = sweeper_settings(os.environ)
    sqs = sqs_client()
    twilio = twilio_service(twilio_secret(settings.twilio_secret_id), settings.twilio_base_url)
    table = ConversationsTable(client=dynamodb_client(), name=settings.conversations_table)
    after = timedelta(minutes=settings.hand_back_after_minutes)
    return SweeperFunction(
        sweep=partial(
            sweep,
            checks=SweepIndex(table=table),
            conversations=Conversations(service=twilio),
            messages=Messages(service=twilio, author_rules=settings.author_rules),
            messages_queue=Queue(client=sqs, url=settings.messages_queue_url),
            lifecycle_queue=Queue(client=sqs, url=settings.lifecycle_queue_url),
            takeovers=LifecycleStore(table=table),
            clock=now,
            max_event_age=timedelta(minutes=settings.max_event_age_minutes),
            max_requests=settings.sweep_requests,
            hand_back_rule=HandBackRule(conversations=LifecycleStore(table=table), after=after) if after else None,
        ),
        publish_due=publisher(table, settings.event_bus_name).publish_due,
        show_due=owner_updates(table, twilio).show_due,
        telemetry=telemetry(),
    )
