"""The protocol broken on purpose, one rule at a time. `R1` … `R15` are the rules as docs/guarantees.md numbers them."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = "layers/switchboard/switchboard"
TURN = f"{LAYER}/turn.py"
CLAIMED = f"{LAYER}/claimed.py"
DRAFTS = f"{LAYER}/drafts.py"
VALUES = f"{LAYER}/conversation.py"
STORE = "tests/fakes/conversations.py"  # tests/functional/test_table.py holds it and aws/table.py to one contract
QUEUE = f"{LAYER}/aws/queue.py"
SWEEP = f"{LAYER}/sweep.py"
TABLE = f"{LAYER}/aws/table.py"
UPDATES = f"{LAYER}/aws/updates.py"
BATCH = f"{LAYER}/aws/batch.py"

PROOFS = ("tests/simulation/test_proofs.py", "tests/simulation/test_outage.py")
CONTRACTS = ("tests/unit", "tests/functional/test_table.py", "tests/functional/test_webhook_function.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One rule taken out: `old` stands once in `file`, and becomes `new`."""

    name: str
    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return self.name


# ruff: noqa: E501 -- a mutant quotes lines as they are
MUTANTS = (
    Mutant(
        name="R1 a lease outlives a takeover",
        file=VALUES,
        old="now < self.lease_until and self.lease_fence == self.fence",
        new="now < self.lease_until",
    ),
    Mutant(
        name="R1 a turn given back keeps its lease",
        file=STORE,
        old='item, lease_token="", lease_until=LONG_AGO, lease_fence=0, draft=draft or item.draft',
        new="item, draft=draft or item.draft",
    ),
    Mutant(
        name="R2 a watermark instead of a set",
        file=VALUES,
        old="index in self.seen or (index <= self.floor and index not in self.holes)",
        new="index in self.seen or index <= self.floor",
    ),
    Mutant(
        name="R2 the floor rises over what waits",
        file=VALUES,
        old="                if len(holes) >= MOST_HOLES:\n                    break\n                holes[index] = now\n",
        new="                if len(holes) < MOST_HOLES:\n                    holes[index] = now\n",
    ),
    Mutant(
        name="R3 attempts without end",
        file=TURN,
        old="""    if held.conversation.attempts > held.rules.max_attempts:
        return _fallback(""",
        new="""    if held.conversation.attempts > 1000:
        return _fallback(""",
    ),
    Mutant(
        name="R3 the fallback leaves no dead letter",
        file=DRAFTS,
        old="        held.dead_letters.copy(held.letters(draft.covers, waiting))\n",
        new="",
    ),
    Mutant(
        name="R4 a draft survives a takeover",
        file=DRAFTS,
        old="if draft.era != held.conversation.era:",
        new="if draft.era > held.conversation.era:",
    ),
    Mutant(
        name="R5 a resend is not counted",
        file=DRAFTS,
        old="posts + (part in missing) for part, posts",
        new="posts + 0 for part, posts",
    ),
    Mutant(
        name="R6 refused by the fence, acknowledged",
        file=TURN,
        old="        return Outcome(decision=Return.FENCED)\n",
        new="""        return Outcome(
            decision=Return.FENCED, acknowledged=frozenset(message.message_sid for message in delivered)
        )
""",
    ),
    Mutant(
        name="R7 the last event to come sets the owner",
        file=STORE,
        old="self._owned(item, Owner.HUMAN, at) if item.owner_at < at else item",
        new="self._owned(item, Owner.HUMAN, at)",
    ),
    Mutant(
        name="R8 what is left to a human is forgotten",
        file=STORE,
        old="left=item.left | left)\n        self._turns",
        new="left=item.left)\n        self._turns",
    ),
    Mutant(
        name="R9 a later part does not look at the fence",
        file=DRAFTS,
        old="if not is_first and held.conversations.read_fence",
        new="if False and held.conversations.read_fence",
    ),
    Mutant(
        name="R11 a POST starts with no lease left",
        file=DRAFTS,
        old="if held.lease_until - held.clock() < A_POST_NEEDS:",
        new="if held.lease_until < held.clock():",
    ),
    Mutant(
        name="R11 a look right away",
        file=DRAFTS,
        old="A_POST_LANDS_WITHIN = timedelta(seconds=30)",
        new="A_POST_LANDS_WITHIN = timedelta(seconds=0)",
    ),
    Mutant(
        name="R12 a colleague in a list is overlooked",
        file=CLAIMED,
        old="            if message.speaker is Speaker.COLLEAGUE\n            and message.at",
        new="            if message.speaker is Speaker.SYSTEM\n            and message.at",
    ),
    Mutant(
        name="R13 our own lease keeps us out",
        file=STORE,
        old="item.is_leased(now) and item.lease_token != token",
        new="item.is_leased(now)",
    ),
    Mutant(
        name="R14 every claim draws a new turn",
        file=STORE,
        old="turn=item.turn or turn",
        new="turn=turn",
    ),
    Mutant(
        name="R14 a retry takes what it was given",
        file=STORE,
        old="turn_messages=item.turn_messages | messages,\n        )",
        new="turn_messages=messages,\n        )",
    ),
    Mutant(
        name="R15 the gates come before the drop",
        file=TURN,
        old="    if not held.indices_waiting():\n",
        new="    if not held.indices_waiting() and not _refusal(held, held.delivered):\n",
    ),
    Mutant(
        name="R15 history is work",
        file=VALUES,
        old="return at < self.began - max_event_age",
        new="return False",
    ),
    Mutant(
        name="freeze after send",
        file=TURN,
        old="    held.conversations.freeze(held.conversation, draft)\n    held.reached(Step.FROZEN)\n",
        new="",
    ),
    Mutant(
        name="settle before send",
        file=TURN,
        old="    return send(held, draft, waiting, sent={})\n",
        new="""    held.conversations.settle(
        held.conversation,
        coverage=held.covered(draft.covers),
        owner=held.conversation.owner,
        now=held.clock(),
    )
    return send(held, draft, waiting, sent={})
""",
    ),
    Mutant(
        name="dedupe before work",
        file=STORE,
        old="            turn_messages=item.turn_messages | messages,\n        )\n        return self.items[sid]\n\n    def join",
        new="""            turn_messages=item.turn_messages | messages,
            coverage=replace(item.coverage, seen=item.coverage.seen | {m.index for m in messages}),
        )
        return replace(self.items[sid], coverage=item.coverage)

    def join""",
    ),
    Mutant(
        name="acknowledge on unknown",
        file=DRAFTS,
        old="        except Unknown as error:\n            return _keep_for_later(held, draft, error, never_left=[], waits=True)\n",
        new="        except Unknown:\n            return held.acknowledge(Ending.ANSWERED, held.covered(draft.covers))\n",
    ),
    Mutant(
        name="a post that never left counts",
        file=DRAFTS,
        old="never_left=[p for p in missing if p >= part]",
        new="never_left=[]",
    ),
    Mutant(
        name="a swallowed error",
        file=TURN,
        old="            decision=Return.RETRY,\n",
        new="            decision=Return.RETRY,\n            acknowledged=frozenset(message.message_sid for message in delivered),\n",
    ),
    Mutant(
        name="the gates are open",
        file=TURN,
        old="    if rule := _refusal(held, waiting):\n",
        new="    if rule := None:\n",
    ),
    Mutant(
        name="a handoff does not hand off",
        file=DRAFTS,
        old="    stays = ending in {Ending.ANSWERED, Ending.VOID} or rule == OVER_BUDGET\n",
        new="    stays = True\n",
    ),
    Mutant(
        name="nobody asks what was spent",
        file=TURN,
        old="    if held.rules.budget.is_used_up(spent):\n",
        new="    if False:\n",
    ),
    Mutant(
        name="the sweeper does not ask what is covered",
        file=SWEEP,
        old="if not conversation.coverage.covers(message.index)\n        and message.index > answered",
        new="if message.index > answered",
    ),
    Mutant(
        name="the sweeper leaves holes",
        file=SWEEP,
        old="min({*coverage.holes, *coverage.reopened, coverage.floor + 1})",
        new="coverage.floor + 1",
    ),
    Mutant(
        name="the wrong message group",
        file=QUEUE,
        old="MessageGroupId=event.conversation_sid",
        new="MessageGroupId=deduplication_id",
    ),
    Mutant(
        name="the table lets anybody claim",
        file=TABLE,
        old='" OR #lease_fence <> #fence OR #lease_token = :our_token"',
        new='" OR #lease_fence <> #fence OR #lease_token <> :our_token"',
    ),
    Mutant(
        name="the table lets an older event set the owner",
        file=UPDATES,
        old='NEWER = "attribute_not_exists(#owner_at) OR #owner_at < :at"',
        new='NEWER = "attribute_not_exists(#owner_at) OR #owner_at <> :at"',
    ),
    Mutant(
        name="the table settles under any fence",
        file=UPDATES,
        old='UNDER_OUR_FENCE = "#fence = :our_fence"',
        new='UNDER_OUR_FENCE = "#fence >= :our_fence"',
    ),
    Mutant(
        name="the table forgets what is left to a human",
        file=TABLE,
        old='            update.adds["left"] = ":left"\n            update.values[":left"] = set(left)\n',
        new="",
    ),
    Mutant(
        name="the table charges a repeated record again",
        file=TABLE,
        old='"ConditionExpression": "attribute_not_exists(pk)"',
        new='"ConditionExpression": "attribute_not_exists(pk) OR attribute_exists(pk)"',
    ),
    Mutant(
        name="one failed turn fails the batch",
        file=BATCH,
        old="            return [record.message_id for record in records]\n        facts",
        new="            raise\n        facts",
    ),
    Mutant(
        name="a settled record waits for strangers",
        file=BATCH,
        old="        if others_think and done:\n",
        new="        if False:\n",
    ),
)
SAMPLE = ("R4 a draft survives a takeover", "R5 a resend is not counted", "freeze after send", "a swallowed error")


def caught_by(mutant: Mutant | None) -> str:
    """Break the protocol in a copy of the project, and return which checks notice: `proofs`, `contracts` or nothing.

    None breaks nothing: a check that notices that notices nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("layers", "functions", "local", "twilio_emulator", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        if mutant is not None:
            _break(copy / mutant.file, mutant)
        checks = (("proofs", PROOFS), ("contracts", CONTRACTS))
        for name, paths in checks[1:] if mutant and "/aws/" in mutant.file else checks:  # the proofs know no AWS
            if not _passes(copy, paths):
                return name
    return ""


def _break(file: Path, mutant: Mutant) -> None:
    file.write_text(file.read_text().replace(mutant.old, mutant.new))


def _passes(copy: Path, paths: tuple[str, ...]) -> bool:
    """Tell whether tests pass; that they cannot run at all is no verdict."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 -- our own tests
    if done.returncode not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode == pytest.ExitCode.OK
