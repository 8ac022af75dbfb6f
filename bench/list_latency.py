"""A list of one conversation's messages, from an emulator with a thousand conversations and from one with ten."""

import statistics
import time
from functools import partial

import httpx

from tests.emulator.emulator_process import running_emulator
from tests.emulator.emulator_server import ACCOUNT, SERVICE, TOKEN
from twilio_emulator import Emulator, snapshot
from twilio_emulator.models import conversations, messages
from twilio_emulator.models.events import rest_origin

MANY, FEW = 1000, 10
MESSAGES = 20
CALLS = 300


def measure() -> tuple[float, float]:
    """Return the medians, in seconds, of interleaved calls over HTTP to processes of their own."""
    with (
        running_emulator() as (_, large),
        running_emulator() as (_, small),
        httpx.Client(auth=(ACCOUNT, TOKEN), timeout=60) as http,
    ):
        calls = [partial(_list, http, url, _fill(http, url, count)) for url, count in ((large, MANY), (small, FEW))]
        times = [[call() for call in calls] for _ in range(CALLS)]
    ours, reference = (statistics.median(each) for each in zip(*times, strict=True))
    return ours, reference


def _fill(http: httpx.Client, url: str, count: int) -> str:
    """Create so many conversations in an emulator; return the SID of the one in the middle."""
    filled = Emulator()
    without_webhooks = rest_origin(webhook_enabled=False)
    for _ in range(count):
        conversation = conversations.draft(filled.backend, service_sid=SERVICE)
        conversations.commit(filled.backend, conversation, origin=without_webhooks)
        for number in range(MESSAGES):
            draft = messages.draft(filled.backend, conversation.sid, author="bot", body=f"message {number}")
            messages.commit(filled.backend, draft, origin=without_webhooks)
    http.put(f"{url}/_emulator/snapshot", content=snapshot.dump(filled.backend.state)).raise_for_status()
    return list(filled.backend.state.conversations)[count // 2]


def _list(http: httpx.Client, url: str, conversation_sid: str) -> float:
    started = time.perf_counter()
    response = http.get(f"{url}/v1/Services/{SERVICE}/Conversations/{conversation_sid}/Messages")
    took = time.perf_counter() - started
    if len(response.raise_for_status().json()["messages"]) != MESSAGES:
        raise RuntimeError(response.text)
    return took
