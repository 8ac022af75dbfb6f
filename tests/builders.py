"""Values with defaults, so that a test names only what it is about."""

from datetime import UTC, datetime, timedelta

from switchboard.events import OUR_AUTHOR, Marker, MessageAdded, Speaker
from switchboard.limits import Budget

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def sid(prefix: str, number: int) -> str:
    return f"{prefix}{number:032d}"


CONVERSATION = sid("CH", 1)


def message_added(
    *,
    index: int = 0,
    body: str = "hi",
    conversation_sid: str = CONVERSATION,
    speaker: Speaker = Speaker.CUSTOMER,
    author: str = "+12025550110",
    at: datetime = NOON,
    marker: Marker | None = None,
) -> MessageAdded:
    return MessageAdded(
        conversation_sid=conversation_sid,
        message_sid=sid("IM", int(conversation_sid[2:]) * 10_000 + index),
        index=index,
        speaker=speaker,
        author=author,
        body=body,
        at=at,
        marker=marker,
    )


def from_colleague(*, index: int, at: datetime = NOON) -> MessageAdded:
    return message_added(index=index, speaker=Speaker.COLLEAGUE, author="robin", body="I take this", at=at)


def from_us(
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
        speaker=Speaker.US,
        author=OUR_AUTHOR,
        body=body,
        at=at,
        marker=Marker(turn=turn, part=part),
    )


PLENTY = Budget(turns_by_customer=1_000, turns_by_all=1_000, sentence="Enough for today.")


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, *, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
