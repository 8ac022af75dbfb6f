"""docs/events.md ↔ what is published: every notice that a decision makes due keeps to its schema."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from switchboard.aws.eventbridge import EventBus
from switchboard.conversation import Conversation, OwnerReason, RefusalRule, ReplyKind, TurnOutcome
from switchboard.deliveries import REASONS
from switchboard.events import Owner
from switchboard.notices import (
    Notice,
    NoticeReason,
    NoticeType,
    notice_of_close,
    notice_of_failed_delivery,
    notice_of_hand_back,
    notice_of_refusal,
    notice_of_reply,
)
from tests.architecture.conftest import TEMPLATE
from tests.builders import CONVERSATION, NOON

EVENTS = (TEMPLATE.parent / "docs" / "events.md").read_text()
SCHEMA = re.compile(r"^### (\w+)\n\n```json\n(.+?)^```", re.MULTILINE | re.DOTALL)
SCHEMAS: Mapping[str, dict[str, Any]] = {title: json.loads(text) for title, text in SCHEMA.findall(EVENTS)}
AT = NOON + timedelta(milliseconds=7)
CLAIMED = Conversation(sid=CONVERSATION, turn="T1", owner=Owner.HUMAN, owner_reason=OwnerReason.MESSAGE)
NO_HANDOFFS = {ReplyKind.ANSWER, ReplyKind.FALLBACK, ReplyKind.TEMPLATE}
NOTICES = [
    notice
    for notice in (
        *(
            notice_of_reply(CLAIMED, kind=kind, outcome=outcome, rule="", at=AT)
            for kind in ReplyKind
            for outcome in TurnOutcome
            if kind not in NO_HANDOFFS or outcome is not TurnOutcome.HANDED_OFF
        ),
        *(notice_of_refusal(CLAIMED, rule=rule, is_new_loop=rule is RefusalRule.LOOP, at=AT) for rule in RefusalRule),
        *(
            notice_of_hand_back(CLAIMED, reason=reason, at=AT)
            for reason in (NoticeReason.BY_HUMAN, NoticeReason.BY_TIME)
        ),
        notice_of_close(CONVERSATION, at=AT),
        *(notice_of_failed_delivery(CONVERSATION, error_code=code, at=AT) for code in (*REASONS, None, 1)),
    )
    if notice
]


def published(notice: Notice) -> dict[str, Any]:
    """Return the entry that EventBridge is given."""
    entries: list[dict[str, Any]] = []

    class EventBridge:
        def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's
            entries.extend(Entries)
            return {"Entries": [{"EventId": "1"}]}

    EventBus(client=EventBridge(), name="switchboard").publish([notice])
    return entries[0]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: f"{notice.type}-{notice.reason}")
def test_every_event_keeps_to_the_schema_of_its_detail_type(notice: Notice) -> None:
    entry = published(notice)

    jsonschema.validate(json.loads(entry["Detail"]), SCHEMAS[entry["DetailType"]])


def test_every_detail_type_and_reason_is_there_and_documented() -> None:
    reasons = {reason for schema in SCHEMAS.values() for reason in _reasons(schema["properties"]["reason"])}

    assert SCHEMAS.keys() == {kind.value for kind in NoticeType} == {notice.type.value for notice in NOTICES}
    assert reasons == {reason.value for reason in NoticeReason} == {notice.reason.value for notice in NOTICES}


def _reasons(schema: Mapping[str, Any]) -> list[str]:
    return schema["enum"] if "enum" in schema else [schema["const"]]


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_a_schema_allows_neither_words_nor_addresses(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)

    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() <= {"id", "conversation_sid", "reason", "at", "count", "turn"}


def test_each_error_code_of_a_delivery_stands_beside_its_reason() -> None:
    table = EVENTS.partition("### What a failed delivery means")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d, ]+) \|", table, re.MULTILINE)

    documented = {int(code): reason for reason, codes in rows for code in codes.split(",")}

    assert documented == {code: reason.value for code, reason in REASONS.items()}
