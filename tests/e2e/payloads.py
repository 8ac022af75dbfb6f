"""Whom the payloads of `events/` are about, and what the local stack then knows of them."""

import json

from local.fixtures.payloads import EVENTS, form
from tests.stacks import Running

CHANNELS = ("sms", "whatsapp", "chat")
SMS_CONVERSATION = "CH00000000000000000000000000000001"


def customer(channel: str) -> str:
    """Return the address of the customer who writes in `events/webhook/` and `events/agent/`."""
    return form(json.loads((EVENTS / "webhook" / f"{channel}.json").read_text()))["Author"]


def conversation_item(stack: Running, conversation_sid: str) -> dict[str, dict[str, str]]:
    """Return a conversation's item in the table."""
    found = stack.stack.client("dynamodb").get_item(
        TableName=stack.environment("AgentFunction")["CONVERSATIONS_TABLE"],
        Key={"pk": {"S": conversation_sid}, "sk": {"S": "CONVERSATION"}},
    )
    item: dict[str, dict[str, str]] = found["Item"]
    return item
