"""Notices as EventBridge takes them: entry by entry, with no words and no address in them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from switchboard.aws.eventbridge import EventBus
from switchboard.errors import Transient
from switchboard.notices import Notice, NoticeReason, NoticeType
from tests.builders import CONVERSATION, NOON, sid

HANDOFF = Notice(
    id="T1",
    type=NoticeType.HUMAN_NEEDED,
    reason=NoticeReason.HANDOFF,
    conversation_sid=CONVERSATION,
    at=NOON,
    turn="T1",
)
CLOSED = Notice(
    id="closed",
    type=NoticeType.CONVERSATION_CLOSED,
    reason=NoticeReason.CLOSED,
    conversation_sid=sid("CH", 2),
    at=NOON,
)


class EventBridge:
    """Keeps the entries, and answers as it is told."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.entries: list[dict[str, Any]] = []
        self._answer = answer

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's
        self.entries += Entries
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_a_notice_is_an_event_of_its_type_with_sids_and_a_reason() -> None:
    bridge = EventBridge({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}, {"EventId": "2"}]})

    taken = EventBus(client=bridge, name="switchboard").publish([HANDOFF, CLOSED])

    assert taken == [HANDOFF, CLOSED]
    first, second = bridge.entries
    assert (first["EventBusName"], first["Source"], first["DetailType"]) == (
        "switchboard",
        "switchboard",
        "HumanNeeded",
    )
    assert json.loads(first["Detail"]) == {
        "id": "T1",
        "conversation_sid": CONVERSATION,
        "reason": "handoff",
        "at": "2026-03-02T12:00:00.000Z",
        "count": 1,
        "turn": "T1",
    }
    assert "turn" not in json.loads(second["Detail"])


def test_an_entry_that_was_refused_is_not_taken_and_the_others_are() -> None:
    refused = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
    bridge = EventBridge({"FailedEntryCount": 1, "Entries": [refused, {"EventId": "2"}]})

    assert EventBus(client=bridge, name="switchboard").publish([HANDOFF, CLOSED]) == [CLOSED]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        ConnectTimeoutError(endpoint_url="https://events"),
    ],
)
def test_a_bus_that_cannot_be_asked_is_asked_again_later(error: Exception) -> None:
    with pytest.raises(Transient, match="EventBridge"):
        EventBus(client=EventBridge(error), name="switchboard").publish([HANDOFF])
