"""A batch of ten conversations whose agent waits one second, compared with one such turn."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from switchboard.agent import Answer, Question
from switchboard.aws.sqs.messages_batch import MessagesBatch
from switchboard.aws.sqs.queue import Queue, encoded
from switchboard.events import MessageAdded
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.context import TurnPorts
from switchboard.turn.result import TurnResult
from switchboard.turn.take_turn import take_turn
from tests.builders import message_added, sid, turn_settings
from tests.fakes.twilio import TwilioInMemory

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class _WaitingAgent:
    """Waits a second, as a model does."""

    def answer(self, _question: Question) -> Answer:
        time.sleep(1)
        return Answer(text="done")


class _Sqs:
    """Accepts every deletion."""

    def delete_message_batch(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401 -- boto3's
        """Accept the request."""
        return {}


class _NoDeadLetters:
    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        raise AssertionError(turn, messages)


def measure() -> tuple[float, float]:
    """Return the wall times, in seconds, of a batch of ten and of one."""
    return _wall_time(conversations=10), _wall_time(conversations=1)


def _wall_time(*, conversations: int) -> float:
    now = partial(datetime.now, UTC)
    lease_until = now() + timedelta(seconds=60)
    store = ConversationsInMemory()
    ports = TurnPorts(
        agent=_WaitingAgent(),
        conversations=store,
        takeovers=store,
        budgets=store,
        messenger=TwilioInMemory(clock=now),
        dead_letters=_NoDeadLetters(),
        clock=now,
        customer_secret=b"secret",
    )

    def turn(delivered: Sequence[MessageAdded], done_by: datetime) -> TurnResult:
        return take_turn(
            delivered,
            lease_until=lease_until,
            done_by=done_by,
            ports=ports,
            settings=turn_settings(),
            new_id=lambda: uuid4().hex,
        )

    batch = MessagesBatch(
        queue=Queue(client=cast("SQSClient", _Sqs()), url=""),
        dead_letters=Queue(client=cast("SQSClient", _Sqs()), url=""),
        conversations=store,
        clock=now,
        coalesce=timedelta(0),
        publish=tuple,
        show_owner=lambda _sid, _until: None,
        record_decision=lambda _decision, _facts: None,
        record_error=lambda error, _facts: print(repr(error)),  # noqa: T201 -- a failed turn must be seen
    )
    records = [_record(number, now()) for number in range(1, conversations + 1)]
    started = time.perf_counter()
    returned = batch.answer(records, turn, lease_until=lease_until)
    took = time.perf_counter() - started
    if returned:
        raise RuntimeError(f"{len(returned)} turns failed")
    return took


def _record(number: int, at: datetime) -> dict[str, Any]:
    return {
        "messageId": f"record-{number}",
        "receiptHandle": f"handle-{number}",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(round(at.timestamp() * 1000))},
        "body": encoded(message_added(conversation_sid=sid("CH", number), at=at)),
    }
