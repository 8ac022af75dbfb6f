"""One conversation's messages listed from an emulator that holds a thousand conversations, against one with ten."""

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
        running_emulator() as (_, crowded),
        running_emulator() as (_, quiet),
        httpx.Client(auth=(ACCOUNT, TOKEN), timeout=60) as http,
    ):
        calls = [partial(_list, http, url, _fill(http, url, count)) for url, count in ((crowded, MANY), (quiet, FEW))]
        times = [[call() for call in calls] for _ in range(CALLS)]
    ours, reference = (statistics.median(each) for each in zip(*times, strict=True))
    return ours, reference


def _fill(http: httpx.Client, url: str, count: int) -> str:
    """Give an emulator so many conversations; return the one in the middle."""
    filled = Emulator()
    silently = rest_origin(webhook_enabled=False)
    for _ in range(count):
        conversation = conversations.draft(filled.backend, service_sid=SERVICE)
        conversations.commit(filled.backend, conversation, origin=silently)
        for number in range(MESSAGES):
            draft = messages.draft(filled.backend, conversation.sid, author="bot", body=f"message {number}")
            messages.commit(filled.backend, draft, origin=silently)
    http.put(f"{url}/_emulator/snapshot", content=snapshot.dump(filled.backend.state)).raise_for_status()
    return list(filled.backend.state.conversations)[count // 2]


def _list(http: httpx.Client, url: str, conversation_sid: str) -> float:
    began = time.perf_counter()
    answer = http.get(f"{url}/v1/Services/{SERVICE}/Conversations/{conversation_sid}/Messages")
    took = time.perf_counter() - began
    if len(answer.raise_for_status().json()["messages"]) != MESSAGES:
        raise RuntimeError(answer.text)
    return took
