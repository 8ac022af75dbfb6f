"""Replay: a webhook again, as Twilio would send it; a turn's question again, to the assistant as it is now."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from local.aws.execution_environment import FunctionSpec
from local.aws.named_variables import named_variables
from local.page import words
from local.page.grouping import ANSWERS
from local.page.question import PastTurn
from local.page.recorder import Happened, Kind, Recorder
from local.page.webhook_request import signed_request

ROOT = Path(__file__).parents[2]
SECONDS_TO_ARRIVE = 5  # in so many the agent function has a webhook's message, or it was a repeat that the queue knew
SECONDS_TO_ANSWER = 90
CLOSING = "closing"  # nobody changes it: who watches it is woken at the end
KNOWN_TO_THE_QUEUE = (
    "Nothing more happened: the queue had this event in the last five minutes, and drops a repeat. Later, the table "
    "knows that it is handled."
)
AT_WORK = "The agent works on it."
SIGNED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Sends webhooks to `webhook_url` (on this machine, at `local_url`), and asks the agent function's assistant.

    What it is told of the time is `ahead` of this machine's.
    """

    recorder: Recorder
    webhook_url: str
    local_url: str
    auth_token: str
    agent: FunctionSpec
    ahead: Callable[[], timedelta]
    seconds_to_arrive: float = SECONDS_TO_ARRIVE

    async def webhook(self, webhook: Happened) -> Mapping[str, Any]:
        """Send a webhook again, and return what became of it, at most the agent function's timeout later."""
        fields = [(str(name), str(value)) for name, value in webhook.facts["fields"]]
        sid, began = dict(fields).get("ConversationSid", ""), time.time() * 1000
        content, headers = signed_request(fields, url=self.webhook_url, auth_token=self.auth_token)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            response = await client.post(self.local_url, content=content, headers=dict(headers))
        if response.status_code != SIGNED:
            return {"status": response.status_code, "said": "The webhook function did not take it."}
        said = await self._became(sid, dict(fields).get("MessageSid", ""), since=began)
        return {"status": response.status_code, "said": said}

    async def _became(self, sid: str, message_sid: str, *, since: float) -> str:
        began, is_at_work = time.monotonic(), False
        with self.recorder.changes.watch(sid) as woken:
            while not self.recorder.changes.is_closed:
                events = self.recorder.of(sid)
                if said := _verdict(events, message_sid, since=since - 1):
                    return said
                is_at_work = _is_at_work(events, message_sid, since=since - 1)
                most = max(self.seconds_to_arrive, self.agent.timeout_seconds if is_at_work else 0)
                if (left := began + most - time.monotonic()) <= 0:
                    break
                await self.recorder.changes.wait(woken, seconds=left)
        return AT_WORK if is_at_work else KNOWN_TO_THE_QUEUE

    async def ask(self, turn: PastTurn, *, conversation_sid: str) -> Mapping[str, Any]:
        """Return what the assistant answers now to what a turn was asked, from a process of its own."""
        began = time.monotonic()
        question = {
            "folder": str(self.agent.paths[0]),
            "model": self.agent.environment.get("ASSISTANT_MODEL", "offline"),
            "fallback_model": self.agent.environment.get("ASSISTANT_FALLBACK_MODEL", ""),
            "turn": turn.record.turn,
            "conversation": conversation_sid,
            "customer": turn.customer,
            "max_characters": turn.max_characters,
            "now": datetime.now(UTC) + self.ahead(),
            "history": [asdict(each) for each in turn.history],
            "messages": turn.record.said,
            "effects": turn.effects,
        }
        answered = await self._ask(json.dumps(question, default=_isoformat).encode())
        return {**answered, "milliseconds": round((time.monotonic() - began) * 1000)}

    async def _ask(self, question: bytes) -> Mapping[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local.page.ask"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            cwd=ROOT,
            start_new_session=True,
        )
        answering = asyncio.create_task(process.communicate(question))
        with self.recorder.changes.watch(CLOSING) as closing:
            ended = asyncio.create_task(closing.wait())
            await asyncio.wait({answering, ended}, timeout=SECONDS_TO_ANSWER, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
        if not answering.done():
            with suppress(ProcessLookupError):
                process.kill()
            await answering
            return {"error": f"There was no answer within {SECONDS_TO_ANSWER} s."}
        printed, errors = answering.result()
        try:
            answered: Mapping[str, Any] = json.loads(printed.decode().splitlines()[-1])
        except (IndexError, ValueError):
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            return {"error": "".join(last) or "The assistant's process ended without an answer."}
        return answered

    def _environment(self) -> Mapping[str, str]:
        """Return the variables that the function has, with the modules of this repository."""
        paths = os.pathsep.join(map(str, (ROOT, *self.agent.paths)))
        named = named_variables(self.agent.paths[0], self.agent.offered)
        return {**named, **self.agent.environment, "PYTHONPATH": paths}


def _verdict(events: Sequence[Happened], message_sid: str, *, since: float) -> str:
    """Return what a function decided since of what the webhook told; empty while it has not."""
    requests = {each.facts["request"] for each in _deliveries(events, message_sid)}
    for each in (each for each in events if each.kind is Kind.DECISION and each.at >= since):
        decision = str(each.facts["decision"])
        if decision.startswith("ignored_"):
            return "Ignored: nobody needs to act on it."
        if each.facts.get("function") == "lifecycle":
            return words.say_decision(each.facts)
        if each.facts.get("request") in requests and decision in words.ENDINGS:
            return words.say_decision(each.facts)
    return ""


def _is_at_work(events: Sequence[Happened], message_sid: str, *, since: float) -> bool:
    """Tell whether the agent function was given the message since, or has not returned yet."""
    ended = {each.facts["request"] for each in events if each.kind is Kind.ENDED}
    given = _deliveries(events, message_sid)
    return any(each.at >= since or each.facts["request"] not in ended for each in given)


def _deliveries(events: Sequence[Happened], message_sid: str) -> list[Happened]:
    """Return each time that the agent function was given a message."""
    given = [each for each in events if each.kind is Kind.DELIVERED and each.facts["function"] == ANSWERS]
    return [each for each in given if message_sid in {record["message_sid"] for record in each.facts["records"]}]


def _isoformat(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
