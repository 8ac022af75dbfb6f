"""What the agent function works with, around a team's assistant."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from aws_lambda_powertools.metrics import MetricUnit

from switchboard.agents.declared import Declared
from switchboard.agents.fetched_files import FileFetcher
from switchboard.agents.keys import Keys
from switchboard.agents.model_run import ModelUse
from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.aws.sqs.messages_batch import MessagesBatch
from switchboard.aws.sqs.queue import Queue
from switchboard.bootstrap.clients import dynamodb_client, model_secret, now, sqs_client, twilio_secret
from switchboard.bootstrap.publisher import owner_updates, publisher
from switchboard.bootstrap.twilio import twilio_service
from switchboard.budgets import Budget
from switchboard.channels.sms import SmsSettings
from switchboard.consent_sentences import parse_help
from switchboard.disclosure import parse_disclosure
from switchboard.events import MessageAdded
from switchboard.files import FilesFolder
from switchboard.memory import parse_memory
from switchboard.prices import NO_PRICES, PriceTable, parse_prices
from switchboard.settings import AgentSettings, agent_settings, messages_queue_url
from switchboard.telemetry import Facts, Telemetry, telemetry
from switchboard.turn.context import StepTaken, TurnPorts, TurnSettings
from switchboard.turn.result import TurnResult
from switchboard.turn.take_turn import take_turn
from switchboard.twilio.rest.messages import Messages
from switchboard.twilio.rest.services import Service

FILES = "files"  # the folder beside assistant.py


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFunction:
    """A batch, and what each of its turns works with. `model_uses` are those that were not counted yet."""

    batch: MessagesBatch
    ports: TurnPorts
    settings: TurnSettings
    telemetry: Telemetry
    model_uses: deque[ModelUse]

    def answer(self, raw_records: Iterable[Mapping[str, Any]], *, lease_until: datetime) -> list[str]:
        """Answer a batch, and return the ids of the records that must come back."""

        def turn(delivered: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
            return take_turn(
                delivered,
                lease_until=lease_until,
                done_by=done_by,
                ports=self.ports,
                settings=self.settings,
                new_id=lambda: uuid4().hex,
            )

        try:
            return self.batch.answer(raw_records, turn, lease_until=lease_until)
        finally:
            self._count_model_uses()

    def _count_model_uses(self) -> None:
        while self.model_uses:
            use = self.model_uses.popleft()
            self.telemetry.record_decision("model_used", asdict(use))
            self.telemetry.record_value("input_tokens", use.input_tokens, unit=MetricUnit.Count)
            self.telemetry.record_value("cached_tokens", use.cached_tokens, unit=MetricUnit.Count)
            self.telemetry.record_value("output_tokens", use.output_tokens, unit=MetricUnit.Count)
            if use.fell_back:
                self.telemetry.record_decision("model_fell_back", {"turn": use.turn, "cause": use.fell_back})
            if use.summary_failed:
                self.telemetry.record_decision("summary_failed", {"turn": use.turn, "cause": use.summary_failed})


@cache
def agent_function(declared: Declared, price_file: Path) -> AgentFunction:
    """Build it from the environment and the price table, once a process."""
    settings = agent_settings(os.environ)
    table = ConversationsTable(client=dynamodb_client(), name=settings.conversations_table)
    secrets = twilio_secret(settings.twilio_secret_id)
    service = twilio_service(secrets, settings.twilio_base_url)
    model_uses: deque[ModelUse] = deque()
    observer = telemetry()
    ports = _ports(
        declared,
        settings,
        table,
        service,
        customer_key=secrets.read().customer_key,
        report=model_uses.append,
        observe=lambda taken: observer.record_step(_facts_of_step(taken)),
    )
    updates = owner_updates(table, service)
    return AgentFunction(
        batch=MessagesBatch(
            queue=Queue(client=sqs_client(), url=settings.messages_queue_url),
            dead_letters=Queue(client=sqs_client(), url=settings.messages_dead_letter_queue_url),
            conversations=ports.conversations,
            clock=now,
            coalesce=timedelta(seconds=settings.coalesce_seconds),
            publish=publisher(table, settings.event_bus_name).publish,
            show_owner=lambda sid, until: updates.show_of([sid], until),
            record_decision=observer.record_decision,
            record_error=observer.record_error,
        ),
        ports=ports,
        settings=TurnSettings(
            disclosure=parse_disclosure(settings.disclosure_sentence, name="DISCLOSURE_SENTENCE"),
            fallback_sentence=settings.fallback_sentence,
            budget=Budget(
                turns_by_customer=settings.customer_turns_per_day,
                turns_by_all=settings.turns_per_day,
                sentence=settings.limit_sentence,
            ),
            answer_within=timedelta(minutes=settings.answer_within_minutes),
            max_attempts=settings.max_attempts,
            max_event_age=timedelta(minutes=settings.max_event_age_minutes),
            turns_per_ten_minutes=settings.turns_per_ten_minutes,
            sms=SmsSettings(
                max_segments=settings.max_segments,
                smart_encoding=settings.smart_encoding,
                wait_for_delivery=settings.wait_for_delivery,
            ),
            trial_addresses=settings.trial_addresses,
            memory=parse_memory(settings.assistant_memory, name="ASSISTANT_MEMORY"),
            voice_note_sentence="" if declared.understands_voice() else settings.voice_note_sentence,
            consent=parse_help(settings.help_sentence, name="HELP_SENTENCE"),
            window_template=settings.window_template,
            prices=_prices(price_file),
        ),
        telemetry=observer,
        model_uses=model_uses,
    )


def declared_assistant(folder: Path) -> Declared:
    """Return the assistant that a team declares in `folder`/assistant.py; raise `Misconfigured` where it declares none.

    It is an `Assistant`, an `Agent` of pydantic-ai, a function or callable object that is given a `Question` and
    returns a text or an `Answer`, or an object with such an `answer`. Its answers may send what is in `folder`/files.

    Where the file cannot be imported, the next try imports it anew, and with it the team's files that it imports.
    """
    loaded = set(sys.modules)
    try:
        return Declared(getattr(import_module("assistant"), "assistant", None), files=folder / FILES)
    except BaseException:
        for name in sys.modules.keys() - loaded:
            if folder in Path(getattr(sys.modules[name], "__file__", None) or "").parents:
                del sys.modules[name]
        raise


def messages_queue() -> Queue:
    """Return the queue to give records back to where another setting is wrong."""
    return Queue(client=sqs_client(), url=messages_queue_url(os.environ))


def _prices(file: Path) -> PriceTable:
    """Return the team's price table; where it keeps none, what replies cost is unknown."""
    return parse_prices(file.read_text(), name=file.name) if file.exists() else NO_PRICES


def _keys(secret_id: str) -> Keys:
    """Return the keys of models' providers; a secret is read when the first of them is asked for one."""
    if not secret_id:
        return Keys(environment=os.environ)
    reader = model_secret(secret_id)
    return Keys(environment=os.environ, secret=reader.read, refresh=reader.refresh)


def _ports(
    declared: Declared,
    settings: AgentSettings,
    table: ConversationsTable,
    service: Service,
    *,
    customer_key: bytes,
    report: Callable[[ModelUse], None],
    observe: Callable[[StepTaken], None],
) -> TurnPorts:
    budgets = BudgetStore(table=table, customer_key=customer_key)
    agent = declared.agent(
        model=settings.assistant_model,
        fallback_model=settings.assistant_fallback_model,
        keys=_keys(settings.model_secret_id),
        report=report,
        allowed_link_hosts=settings.allowed_link_hosts,
    )
    messages = Messages(service=service, author_rules=settings.author_rules)
    return TurnPorts(
        agent=agent,
        conversations=TurnStore(table=table, budgets=budgets),
        takeovers=LifecycleStore(table=table),
        budgets=budgets,
        messenger=messages,
        dead_letters=Queue(client=sqs_client(), url=settings.messages_dead_letter_queue_url),
        clock=now,
        customer_secret=customer_key,
        read_media=messages.read_media,
        files=FilesFolder(declared.files),
        fetcher=FileFetcher(allowed_hosts=settings.allowed_link_hosts) if settings.allowed_link_hosts else None,
        observe=observe,
    )


def _facts_of_step(taken: StepTaken) -> Facts:
    facts = {"conversation_sid": taken.conversation_sid, "turn": taken.turn, "step": taken.step.value}
    return {**facts, "detail": taken.detail} if taken.detail else facts
