"""Each built function behind Lambda's runtime interface emulator, with the payloads of `events/`."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.fixtures.payloads import EVENTS, read
from tests.e2e.emulator import BuiltFunction, emulated
from tests.e2e.payloads import CHANNELS, SMS_CONVERSATION, conversation_item, customer
from tests.stacks import OUR_NUMBER, Running, running


class Bench:
    """A local stack, and in front of it any of the built functions."""

    def __init__(self, stack: Running, built: Path, closing: ExitStack) -> None:
        self.stack = stack
        self._built = built
        self._closing = closing

    def function(self, logical_id: str) -> BuiltFunction:
        environment = self.stack.environment(logical_id)
        return self._closing.enter_context(emulated(self._built, logical_id, environment))

    def payload(self, name: str) -> dict[str, object]:
        account, public_url = self.stack.stack.twilio_account, self.stack.environment("WebhookFunction")["PUBLIC_URL"]
        return read(EVENTS / name, now=datetime.now(UTC), account=account, public_url=public_url)


@pytest.fixture
def bench(built: Path) -> Iterator[Bench]:
    with running() as stack, ExitStack() as closing:
        yield Bench(stack, built, closing)


def test_the_webhook_function_queues_what_twilio_tells_and_nothing_else(bench: Bench) -> None:
    webhook = bench.function("WebhookFunction")

    signed_for_another_url = json.loads((EVENTS / "webhook" / "sms.json").read_text())

    stranger = webhook.invoke(signed_for_another_url)["statusCode"]
    statuses = [webhook.invoke(bench.payload(f"webhook/{channel}.json"))["statusCode"] for channel in CHANNELS]

    assert stranger == 403
    assert statuses == [200] * 3
    for channel in CHANNELS:
        (reply,) = bench.stack.phone(customer(channel)).wait_for_replies()
        assert reply["author"] == "switchboard"


def test_the_agent_function_answers_on_every_channel(bench: Bench) -> None:
    agent = bench.function("AgentFunction")

    results = [agent.invoke(bench.payload(f"agent/{channel}.json")) for channel in CHANNELS]

    replies = [bench.stack.phone(customer(channel)).inbox() for channel in CHANNELS]
    assert results == [{"batchItemFailures": []}] * 3
    assert [[reply["author"] for reply in inbox] for inbox in replies] == [["switchboard"]] * 3
    assert bench.stack.environment("AgentFunction")["FALLBACK_SENTENCE"] not in {inbox[0]["body"] for inbox in replies}


def test_the_lifecycle_function_applies_what_happened(bench: Bench) -> None:
    lifecycle = bench.function("LifecycleFunction")
    names = ("human_writes", "handed_back", "delivery_failed", "closed")

    results = [lifecycle.invoke(bench.payload(f"lifecycle/{name}.json")) for name in names]

    assert results == [{"batchItemFailures": []}] * 4
    assert conversation_item(bench.stack, SMS_CONVERSATION)["state"] == {"S": "closed"}


def test_the_sweeper_function_finds_a_text_whose_webhook_was_lost(bench: Bench) -> None:
    sweeper = bench.function("SweeperFunction")
    phone = bench.stack.phone("+12025550195", to=OUR_NUMBER)
    fault = {"kind": "drop_webhook", "on": "onMessageAdded", "count": 1}
    bench.stack.http.post(f"{bench.stack.stack.twilio_url}/_emulator/faults", json=fault).raise_for_status()
    phone.text("When are you open on Saturday?")

    sweeper.invoke(bench.payload("sweeper/every_minute.json"))

    (reply,) = phone.wait_for_replies()
    assert reply["author"] == "switchboard"
