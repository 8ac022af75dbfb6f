"""A batch of lifecycle events: each is applied on its own, and in the order of its conversation."""

from typing import Any

from switchboard.aws.sqs.lifecycle_batch import LifecycleBatch
from switchboard.aws.sqs.queue import encoded
from switchboard.errors import Transient
from switchboard.events import ConversationState, ConversationStateUpdated, LifecycleEvent
from switchboard.lifecycle import Effect
from tests.builders import NOON, from_human, sid


class Applied:
    """Keeps what was applied and reported. Events of the conversations in `fails` cannot be applied."""

    def __init__(self, *, fails: frozenset[str] = frozenset()) -> None:
        self.events: list[LifecycleEvent] = []
        self.decisions: list[str] = []
        self.errors: list[str] = []
        self._fails = fails

    def batch(self) -> LifecycleBatch:
        return LifecycleBatch(
            apply=self._apply,
            record_decision=lambda decision, _facts: self.decisions.append(decision),
            record_error=lambda error, _facts: self.errors.append(type(error).__name__),
        )

    def _apply(self, event: LifecycleEvent) -> Effect:
        if event.conversation_sid in self._fails:
            raise Transient("DynamoDB is away")
        self.events.append(event)
        return Effect.TAKEN_OVER


def record(number: int, event: LifecycleEvent) -> dict[str, Any]:
    return {
        "messageId": f"record-{number}",
        "receiptHandle": f"handle-{number}",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1772452800000",
            "MessageGroupId": event.conversation_sid,
        },
        "body": encoded(event),
    }


def closed(number: int) -> LifecycleEvent:
    return ConversationStateUpdated(conversation_sid=sid("CH", number), state=ConversationState.CLOSED, at=NOON)


def test_every_event_is_applied_and_reported() -> None:
    applied = Applied()

    returned = applied.batch().apply_each([record(1, from_human(index=0)), record(2, closed(2))])

    assert returned == []
    assert applied.events == [from_human(index=0), closed(2)]
    assert applied.decisions == ["taken_over", "taken_over"]


def test_a_failed_event_comes_back_alone_when_the_others_are_of_other_conversations() -> None:
    applied = Applied(fails=frozenset({sid("CH", 1)}))

    returned = applied.batch().apply_each([record(1, from_human(index=0)), record(2, closed(2))])

    assert returned == ["record-1"]
    assert applied.events == [closed(2)]
    assert applied.errors == ["Transient"]


def test_no_event_overtakes_a_failed_one_of_its_conversation() -> None:
    fails = {sid("CH", 1)}
    applied = Applied()

    def once(event: LifecycleEvent) -> Effect:
        if event.conversation_sid in fails:
            fails.clear()
            raise Transient("DynamoDB is away")
        applied.events.append(event)
        return Effect.CLOSED

    batch = LifecycleBatch(apply=once, record_decision=lambda *_: None, record_error=lambda *_: None)
    returned = batch.apply_each([record(1, from_human(index=0)), record(2, closed(1)), record(3, closed(2))])

    assert returned == ["record-1", "record-2"]
    assert applied.events == [closed(2)]
