"""Values with defaults: a test states only the values that it is about."""

import re
from datetime import UTC, datetime, timedelta

from switchboard.author import ASSISTANT_AUTHOR, AuthorRole
from switchboard.budgets import Budget
from switchboard.channels.sms import SmsSettings
from switchboard.disclosure import parse_disclosure
from switchboard.events import DeliveryFailed, Marker, MessageAdded
from switchboard.memory import Memory
from switchboard.prices import NO_PRICES, PriceTable
from switchboard.turn.context import TurnSettings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def sid(prefix: str, number: int) -> str:
    return f"{prefix}{number:032d}"


CONVERSATION = sid("CH", 1)


def message_added(
    *,
    index: int = 0,
    body: str = "hi",
    conversation_sid: str = CONVERSATION,
    author_role: AuthorRole = AuthorRole.CUSTOMER,
    author: str = "+12025550110",
    at: datetime = NOON,
    marker: Marker | None = None,
) -> MessageAdded:
    return MessageAdded(
        conversation_sid=conversation_sid,
        message_sid=sid("IM", int(conversation_sid[2:]) * 10_000 + index),
        index=index,
        author_role=author_role,
        author=author,
        body=body,
        at=at,
        marker=marker,
    )


def from_human(*, index: int, at: datetime = NOON) -> MessageAdded:
    return message_added(index=index, author_role=AuthorRole.HUMAN, author="robin", body="I take this", at=at)


def from_assistant(
    *,
    index: int,
    turn: str,
    part: int = 0,
    body: str = "",
    conversation_sid: str = CONVERSATION,
    at: datetime = NOON,
) -> MessageAdded:
    return message_added(
        index=index,
        conversation_sid=conversation_sid,
        author_role=AuthorRole.ASSISTANT,
        author=ASSISTANT_AUTHOR,
        body=body,
        at=at,
        marker=Marker(turn=turn, part=part),
    )


def delivery_failed(message_sid: str, *, code: int | None = 30005, at: datetime = NOON) -> DeliveryFailed:
    return DeliveryFailed(
        conversation_sid=CONVERSATION,
        message_sid=message_sid,
        delivery_receipt_sid=sid("DY", 1),
        status="undelivered",
        error_code=code,
        at=at,
    )


FALLBACK = "Sorry, somebody will call you."
SMS = SmsSettings(max_segments=10, smart_encoding=True)
SECRET = b"secret"  # that customers' keys are made with
PLENTY = Budget(turns_by_customer=1_000, turns_by_all=1_000, sentence="Enough for today.")


def turn_settings(
    *,
    disclosure: str = "off",
    fallback_sentence: str = FALLBACK,
    budget: Budget = PLENTY,
    answer_within: timedelta = timedelta(minutes=5),
    max_attempts: int = 3,
    max_event_age: timedelta = timedelta(hours=1),
    turns_per_ten_minutes: int = 20,
    sms: SmsSettings = SMS,
    trial_addresses: tuple[str, ...] = (),
    memory: Memory = Memory(),  # noqa: B008 -- a frozen value
    voice_note_sentence: str = "",
    prices: PriceTable = NO_PRICES,
) -> TurnSettings:
    return TurnSettings(
        disclosure=parse_disclosure(disclosure, name="disclosure"),
        fallback_sentence=fallback_sentence,
        budget=budget,
        answer_within=answer_within,
        max_attempts=max_attempts,
        max_event_age=max_event_age,
        turns_per_ten_minutes=turns_per_ten_minutes,
        sms=sms,
        trial_addresses=tuple(map(re.compile, trial_addresses)),
        memory=memory,
        voice_note_sentence=voice_note_sentence,
        prices=prices,
    )


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, *, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
