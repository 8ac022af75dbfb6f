"""Replay: a webhook again, as Twilio would send it; a turn's question again, to the assistant as it is now."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
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
SECONDS_TO_BECOME = 5  # what becomes of a webhook shows in so many, or it was a repeat that the queue knew
SECONDS_TO_ANSWER = 90
CLOSING = "closing"  # nobody changes it: who watches it is woken at the end
KNOWN_TO_THE_QUEUE = (
    "Nothing more happened: the queue had this event in the last five minutes, and drops a repeat. Later, the table "
    "knows that it is handled."
)
SIGNED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Sends webhooks to `webhook_url` (on this machine, at `local_url`), and asks the agent function's assistant."""

    recorder: Recorder
    webhook_url: str
    local_url: str
    auth_token: str
    agent: FunctionSpec

    async def webhook(self, webhook: Happened) -> Mapping[str, Any]:
        """Send a webhook again, and return what became of it."""
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
        until = time.monotonic() + SECONDS_TO_BECOME
        with self.recorder.changes.watch(sid) as woken:
            while (left := until - time.monotonic()) > 0 and not self.recorder.changes.is_closed:
                events = [each for each in self.recorder.of(sid) if each.at >= since - 1]
                if said := _verdict(events, message_sid):
                    return said
                await self.recorder.changes.wait(woken, seconds=left)
        return KNOWN_TO_THE_QUEUE

    async def ask(self, turn: PastTurn, *, conversation_sid: str) -> Mapping[str, Any]:
        """Return what the assistant answers now to what a turn was asked, from a process of its own."""
        began = time.monotonic()
        question = {
            "folder": str(self.agent.paths[0]),
            "model": self.agent.environment.get("ASSISTANT_MODEL", "offline"),
            "fallback_model": self.agent.environment.get("ASSISTANT_FALLBACK_MODEL", ""),
            "turn": turn.record.turn,
            "conversation": conversation_sid,
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


def _verdict(events: Sequence[Happened], message_sid: str) -> str:
    """Return what a function decided of what the webhook told; empty while it has not."""
    for each in events:
        decision = str(each.facts.get("decision", ""))
        if each.kind is not Kind.DECISION or decision == "accepted":
            continue
        if decision.startswith("ignored_"):
            return "Ignored: nobody needs to act on it."
        if each.facts.get("function") == "lifecycle":
            return words.say_decision(each.facts)
        is_end = each.facts.get("function") == ANSWERS and decision in words.ENDINGS
        if is_end and any(_delivers(other, message_sid, each) for other in events):
            return words.say_decision(each.facts)
    return ""


def _delivers(event: Happened, message_sid: str, decision: Happened) -> bool:
    is_same = event.kind is Kind.DELIVERED and event.facts["request"] == decision.facts.get("request")
    return is_same and any(record["message_sid"] == message_sid for record in event.facts["records"])


def _isoformat(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
