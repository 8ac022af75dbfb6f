"""The shipped code broken on purpose, one rule at a time: a proof or a test must notice each.

`R1` … `R15` are the rules as docs/guarantees.md numbers them. Each mutant changes a line that is deployed.
"""

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

# Which tests must notice a broken file: those of the longest path that it begins with, in this order.
PROOFS = ("tests/simulation/test_proofs.py", "tests/simulation/test_outage.py")
WEBHOOK = "tests/functional/test_webhook_function.py"
NOTICED_BY = {
    LAYER: (*PROOFS, "tests/unit"),
    f"{LAYER}/aws/dynamodb": tuple(
        f"tests/functional/test_{name}.py"
        for name in ("turn_store", "lifecycle_store", "budget_store", "sweep_index", "dynamodb_client")
    ),
    f"{LAYER}/aws/sqs": ("tests/unit/aws", WEBHOOK),
    f"{LAYER}/twilio/webhook": ("tests/unit/twilio", WEBHOOK),
    f"{LAYER}/twilio/rest": ("tests/functional/test_twilio_rest.py",),
    "functions": (WEBHOOK,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One rule taken out: `old` stands once in `file`, and becomes `new`.

    `breaks` names an invariant of the proofs, which must notice it itself.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests that must notice it."""
        if self.breaks:
            return PROOFS
        return NOTICED_BY[max((path for path in NOTICED_BY if self.file.startswith(path)), key=len)]


# ruff: noqa: E501 -- a mutant quotes lines as they are
MUTANTS = (
    Mutant(
        name="R2 a watermark instead of a set",
        file=f"{LAYER}/conversation.py",
        old="return index in self.handled or (index <= self.low_watermark and index not in self.gaps)",
        new="return index in self.handled or index <= self.low_watermark",
    ),
    Mutant(
        name="R2 the low watermark rises over what waits",
        file=f"{LAYER}/conversation.py",
        old="                if len(gaps) >= MAX_GAPS:\n                    break\n                gaps[index] = now\n",
        new="                if len(gaps) < MAX_GAPS:\n                    gaps[index] = now\n",
    ),
    Mutant(
        name="R15 history is work",
        file=f"{LAYER}/conversation.py",
        old="return message.at < self.first_seen_at - max_event_age",
        new="return False",
    ),
    Mutant(
        name="R3 attempts without end",
        file=f"{LAYER}/turn/context.py",
        old="return self.conversation.attempts > self.settings.max_attempts",
        new="return self.conversation.attempts > 1000",
    ),
    Mutant(
        name="R3 the fallback leaves no dead letter",
        file=f"{LAYER}/turn/record.py",
        old="        turn.ports.dead_letters.copy(dead_letters(turn, ending.reply.covers))\n",
        new="",
    ),
    Mutant(
        name="R4 a pending reply survives a takeover",
        file=f"{LAYER}/turn/resume.py",
        old="    if reply.ownership_epoch != turn.conversation.ownership_epoch and not",
        new="    if reply.ownership_epoch > turn.conversation.ownership_epoch and not",
    ),
    Mutant(
        name="R5 a resend is not counted",
        file=f"{LAYER}/turn/resume.py",
        old="attempts + (part in missing) for part, attempts",
        new="attempts + 0 for part, attempts",
    ),
    Mutant(
        name="R6 refused by the fencing token, acknowledged",
        file=f"{LAYER}/turn/take_turn.py",
        old="        return TurnResult(outcome=RetryReason.FENCED)\n",
        new="        return TurnResult(outcome=RetryReason.FENCED, acknowledged=frozenset(m.message_sid for m in delivered))\n",
    ),
    Mutant(
        name="busy is acknowledged",
        file=f"{LAYER}/turn/take_turn.py",
        old="        return TurnResult(outcome=RetryReason.BUSY,",
        new="        return TurnResult(outcome=RetryReason.BUSY, acknowledged=frozenset(m.message_sid for m in delivered),",
    ),
    Mutant(
        name="R9 a later part does not read the fencing token",
        file=f"{LAYER}/turn/send.py",
        old="            if part != missing[0]:\n",
        new="            if False:\n",
    ),
    Mutant(
        name="R11 a POST starts with no lease left",
        file=f"{LAYER}/turn/send.py",
        old="if turn.lease_until - turn.now() < MIN_LEASE_FOR_SEND:",
        new="if turn.lease_until < turn.now():",
    ),
    Mutant(
        name="R11 a look right away",
        file=f"{LAYER}/turn/timing.py",
        old="COMMIT_WINDOW = timedelta(seconds=30)",
        new="COMMIT_WINDOW = timedelta(seconds=0)",
    ),
    Mutant(
        name="R12 a human in a list is overlooked",
        file=f"{LAYER}/turn/messages.py",
        old="        if message.author_role is AuthorRole.HUMAN\n",
        new="        if message.author_role is AuthorRole.SYSTEM\n",
    ),
    Mutant(
        name="R15 the rules come before the drop",
        file=f"{LAYER}/turn/gate.py",
        old="    if not turn.waiting_indices():\n        return Dropped()\n    rule = _rule(turn)\n",
        new="    rule = _rule(turn)\n    if not turn.waiting_indices() and not rule:\n        return Dropped()\n",
    ),
    Mutant(
        name="freeze after send",
        file=f"{LAYER}/turn/freeze.py",
        old="    turn.ports.conversations.freeze(turn.conversation, reply)\n",
        new="",
    ),
    Mutant(
        name="settle before send",
        file=f"{LAYER}/turn/take_turn.py",
        old="        step = send(turn, step)\n",
        new='        settle(turn, Ended(reply=step.reply, sent={}, outcome="answered"))\n        step = send(turn, step)\n',
    ),
    Mutant(
        name="acknowledge on unknown",
        file=f"{LAYER}/turn/send.py",
        old="            return _deferred(turn, sending, error, never_left=(), may_be_committed=True)\n",
        new="            return ended(replace(sending, sent=sent), outcome_when_sent(reply.kind))\n",
    ),
    Mutant(
        name="a POST that never left counts",
        file=f"{LAYER}/turn/send.py",
        old="never_left = [number for number in missing if number >= part]",
        new="never_left: list[int] = []",
    ),
    Mutant(
        name="a swallowed error",
        file=f"{LAYER}/turn/take_turn.py",
        old="        return defer(turn, later)\n",
        new="        return TurnResult(outcome=RetryReason.RETRY, acknowledged=frozenset(m.message_sid for m in delivered))\n",
    ),
    Mutant(
        name="no rule refuses",
        file=f"{LAYER}/turn/gate.py",
        old="    return Refused(rule=rule) if rule else None\n",
        new="    return None\n",
    ),
    Mutant(
        name="a handoff does not hand off",
        file=f"{LAYER}/turn/settle.py",
        old="    return OwnerReason.HANDOFF if ending.reply.kind is ReplyKind.HANDOFF else OwnerReason.FAILURE\n",
        new="    return None if ending.reply.kind is ReplyKind.HANDOFF else OwnerReason.FAILURE\n",
    ),
    Mutant(
        name="what a human owns is not left to them",
        file=f"{LAYER}/turn/settle.py",
        old="left_to_human=indices if refused.rule is RefusalRule.HUMAN else frozenset(),",
        new="left_to_human=frozenset(),",
    ),
    Mutant(
        name="nobody asks what was spent",
        file=f"{LAYER}/turn/think.py",
        old="    if budget.is_used_up(spent):\n",
        new="    if False:\n",
    ),
    Mutant(
        name="a message of the open turn is forgotten",
        file=f"{LAYER}/turn/gather.py",
        old='        raise Transient(f"{turn.conversation.sid}: Twilio does not list a message of the open turn yet")\n',
        new="        pass\n",
    ),
    Mutant(
        name="what a list shows does not join",
        file=f"{LAYER}/turn/gather.py",
        old="    if unexplained is None and not unread:\n",
        new="    if True:\n",
    ),
    Mutant(
        name="a limit sentence is said again and again",
        file=f"{LAYER}/turn/think.py",
        old="    if budget.is_used_up(spent) and spent.limit_notice_sent:\n",
        new="    if False:\n",
    ),
    Mutant(
        name="the sweeper does not ask what is handled",
        file=f"{LAYER}/sweeper.py",
        old="            if not conversation.coverage.covers(message.index)\n            and message.index > answered",
        new="            if message.index > answered",
    ),
    Mutant(
        name="the sweeper leaves gaps",
        file=f"{LAYER}/sweeper.py",
        old="min({*coverage.gaps, *coverage.requeued, coverage.low_watermark + 1})",
        new="coverage.low_watermark + 1",
    ),
    Mutant(
        name="an older takeover counts as one",
        file=f"{LAYER}/lifecycle.py",
        old="return Effect.OUTDATED if takeover is Takeover.OUTDATED else Effect.TAKEN_OVER",
        new="return Effect.TAKEN_OVER",
    ),
    Mutant(
        name="a hand back queues nothing",
        file=f"{LAYER}/lifecycle.py",
        old="    if requeued:\n        listed",
        new="    if False:\n        listed",
    ),
    Mutant(
        name="R1 the table: a lease outlives a takeover",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='        " AND (#lease_until <= :now OR #lease_fencing_token <> #fencing_token))",',
        new='        " AND #lease_until <= :now)",',
    ),
    Mutant(
        name="R1 the table: a turn given back keeps its lease",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="        update = if_our_lease(conversation, removes=LEASE)\n",
        new="        update = if_our_lease(conversation, removes=())\n",
    ),
    Mutant(
        name="R7 the table: an older event sets the owner",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='NEWER = "(attribute_not_exists(#owner_event_at) OR #owner_event_at < :at)"',
        new='NEWER = "(attribute_not_exists(#owner_event_at) OR #owner_event_at <> :at)"',
    ),
    Mutant(
        name="R8 the table: what is left to a human is forgotten",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='            update.adds["left_to_human"] = ":left_to_human"\n            update.values[":left_to_human"] = set(left_to_human)\n',
        new="            pass\n",
    ),
    Mutant(
        name="R8 the table: a hand back reopens nothing",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='        update.adds["requeued"] = ":left_to_human"\n        update.removes = (*update.removes, "left_to_human")\n        update.values[":left_to_human"] = set(conversation.left_to_human)\n',
        new="        pass\n",
    ),
    Mutant(
        name="R9 the table: the fencing token is read as it once was",
        file=f"{LAYER}/aws/dynamodb/client.py",
        old="Key=key, ConsistentRead=True",
        new="Key=key, ConsistentRead=False",
    ),
    Mutant(
        name="R13 the table: our own lease keeps us out",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="            if item.lease_token != token:\n",
        new="            if True:\n",
    ),
    Mutant(
        name="R14 the table: every claim draws a new turn",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='"turn": "if_not_exists(#turn, :turn)"',
        new='"turn": ":turn"',
    ),
    Mutant(
        name="R14 the table: a retry takes what it was given",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='            "turn_started_at": "if_not_exists(#turn_started_at, :now)",\n            **ACTIVITY,\n        },\n        adds={"turn_messages": ":messages"},\n',
        new='            "turn_started_at": "if_not_exists(#turn_started_at, :now)",\n            "turn_messages": ":messages",\n            **ACTIVITY,\n        },\n',
    ),
    Mutant(
        name="the table lets anybody claim",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='OR (#lease_token <> :our_token"\n        " AND (#lease_until <= :now',
        new='OR (#lease_token <> :our_token"\n        " OR (#lease_until <= :now',
    ),
    Mutant(
        name="the table settles under any fencing token",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='STILL_OURS = "#fencing_token = :our_fencing_token"',
        new='STILL_OURS = "#fencing_token >= :our_fencing_token"',
    ),
    Mutant(
        name="the table: a takeover does not raise the fencing token",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='            "fencing_token": "if_not_exists(#fencing_token, :zero) + :one",\n            "ownership_epoch"',
        new='            "fencing_token": "if_not_exists(#fencing_token, :zero)",\n            "ownership_epoch"',
    ),
    Mutant(
        name="the table: a takeover does not raise the ownership epoch",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='"ownership_epoch": "if_not_exists(#ownership_epoch, :zero) + :one"',
        new='"ownership_epoch": "if_not_exists(#ownership_epoch, :zero)"',
    ),
    Mutant(
        name="the table: a human's message waits for an answer",
        file=f"{LAYER}/aws/dynamodb/lifecycle_store.py",
        old='            update.adds["handled"] = ":handled"\n            update.sets["human_spoke_at"] = ":at"\n            update.values[":handled"] = {index}\n',
        new='            update.sets["human_spoke_at"] = ":at"\n',
    ),
    Mutant(
        name="the table: an attempt is not counted",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='"attempts": "if_not_exists(#attempts, :zero) + :one"',
        new='"attempts": "if_not_exists(#attempts, :zero)"',
    ),
    Mutant(
        name="the table: settled, the reply is still pending",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='update.removes = (*LEASE, *TURN, "pending_reply")',
        new="update.removes = (*LEASE, *TURN)",
    ),
    Mutant(
        name="the table: an older opt-out replaces a newer one",
        file=f"{LAYER}/aws/dynamodb/lifecycle_store.py",
        old="OR #opted_out_at < :at",
        new="OR #opted_out_at <> :at",
    ),
    Mutant(
        name="the table: closed once more takes the conversation again",
        file=f"{LAYER}/aws/dynamodb/lifecycle_store.py",
        old='        update.condition = "attribute_not_exists(#state) OR #state <> :closed"\n',
        new='        update.condition = "attribute_not_exists(#state) OR #state <> :zero"\n',
    ),
    Mutant(
        name="the table charges a repeated record again",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='"ConditionExpression": "attribute_not_exists(pk)"',
        new='"ConditionExpression": "attribute_not_exists(pk) OR attribute_exists(pk)"',
    ),
    Mutant(
        name="the table charges nobody",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='[{"Put": put}, *self.budgets.charges(record)]',
        new='[{"Put": put}]',
    ),
    Mutant(
        name="a refusal that was refused itself counts",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='        if "ConditionalCheckFailed" in reasons:\n            raise Fenced',
        new="        if False:\n            raise Fenced",
    ),
    Mutant(
        name="a check postpones what was active meanwhile",
        file=f"{LAYER}/aws/dynamodb/sweep_index.py",
        old='condition="#activity = :activity AND #checks = :checks"',
        new='condition="#checks = :checks AND (#activity <= :activity OR #activity > :activity)"',
    ),
    Mutant(
        name="two sweeps count one check twice",
        file=f"{LAYER}/aws/dynamodb/sweep_index.py",
        old='condition="#activity = :activity AND #checks = :checks"',
        new='condition="#activity = :activity AND #checks <= :checks OR #checks > :checks"',
    ),
    Mutant(
        name="more activity puts a check off",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='"active_check": "if_not_exists(#active_check, :active_check)"',
        new='"active_check": ":active_check"',
    ),
    Mutant(
        name="the time between checks doubles without end",
        file=f"{LAYER}/sweeper.py",
        old="CHECK_INTERVALS[checked.checks] if 0 <= checked.checks < len(CHECK_INTERVALS) else MAX_CHECK_INTERVAL",
        new="MIN_CHECK_INTERVAL * 2**checked.checks",
    ),
    Mutant(
        name="a surprise in one conversation ends the sweep of the others",
        file=f"{LAYER}/sweeper.py",
        old="            self.checks.postpone(due, until=self._next_check(due), now=self.now)\n        except Exception as error:",
        new="            self.checks.postpone(due, until=self._next_check(due), now=self.now)\n        except Transient as error:",
    ),
    Mutant(
        name="a check that failed stays first in line",
        file=f"{LAYER}/sweeper.py",
        old="failures = (failed, *self._put_off(check, due, error))",
        new="failures = (failed,)",
    ),
    Mutant(
        name="a sweep makes only the first check that is due",
        file=f"{LAYER}/sweeper.py",
        old="return list(by_conversation.values())[:limit]",
        new="return list(by_conversation.values())[:1]",
        breaks="every_check_that_is_due_is_made",
    ),
    Mutant(
        name="of two checks of a conversation that fail, one stays due",
        file=f"{LAYER}/sweeper.py",
        old="        for check in checks:\n            self.checks.put_off(check, until=until)\n",
        new="        self.checks.put_off(checks[0], until=until)\n",
        breaks="every_check_that_is_due_is_made",
    ),
    Mutant(
        name="a new conversation whose messages cannot be queued is not tracked",
        file=f"{LAYER}/sweeper.py",
        old="            self.checks.track(sid, now=self.now)\n            conversation =",
        new="            conversation =",
    ),
    Mutant(
        name="what a long outage hid is history",
        file=f"{LAYER}/turn/claim.py",
        old="told_at=min(message.at for message in delivered)",
        new="told_at=ports.clock()",
    ),
    Mutant(
        name="the wrong message group",
        file=f"{LAYER}/aws/sqs/queue.py",
        old="MessageGroupId=event.conversation_sid",
        new="MessageGroupId=deduplication_id",
    ),
    Mutant(
        name="all messages of a conversation are one",
        file=f"{LAYER}/aws/sqs/queue.py",
        old='return f"MessageAdded-{event.message_sid}"',
        new='return "MessageAdded"',
    ),
    Mutant(
        name="records come back at once",
        file=f"{LAYER}/aws/sqs/queue.py",
        old='"VisibilityTimeout": seconds',
        new='"VisibilityTimeout": 0',
    ),
    Mutant(
        name="one failed turn fails the batch",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="            return [record.message_id for record in records]\n        facts",
        new="            raise\n        facts",
    ),
    Mutant(
        name="a settled record waits for strangers",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="        if others_think and done:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a failed event waits for the visibility timeout",
        file=f"{LAYER}/aws/sqs/lifecycle_batch.py",
        old="                self.queue.return_with_backoff(returned)\n",
        new="                pass\n",
    ),
    Mutant(
        name="a failed event is overtaken by the next of its conversation",
        file=f"{LAYER}/aws/sqs/lifecycle_batch.py",
        old='                waiting.add(facts["conversation_sid"])\n',
        new="",
    ),
    Mutant(
        name="any token may have signed",
        file=f"{LAYER}/twilio/webhook/verify.py",
        old="    if not any(RequestValidator(token)",
        new="    if False and not any(RequestValidator(token)",
    ),
    Mutant(
        name="two forms, one signature",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old="    _reject_ambiguous_form(form, event_type)\n",
        new="",
    ),
    Mutant(
        name="another account's events are ours",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old='    if fields.sid("AccountSid", form.get("AccountSid"), prefix="AC") != expected.account_sid:\n',
        new="    if False:\n",
    ),
    Mutant(
        name="a decision dated in the future counts",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old='if updated and at > fields.timestamp("DateUpdated", updated) + MAX_CLOCK_SKEW:',
        new="if False:",
    ),
    Mutant(
        name="a rotated token is not read again",
        file=f"{LAYER}/twilio/webhook/read.py",
        old="        if rotated := self.secrets.refresh():\n",
        new="        if rotated := None:\n",
    ),
    Mutant(
        name="5xx is not sent",
        file=f"{LAYER}/twilio/rest/errors.py",
        old="        if error.status >= SERVER_ERROR:\n            raise Unknown(sentence) from None\n",
        new="",
    ),
    Mutant(
        name="a refused token refuses the message",
        file=f"{LAYER}/twilio/rest/errors.py",
        old="if _passes(error) or error.status in CREDENTIALS:",
        new="if _passes(error):",
    ),
    Mutant(
        name="a reset counts as not sent",
        file=f"{LAYER}/twilio/rest/http.py",
        old="            if _never_left(error):\n",
        new="            if True:\n",
    ),
    Mutant(
        name="a human's words are a customer's",
        file="functions/webhook/app.py",
        old="isinstance(happened, MessageAdded) and happened.author_role is AuthorRole.CUSTOMER",
        new="isinstance(happened, MessageAdded)",
    ),
    Mutant(
        name="trying ends by the number of tries",
        file=f"{LAYER}/turn/think.py",
        old="        if not turn.is_overdue():\n            raise\n        return _fallback(turn, str(error))\n    return Thought",
        new="        return _fallback(turn, str(error))\n    return Thought",
    ),
    Mutant(
        name="trying never ends",
        file=f"{LAYER}/turn/context.py",
        old="return self.now() - self.conversation.turn_started_at >= self.settings.answer_within",
        new="return False",
    ),
    Mutant(
        name="a verdict does not take its attempt back",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='        update.sets["attempts"] = "#attempts - :one"\n        update.values[":one"] = 1\n',
        new="",
    ),
    Mutant(
        name="the apology is said again and again",
        file=f"{LAYER}/turn/think.py",
        old='text = "" if turn.conversation.has_failed else turn.settings.fallback_sentence',
        new="text = turn.settings.fallback_sentence",
    ),
    Mutant(
        name="a failure lasts",
        file=f"{LAYER}/turn/gate.py",
        old="if conversation.owner is Owner.HUMAN and not conversation.has_failed:",
        new="if conversation.owner is Owner.HUMAN:",
    ),
    Mutant(
        name="a failure takes the conversation from a human who spoke",
        file=f"{LAYER}/turn/settle.py",
        old="    is_ours = ending.reply.ownership_epoch == turn.conversation.ownership_epoch\n",
        new="    is_ours = True\n",
    ),
    Mutant(
        name="a failure hides a human's earlier word",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='        update.sets |= {"owner": ":owner", "owner_reason": ":reason", "owner_since": ":since"}\n',
        new='        update.sets |= {"owner": ":owner", "owner_reason": ":reason", "owner_since": ":since", "owner_event_at": ":since"}\n',
    ),
    Mutant(
        name="a lost webhook below our reply is never looked for",
        file=f"{LAYER}/conversation.py",
        old="        return min([*gaps, *islice(above, 1)], default=None)\n",
        new="        return next(above, None)\n",
    ),
    Mutant(
        name="what a list did not show is looked for in every turn",
        file=f"{LAYER}/conversation.py",
        old="gap in self.looked or gap in not_found",
        new="gap in self.looked",
    ),
    Mutant(
        name="what a list showed counts as not found",
        file=f"{LAYER}/turn/messages.py",
        old="    return frozenset(range(from_index, max(shown, default=-1))) - shown\n",
        new="    return frozenset(range(from_index, max(shown, default=-1) + 1))\n",
    ),
    Mutant(
        name="a reply that never left is tried for ever",
        file=f"{LAYER}/turn/resume.py",
        old="    return turn.now() - reply.frozen_at >= turn.settings.max_event_age\n",
        new="    return False\n",
    ),
    Mutant(
        name="a reply that may have left expires",
        file=f"{LAYER}/turn/resume.py",
        old="TurnOutcome.UNSURE if sent or any(reply.send_attempts) else TurnOutcome.EXPIRED",
        new="TurnOutcome.EXPIRED",
    ),
    Mutant(
        name="the looks do not become rarer",
        file=f"{LAYER}/turn/timing.py",
        old="return LOOK_INTERVALS[min(looks, len(LOOK_INTERVALS) - 1)]",
        new="return LOOK_INTERVALS[0]",
    ),
    Mutant(
        name="a look that kills its workers is repeated",
        file=f"{LAYER}/turn/resume.py",
        old="    if turn.is_out_of_attempts():  # decided before anything is listed: the look itself may be what kills the workers\n",
        new="    if False:\n",
    ),
    Mutant(
        name="a reply that never left is unsure where workers died over it",
        file=f"{LAYER}/turn/resume.py",
        old="_outcome_when_over(reply, {}))\n    if turn.now() <",
        new="TurnOutcome.UNSURE)\n    if turn.now() <",
        breaks="nobody_waits_for_a_human_who_has_no_message",
    ),
    Mutant(
        name="the table: workers that died before the freeze end the reply",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='    update.sets["attempts"] = ":one"\n    update.values[":one"] = 1\n',
        new="",
    ),
    Mutant(
        name="what a void reply leaves is forgotten",
        file=f"{LAYER}/turn/resume.py",
        old="        unanswered = _after_the_last_human_word(turn, reply, listed)\n",
        new="        unanswered = frozenset[int]()\n",
    ),
    Mutant(
        name="a message grows too old while it is tried",
        file=f"{LAYER}/turn/gate.py",
        old="    if conversation.turn_started_at - _newest(turn) > turn.settings.max_event_age:\n",
        new="    if turn.now() - _newest(turn) > turn.settings.max_event_age:\n",
    ),
    Mutant(
        name="what is handed back after an hour is too old",
        file=f"{LAYER}/turn/gate.py",
        old="max(message.at, turn.conversation.handed_back_at) if message.index in requeued else message.at",
        new="message.at",
    ),
    Mutant(
        name="an expired reply is no dead letter",
        file=f"{LAYER}/turn/record.py",
        old="frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED})",
        new="frozenset({TurnOutcome.FELL_BACK})",
    ),
    Mutant(
        name="a list that fails stops a turn for ever",
        file=f"{LAYER}/turn/gather.py",
        old="        if not turn.is_overdue() or not known:  # where nothing is known, nobody could be told of it\n            raise\n        return gathered\n",
        new="        raise\n",
    ),
    Mutant(
        name="a turn recorded as void stays void",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="            self._change_outcome(sid, record)\n",
        new="            pass\n",
    ),
    Mutant(
        name="a hand back undoes a newer handoff",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='NEWER_HAND_BACK = f"{NEWER} AND (attribute_not_exists(#owner_since) OR #owner_since < :at)"',
        new="NEWER_HAND_BACK = NEWER",
    ),
    Mutant(
        name="a hand back by time although somebody has changed the conversation since",
        file=f"{LAYER}/aws/dynamodb/lifecycle_store.py",
        old="        update = handing_back(conversation, now)\n",
        new='        update = handing_back(conversation, now)\n        update.condition = "#fencing_token >= :our_fencing_token"\n',
    ),
    Mutant(
        name="a hand back by time over a human's word that the list shows",
        file=f"{LAYER}/sweeper.py",
        old="        if any(message.index in waits or message.at > self.now - rule.after for message in humans):\n",
        new="        if any(message.index not in waits and message.at > self.now - rule.after for message in humans):\n",
    ),
    Mutant(
        name="at equal times the assistant wins",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='NEWER_TAKEOVER = f"({NEWER} OR (#owner_event_at = :at AND #owner = :assistant))"',
        new='NEWER_TAKEOVER = f"({NEWER} OR (#owner_event_at = :at AND #owner <> :assistant AND #owner = :assistant))"',
    ),
    Mutant(
        name="a model that refuses our key for a minute costs the answer",
        file=f"{LAYER}/errors.py",
        old="class ModelMisconfigured(Transient):",
        new="class ModelMisconfigured(Permanent):",
    ),
    Mutant(
        name="an outage that outlasts a turn mutes the conversation",
        file=f"{LAYER}/turn/gate.py",
        old="    if conversation.closed:\n",
        new="    if conversation.closed or conversation.has_failed:\n",
    ),
    Mutant(
        name="what a look has found is sent again",
        file=f"{LAYER}/turn/resume.py",
        old="    sent = dict(found)\n",
        new="    sent = dict(found[:0])\n",
    ),
    Mutant(
        name="an outage of the table uses up SQS's deliveries",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="deliveries=max(record.receives for record in records)",
        new="deliveries=1",
    ),
)
SAMPLE = (
    "R4 a pending reply survives a takeover",
    "R5 a resend is not counted",
    "freeze after send",
    "a swallowed error",
)


def is_noticed(mutant: Mutant | None) -> bool:
    """Break the project in a copy, and tell whether the mutant's tests notice. None breaks nothing, for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("layers", "functions", "local", "twilio_emulator", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        if mutant is None:
            return _failures(copy, *sorted({path for paths in NOTICED_BY.values() for path in paths})) != ""
        file = copy / mutant.file
        file.write_text(file.read_text().replace(mutant.old, mutant.new))
        if mutant.breaks:  # not `-x`: another test may be the first to notice
            return any(mutant.breaks in _failures(copy, path) for path in mutant.tests)
        return any(_failures(copy, "-x", path) for path in mutant.tests)


def _failures(copy: Path, *arguments: str) -> str:
    """Return what pytest prints where tests fail, else nothing. Where they cannot even run: `RuntimeError`."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 -- our own tests
    if done.returncode not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout if done.returncode == pytest.ExitCode.TESTS_FAILED else ""
