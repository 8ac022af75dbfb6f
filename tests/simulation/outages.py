"""Outages: for a while, each request to Twilio fails, or each call of the model, each write of the table, or SQS."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class OutageKind(StrEnum):
    """What fails, and how."""

    TOO_MANY_REQUESTS = "Twilio answers 429"
    SERVER_ERROR = "Twilio answers 500"
    UNAVAILABLE = "Twilio answers 503"
    CONNECTION_REFUSED = "Twilio refuses connections"
    RESET_BEFORE_COMMIT = "Twilio resets connections before it commits"
    RESET_AFTER_COMMIT = "Twilio resets connections after it has committed"
    MODEL_IS_AWAY = "the model is away"
    MODEL_REFUSES_US = "the model refuses our key"
    TABLE_IS_AWAY = "the table is throttled"
    QUEUES_ARE_AWAY = "SQS takes nothing"
    LISTS_KILL = "Twilio's lists kill whoever reads them, and it answers 429"


POST_ENDS: Mapping[OutageKind, str] = {
    OutageKind.TOO_MANY_REQUESTS: "not_sent",
    OutageKind.SERVER_ERROR: "request_lost",
    OutageKind.UNAVAILABLE: "request_lost",
    OutageKind.CONNECTION_REFUSED: "not_sent",
    OutageKind.RESET_BEFORE_COMMIT: "request_lost",
    OutageKind.RESET_AFTER_COMMIT: "response_lost",
    OutageKind.LISTS_KILL: "not_sent",
}
SECONDS = (5, 30, 62, 80, 120, 240, 290, 660, 1800, 3300, 7200)


@dataclass(slots=True)
class Outage:
    """One outage of a schedule. It begins when the customers have `messages_left` to write.

    `is_only_fault`: nothing else goes wrong in its schedule, so that what goes wrong there is the outage's doing.
    """

    kind: OutageKind
    length: timedelta
    messages_left: int
    is_only_fault: bool
    began: datetime | None = None

    @property
    def is_of_twilio(self) -> bool:
        return self.kind in POST_ENDS

    @property
    def ends(self) -> datetime | None:
        return self.began and self.began + self.length

    def is_on(self, now: datetime) -> bool:
        """Tell whether it has begun and is not over."""
        return self.began is not None and self.began <= now < self.began + self.length


def plan_outage(seed: int, *, messages: int) -> Outage | None:
    """Return the outage of a schedule. One in three has one.

    It has a random generator of its own: a schedule without one is what its seed always was.
    """
    chance = random.Random(f"outage {seed}")  # noqa: S311 -- a schedule, not a secret
    if chance.random() >= 1 / 3:
        return None
    kind = chance.choice(list(OutageKind))
    return Outage(
        kind=kind,
        length=timedelta(seconds=chance.choice(SECONDS)),
        messages_left=chance.randrange(messages),
        is_only_fault=chance.random() < 1 / 2 and kind is not OutageKind.LISTS_KILL,  # which is a fault of workers
    )
