"""The composition root: one builder for each function, called on first use, with its imports inside.

So a webhook's cold start pays for nothing that only the agent needs, and importing a module does nothing.
"""
# ruff: noqa: PLC0415 -- the imports inside are this file's point

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from switchboard.agents.assistant import Assistant
    from switchboard.aws.batch import MessagesBatch
    from switchboard.aws.lifecycle_batch import LifecycleBatch
    from switchboard.aws.queue import Queue
    from switchboard.aws.secrets import TwilioSecretReader
    from switchboard.aws.table import ConversationsTable
    from switchboard.claimed import Outcome
    from switchboard.events import MessageAdded
    from switchboard.sweep import Sweep
    from switchboard.telemetry import Telemetry
    from switchboard.twilio.inbound import Inbound
    from switchboard.twilio.provider import Provider

MOST_CONVERSATIONS_AT_ONCE = 10  # in a batch; each may hold a connection to each service


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What the webhook function works with."""

    inbound: "Inbound"
    messages: "Queue"
    lifecycle: "Queue"
    telemetry: "Telemetry"

    def answers(self, answer: dict[str, Any], decision: str, facts: Mapping[str, str | int]) -> dict[str, Any]:
        """Report a decision, and return the answer."""
        self.telemetry.decided(decision, facts)
        self.telemetry.flush()
        return answer

    def fails(self, answer: dict[str, Any], error: Exception) -> dict[str, Any]:
        """Report that nothing could be done, and return the answer."""
        self.telemetry.failed(error, {})
        self.telemetry.flush()
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What the agent function works with. `take_turn` lacks only the messages and the lease's end."""

    batch: "MessagesBatch"
    take_turn: "partial[Outcome]"
    telemetry: "Telemetry"

    def answer(self, raw_records: Iterable[Mapping[str, Any]], *, lease_until: datetime) -> list[str]:
        """Answer a batch, and return the ids of the records that must come back."""

        def take_turn(delivered: "Sequence[MessageAdded]") -> "Outcome":
            return self.take_turn(delivered, lease_until=lease_until)

        try:
            return self.batch.answer(raw_records, take_turn)
        finally:
            self.telemetry.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """What the lifecycle function works with."""

    batch: "LifecycleBatch"
    telemetry: "Telemetry"

    def apply_each(self, raw_records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Apply a batch of events, and return the ids of the records that must come back."""
        try:
            return self.batch.apply_each(raw_records)
        finally:
            self.telemetry.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """What the sweeper function works with."""

    sweep: "partial[Sweep]"
    telemetry: "Telemetry"

    def run(self) -> None:
        """Sweep once, and report it."""
        try:
            swept = self.sweep()
            facts = {"requests": swept.requests, "found": swept.found, "failed": swept.failed}
            self.telemetry.decided("found_again" if swept.found else "swept", facts)
        finally:
            self.telemetry.flush()


@cache
def webhook() -> Webhook:
    """Build what the webhook function works with."""
    from switchboard.aws.queue import Queue
    from switchboard.settings import webhook_settings
    from switchboard.telemetry import telemetry
    from switchboard.twilio.inbound import Inbound

    settings = webhook_settings(os.environ)
    sqs = _client("sqs")
    return Webhook(
        inbound=Inbound(
            secrets=_secrets(settings.twilio_secret_id),
            public_url=settings.public_url,
            visitor_identities=settings.visitor_identities,
        ),
        messages=Queue(client=sqs, url=settings.messages_queue_url),
        lifecycle=Queue(client=sqs, url=settings.lifecycle_queue_url),
        telemetry=telemetry(),
    )


@cache
def agent(assistant: "Assistant") -> Agent:
    """Build what the agent function works with, around a team's assistant."""
    from switchboard.agents.engine import agent_of
    from switchboard.aws.batch import MessagesBatch
    from switchboard.aws.queue import Queue
    from switchboard.claimed import Rules
    from switchboard.limits import Budget
    from switchboard.settings import agent_settings
    from switchboard.telemetry import telemetry
    from switchboard.turn import take_turn

    settings = agent_settings(os.environ)
    secrets = _secrets(settings.twilio_secret_id)
    sqs = _client("sqs")
    observer = telemetry()
    return Agent(
        batch=MessagesBatch(
            queue=Queue(client=sqs, url=settings.messages_queue_url),
            clock=_now,
            coalesce=timedelta(seconds=settings.coalesce_seconds),
            decided=observer.decided,
            failed=observer.failed,
        ),
        take_turn=partial(
            take_turn,
            agent=agent_of(assistant, model=settings.assistant_model),
            conversations=_table(settings.conversations_table, secrets),
            messenger=_provider(secrets, settings.twilio_base_url, settings.visitor_identities),
            dead_letters=Queue(client=sqs, url=settings.messages_dead_letter_queue_url),
            clock=_now,
            rules=Rules(
                fallback_sentence=settings.fallback_sentence,
                budget=Budget(
                    turns_by_customer=settings.customer_turns_per_day,
                    turns_by_all=settings.turns_per_day,
                    sentence=settings.limit_sentence,
                ),
                max_attempts=settings.max_attempts,
                max_event_age=timedelta(minutes=settings.max_event_age_minutes),
            ),
            new_id=lambda: uuid4().hex,
        ),
        telemetry=observer,
    )


@cache
def lifecycle() -> Lifecycle:
    """Build what the lifecycle function works with."""
    from switchboard.aws.lifecycle_batch import LifecycleBatch
    from switchboard.aws.queue import Queue
    from switchboard.lifecycle import apply
    from switchboard.settings import lifecycle_settings
    from switchboard.telemetry import telemetry

    settings = lifecycle_settings(os.environ)
    secrets = _secrets(settings.twilio_secret_id)
    observer = telemetry()
    return Lifecycle(
        batch=LifecycleBatch(
            apply=partial(
                apply,
                conversations=_table(settings.conversations_table, secrets),
                messages=_provider(secrets, settings.twilio_base_url, settings.visitor_identities),
                requeue=Queue(client=_client("sqs"), url=settings.messages_queue_url),
            ),
            decided=observer.decided,
            failed=observer.failed,
        ),
        telemetry=observer,
    )


@cache
def sweeper() -> Sweeper:
    """Build what the sweeper function works with."""
    from switchboard.aws.queue import Queue
    from switchboard.settings import sweeper_settings
    from switchboard.sweep import sweep
    from switchboard.telemetry import telemetry

    settings = sweeper_settings(os.environ)
    secrets = _secrets(settings.twilio_secret_id)
    sqs = _client("sqs")
    return Sweeper(
        sweep=partial(
            sweep,
            checks=_table(settings.conversations_table, secrets),
            twilio=_provider(secrets, settings.twilio_base_url, settings.visitor_identities),
            messages=Queue(client=sqs, url=settings.messages_queue_url),
            lifecycle=Queue(client=sqs, url=settings.lifecycle_queue_url),
            clock=_now,
            max_event_age=timedelta(minutes=settings.max_event_age_minutes),
            most_requests=settings.sweep_requests,
        ),
        telemetry=telemetry(),
    )


def _provider(secrets: "TwilioSecretReader", base_url: str | None, visitor_identities: Sequence[str]) -> "Provider":
    from switchboard.errors import SwitchboardError
    from switchboard.twilio.provider import provider

    def renewed() -> "tuple[str, str] | None":
        try:
            changed = secrets.read_again()
        except SwitchboardError:  # the call has failed already; it is tried again, and so is this
            return None
        return changed.rest_credentials if changed else None

    secret = secrets.read()
    return provider(
        account_sid=secret.account_sid,
        service_sid=secret.service_sid,
        auth_tokens=secret.auth_tokens,
        credentials=secret.rest_credentials,
        renewed=renewed,
        base_url=base_url,
        visitor_identities=visitor_identities,
    )


def _table(name: str, secrets: "TwilioSecretReader") -> "ConversationsTable":
    from switchboard.aws.table import ConversationsTable

    return ConversationsTable(client=_client("dynamodb"), name=name, customer_key=secrets.read().customer_key)


def _secrets(secret_id: str) -> "TwilioSecretReader":
    from switchboard.aws.secrets import TwilioSecretReader

    return TwilioSecretReader(client=_client("secretsmanager"), secret_id=secret_id, clock=time.monotonic)


def _client(service: str) -> Any:  # noqa: ANN401 -- boto3 makes its client classes at run time
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"total_max_attempts": 3, "mode": "standard"},
        max_pool_connections=MOST_CONVERSATIONS_AT_ONCE,
    )
    return boto3.client(service, config=config)


def _now() -> datetime:
    return datetime.now(UTC)
