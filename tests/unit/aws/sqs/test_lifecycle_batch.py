"""A batch of lifecycle events: each is applied on its own, and in the order of its conversation.

A record that is not an event holds up nobody.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from switchboard.aws.sqs.lifecycle_batch import LifecycleBatch
from switchboard.aws.sqs.queue import Queue, encoded
from switchboard.errors import Malformed, Transient
from switchboard.events import ConversationState, ConversationStateUpdated, LifecycleEvent
from switchboard.lifecycle import Effect
from switchboard.notices import Notice, notice_of_close
from tests.builders import NOON, Clock, from_human, sid

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeadLetters:
    """Keeps what SQS was sent, or refuses it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.refuses = False

    def send_message(self, **message: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "SendMessage")
        self.sent.append(message)


class LifecycleQueue:
    """Keeps which records were made visible again, after how many seconds, or refuses it."""

    def __init__(self) -> None:
        self.returned: dict[str, int] = {}
        self.refuses = False

    def change_message_visibility_batch(self, *, Entries: list[dict[str, Any]], **_queue: str) -> dict[str, Any]:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "ChangeMessageVisibilityBatch")
        self.returned |= {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in Entries}
        return {}


class Applied:
    """Keeps what was applied and reported. The first event of each conversation in `fails` cannot be applied."""

    def __init__(self, *, fails: frozenset[str] = frozenset(), error: Exception | None = None) -> None:
        self.events: list[LifecycleEvent] = []
        self.decisions: list[str] = []
        self.errors: list[str] = []
        self.facts: list[Mapping[str, object]] = []
        self.clock = Clock()
        self.takes_seconds = 0
        self.queue = LifecycleQueue()
        self.dead_letters = DeadLetters()
        self.effect = Effect.TAKEN_OVER
        self.told: list[list[str]] = []
        self.shown: list[tuple[list[str], datetime]] = []
        self.bus_error: Exception | None = None
        self._fails = set(fails)
        self._error = error or Transient("DynamoDB is away")

    def apply_each(self, records: list[dict[str, Any]], *, seconds: int = 30) -> list[str]:
        """Apply a batch in a process that has so many seconds."""
        batch = LifecycleBatch(
            apply=self._apply,
            publish_of=self._publish_of,
            show_owners_of=lambda sids, until: self.shown.append((sorted(sids), until)),
            queue=Queue(client=cast("SQSClient", self.queue), url="https://sqs/lifecycle.fifo"),
            dead_letters=Queue(client=cast("SQSClient", self.dead_letters), url="https://sqs/dead-letters.fifo"),
            clock=self.clock,
            record_decision=self._record_decision,
            record_error=self._record_error,
        )
        return batch.apply_each(records, until=self.clock() + timedelta(seconds=seconds))

    def _record_decision(self, decision: str, facts: Mapping[str, object]) -> None:
        self.decisions.append(decision)
        self.facts.append(facts)

    def _record_error(self, error: Exception, facts: Mapping[str, object]) -> None:
        self.errors.append(type(error).__name__)
        self.facts.append(facts)

    def _apply(self, event: LifecycleEvent) -> Effect:
        self.clock.move(seconds=self.takes_seconds)
        if event.conversation_sid in self._fails:
            self._fails.remove(event.conversation_sid)
            raise self._error
        self.events.append(event)
        return self.effect

    def _publish_of(self, conversation_sids: Iterable[str]) -> list[Notice]:
        self.told.append(sorted(conversation_sids))
        if self.bus_error:
            raise self.bus_error
        return [notice_of_close(sid, at=NOON) for sid in self.told[-1]]


def raw_record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"record-{number}",
        "receiptHandle": f"handle-{number}",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1772452800000",
            "MessageGroupId": sid("CH", 1),
        },
        "body": body,
    }


def record(number: int, event: LifecycleEvent) -> dict[str, Any]:
    raw = raw_record(number, encoded(event))
    raw["attributes"]["MessageGroupId"] = event.conversation_sid
    return raw


def closed(number: int) -> LifecycleEvent:
    return ConversationStateUpdated(conversation_sid=sid("CH", number), state=ConversationState.CLOSED, at=NOON)


def test_every_event_is_applied_and_reported() -> None:
    applied = Applied()

    returned = applied.apply_each([record(1, from_human(index=0)), record(2, closed(2))])

    assert returned == []
    assert applied.events == [from_human(index=0), closed(2)]
    assert applied.decisions == ["taken_over", "taken_over"]
    assert applied.facts == [{"conversation_sid": sid("CH", 1)}, {"conversation_sid": sid("CH", 2)}]


def test_a_failed_event_comes_back_alone_when_the_others_are_of_other_conversations() -> None:
    applied = Applied(fails=frozenset({sid("CH", 1)}))

    returned = applied.apply_each([record(1, from_human(index=0)), record(2, closed(2))])

    assert returned == ["record-1"]
    assert applied.events == [closed(2)]
    assert applied.errors == ["Transient"]
    assert applied.facts == [{"conversation_sid": sid("CH", 1)}, {"conversation_sid": sid("CH", 2)}]


def test_a_failed_event_and_what_waits_behind_it_come_back_together_in_seconds() -> None:
    applied = Applied(fails=frozenset({sid("CH", 1)}))

    applied.apply_each([record(1, from_human(index=0)), record(2, closed(1)), record(3, closed(2))])

    assert applied.queue.returned == {"handle-1": 2, "handle-2": 2}


def test_what_a_throttled_table_leaves_no_time_for_comes_back_in_seconds_and_not_at_the_visibility_timeout() -> None:
    applied = Applied(fails=frozenset(sid("CH", number) for number in range(1, 11)))
    applied.takes_seconds = 3  # to fail, after three tries

    returned = applied.apply_each([record(number, closed(number)) for number in range(1, 11)])

    assert returned == [f"record-{number}" for number in range(1, 11)]
    assert applied.queue.returned == {f"handle-{number}": 2 for number in range(1, 11)}
    assert applied.clock() < NOON + timedelta(seconds=30)
    assert len(applied.errors) == 6  # tried before the 15th second was over


def test_a_failed_event_comes_back_though_the_queue_cannot_be_told_when() -> None:
    applied = Applied(fails=frozenset({sid("CH", 1)}))
    applied.queue.refuses = True

    assert applied.apply_each([record(1, from_human(index=0))]) == ["record-1"]
    assert applied.errors == ["Transient", "Transient"]


@pytest.mark.parametrize("error", [Transient("DynamoDB is away"), Malformed("Twilio's answer"), RuntimeError("a bug")])
def test_no_event_overtakes_a_failed_one_of_its_conversation(error: Exception) -> None:
    applied = Applied(fails=frozenset({sid("CH", 1)}), error=error)

    returned = applied.apply_each(
        [record(1, from_human(index=0)), record(2, closed(1)), record(3, closed(2))],
    )

    assert returned == ["record-1", "record-2"]
    assert applied.events == [closed(2)]
    assert applied.dead_letters.sent == []


def test_a_record_that_is_not_an_event_becomes_a_dead_letter_and_holds_up_nobody() -> None:
    applied = Applied()

    returned = applied.apply_each([raw_record(1, "[]"), record(2, closed(1))])

    assert returned == []
    assert applied.events == [closed(1)]
    assert applied.errors == ["Malformed"]
    assert applied.dead_letters.sent == [
        {
            "QueueUrl": "https://sqs/dead-letters.fifo",
            "MessageBody": "[]",
            "MessageGroupId": sid("CH", 1),
            "MessageDeduplicationId": "record-1",
        }
    ]


def test_a_record_that_is_not_an_event_comes_back_if_it_cannot_be_copied() -> None:
    applied = Applied()
    applied.dead_letters.refuses = True

    assert applied.apply_each([raw_record(1, "[]"), record(2, closed(1))]) == ["record-1"]
    assert applied.events == [closed(1)]


def test_a_record_without_attributes_becomes_a_dead_letter_in_a_group_of_its_own() -> None:
    applied = Applied()
    bare = {"messageId": "record-1", "receiptHandle": "handle-1", "body": encoded(closed(1))}

    returned = applied.apply_each([bare, record(2, closed(2))])

    assert returned == []
    assert applied.events == [closed(2)]
    assert [letter["MessageGroupId"] for letter in applied.dead_letters.sent] == ["record-1"]
    assert applied.facts == [{"conversation_sid": ""}, {"conversation_sid": sid("CH", 2)}]


def test_a_record_without_attributes_comes_back_in_seconds_if_it_cannot_be_copied() -> None:
    applied = Applied()
    applied.dead_letters.refuses = True

    assert applied.apply_each([{"messageId": "record-1", "receiptHandle": "handle-1", "body": "[]"}]) == ["record-1"]

    assert applied.queue.returned == {"handle-1": 2}
    assert applied.facts == [{"conversation_sid": ""}] * 2


@pytest.mark.parametrize("effect", [Effect.HANDED_BACK, Effect.CLOSED])
def test_people_are_told_of_a_hand_back_or_a_close_when_the_batch_has_ended(effect: Effect) -> None:
    applied = Applied()
    applied.effect = effect

    returned = applied.apply_each([record(1, closed(1)), record(2, closed(2)), record(3, closed(1))])

    assert returned == []
    assert applied.told == [[sid("CH", 1), sid("CH", 2)]]
    assert applied.decisions == [effect, effect, effect, "notified", "notified"]


def test_a_takeover_asks_nobody_what_is_due_and_is_shown_at_twilio_in_the_time_that_is_left() -> None:
    applied = Applied()

    applied.apply_each([record(1, closed(1))])

    assert applied.told == []
    assert applied.shown == [([sid("CH", 1)], NOON + timedelta(seconds=30))]


def test_an_event_that_changes_no_owner_shows_none() -> None:
    applied = Applied()
    applied.effect = Effect.OUTDATED

    applied.apply_each([record(1, closed(1))])

    assert applied.shown == []


def test_an_event_stays_applied_where_people_cannot_be_told() -> None:
    applied = Applied()
    applied.effect = Effect.CLOSED
    applied.bus_error = Transient("EventBridge is away")

    returned = applied.apply_each([record(1, closed(1))])

    assert returned == []
    assert applied.errors == ["Transient"]


@pytest.mark.parametrize(("seconds", "told"), [(18, [[sid("CH", 1)]]), (17, [])])
def test_the_sweeper_is_left_to_tell_people_where_the_batch_has_less_than_eight_seconds_left(
    seconds: int, told: list[list[str]]
) -> None:
    applied = Applied()
    applied.effect = Effect.CLOSED
    applied.takes_seconds = 10

    applied.apply_each([record(1, closed(1))], seconds=seconds)

    assert applied.told == told
