"""What the pane shows of a conversation."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.page.conversation_view import ConversationView, Table
from tests.unit.page.happenings import CONVERSATION, Stage


class TableOf:
    """DynamoDB's client, of a table with these items."""

    def get_paginator(self, _operation: str) -> "TableOf":
        return self

    def paginate(self, **_query: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 -- boto3's own are untyped
        yield {"Items": []}


@pytest.mark.parametrize(("hours", "said"), [(0, "open until "), (23, "open until "), (24, "closed since ")])
def test_whatsapps_window_closes_by_twilios_clock(hours: int, said: str) -> None:
    stage = Stage()
    stage.webhook(Author="whatsapp:+12025550110", Source="WHATSAPP", DateCreated="2026-03-02T12:00:00.000Z")
    table = Table(client=TableOf, name="conversations")
    view = ConversationView(
        recorder=stage.recorder,
        table=table,
        model="offline",
        ahead=lambda: timedelta(hours=hours),
        clock=lambda: stage.now,
    )

    told = view.of(CONVERSATION)

    assert {row["name"]: row["value"] for row in told["summary"]}["WhatsApp window"].startswith(said)
    assert told["now"] == stage.now * 1000
