"""What waits together is one turn, over HTTP: forty texts at once, fourteen messages that a human hands back."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tests.functional.test_whole_flow import human_writes, is_owned_by_human, webhook_of
from tests.stacks import Phone, Running, running
from tests.waiting import wait_until

QUESTION = "When are you open on Saturday?"


def text_at_once(phone: Phone, count: int) -> str:
    """Send so many texts side by side, and return the conversation's SID."""
    with ThreadPoolExecutor(max_workers=20) as threads:
        (conversation_sid,) = {text["conversation_sid"] for text in threads.map(phone.text, [QUESTION] * count)}
    return conversation_sid


def messages_of_turns(stack: Running, conversation_sid: str) -> list[int]:
    """Return how many messages each turn of a conversation ended."""
    return [len(turn["message_sids"]["L"]) for turn in stack.turns(conversation_sid)]


def test_forty_texts_at_once_get_at_most_two_replies() -> None:
    with running(environment={"COALESCE_SECONDS": "5"}) as stack:  # so that a slow machine has ten of them queued
        phone = stack.phone("+12025550180")
        drop_webhooks(stack)
        texts = [phone.text(QUESTION) for _ in range(40)]
        webhooks = [webhook_of(stack, text) for text in texts]

        with ThreadPoolExecutor(max_workers=20) as threads:
            list(threads.map(lambda webhook: stack.post_webhook(webhook, signed=webhook), webhooks))
        conversation_sid = texts[0]["conversation_sid"]
        wait_until(lambda: sum(messages_of_turns(stack, conversation_sid)) == 40, what="40 answered")
        wait_until(lambda: stack.queued() == 0)

        assert 1 <= len(phone.inbox()) <= 2


def drop_webhooks(stack: Running) -> None:
    """Let Twilio tell nothing, until the test does."""
    fault = {"kind": "drop_webhook", "rate": 1}
    assert stack.http.post(f"{stack.stack.twilio_url}/_emulator/faults", json=fault).status_code == 201


def test_fourteen_messages_that_a_human_hands_back_get_one_reply(stack: Running) -> None:
    phone = stack.phone("+12025550181")
    conversation_sid = phone.text(QUESTION)["conversation_sid"]
    phone.wait_for_replies()
    human_writes(stack, conversation_sid, "I take this.")
    wait_until(lambda: is_owned_by_human(stack, conversation_sid), what="the takeover")

    text_at_once(phone, 14)
    wait_until(lambda: sum(messages_of_turns(stack, conversation_sid)) == 15, what="14 left to the human")
    hand_back(stack, conversation_sid)
    wait_until(lambda: messages_of_turns(stack, conversation_sid).count(14) == 1, what="one turn with all of them")
    wait_until(lambda: stack.queued() == 0)

    assert [each["author"] for each in phone.inbox()] == ["switchboard", "robin", "switchboard"]


def hand_back(stack: Running, conversation_sid: str) -> None:
    """Set the attribute that gives a conversation back, as a helpdesk does."""
    account = stack.stack.twilio_account
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    answer = stack.http.post(
        f"{stack.stack.twilio_url}/v1/Services/{account.service_sid}/Conversations/{conversation_sid}",
        data={"Attributes": json.dumps({"switchboard": {"owner": "assistant", "at": now}})},
        headers={"X-Twilio-Webhook-Enabled": "true"},
        auth=(account.account_sid, account.auth_token),
    )
    assert answer.status_code == 200, answer.text
