"""A turn from its answer on: freeze, send, record, settle, resume, and their times."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="R3 the fallback leaves no dead letter",
        file=f"{LAYER}/turn/record.py",
        old="        turn.ports.dead_letters.copy(dead_letters(turn, ending.reply.covers), turn=ending.reply.turn)\n",
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
        name="freeze after send",
        file=f"{LAYER}/turn/freeze.py",
        old="    turn.ports.conversations.freeze(turn.conversation, reply)\n",
        new="",
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
        name="a handoff does not hand off",
        file=f"{LAYER}/turn/settle.py",
        old="    return OwnerReason.HANDOFF if ending.reply.kind is ReplyKind.HANDOFF else OwnerReason.FAILURE\n",
        new="    return None if ending.reply.kind is ReplyKind.HANDOFF else OwnerReason.FAILURE\n",
    ),
    Mutant(
        name="what a human owns is not left to them",
        file=f"{LAYER}/turn/settle.py",
        old="left_to_human=refused.covers if refused.rule is RefusalRule.HUMAN else frozenset(),",
        new="left_to_human=frozenset(),",
    ),
    Mutant(
        name="a failure takes the conversation from a human who spoke",
        file=f"{LAYER}/turn/settle.py",
        old="    is_ours = ending.reply.ownership_epoch == turn.conversation.ownership_epoch\n",
        new="    is_ours = True\n",
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
        name="what a void reply leaves is forgotten",
        file=f"{LAYER}/turn/resume.py",
        old="        unanswered = _after_the_last_human_word(turn, reply, listed)\n",
        new="        unanswered = frozenset[int]()\n",
    ),
    Mutant(
        name="an expired reply is no dead letter",
        file=f"{LAYER}/turn/record.py",
        old="frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED})",
        new="frozenset({TurnOutcome.FELL_BACK})",
    ),
    Mutant(
        name="what a look has found is sent again",
        file=f"{LAYER}/turn/resume.py",
        old="    sent = dict(found)\n",
        new="    sent = dict(found[:0])\n",
    ),
    Mutant(
        name="a reply that never left is unsure where workers died over it",
        file=f"{LAYER}/turn/resume.py",
        old="_outcome_when_over(reply, {}))\n    if turn.now() <",
        new="TurnOutcome.UNSURE)\n    if turn.now() <",
    ),
    Mutant(
        name="a turn stands in the history where its first message does",
        file=f"{LAYER}/turn/record.py",
        old="index=max(turn.conversation.coverage.low_watermark, *covers),",
        new="index=min(covers),",
    ),
    Mutant(
        name="what was too old is answered by no redrive",
        file=f"{LAYER}/turn/settle.py",
        old="        failed=refused.covers if refused.rule is RefusalRule.TOO_OLD else frozenset(),\n",
        new="",
    ),
    Mutant(
        name="a redrive answers what a human spoke to while it failed",
        file=f"{LAYER}/turn/settle.py",
        old="if ending.outcome in _FAILED and not human_spoke else frozenset()",
        new="if ending.outcome in _FAILED or (ending.outcome in _FAILED and human_spoke) else frozenset()",
    ),
    Mutant(
        name="a hand back answers a failure of weeks ago",
        file=f"{LAYER}/turn/settle.py",
        old="    if ending.outcome is not TurnOutcome.ANSWERED:\n",
        new="    if ending.outcome is not TurnOutcome.ANSWERED or ending.sent:\n",
    ),
    Mutant(
        name="a redrive that needs no answer says nothing",
        file=f"{LAYER}/turn/settle.py",
        old="    return replace(result, redrives_skipped=_redrives_skipped(turn))\n",
        new="    return result\n",
    ),
    Mutant(
        name="what a redrive has answered, a redrive answers again",
        file=f"{LAYER}/turn/settle.py",
        old="_FAILED = frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED})",
        new="_FAILED = frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED, TurnOutcome.ANSWERED})",
    ),
    Mutant(
        name="a reply is looked for beyond a number that no message has",
        file=f"{LAYER}/turn/resume.py",
        old="coverage.low_watermark + 1 if coverage.is_far(index) else index for index",
        new="index for index",
    ),
)
