"""A turn from its answer on: freeze, send, record, settle, resume, and their times."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="R3 the fallback leaves no dead letter",
        file=f"{LAYER}/turn/record.py",
        old="        turn.ports.dead_letters.copy(dead_letters(turn, ending.reply.covers), turn=ending.reply.turn)\n",
        new="",
        breaks="nobody_waits_for_a_human_who_has_no_message",
    ),
    Mutant(
        name="R4 a pending reply survives a takeover",
        file=f"{LAYER}/turn/resume.py",
        old="    if reply.ownership_epoch != turn.conversation.ownership_epoch and not",
        new="    if reply.ownership_epoch > turn.conversation.ownership_epoch and not",
        breaks="nobody_speaks_over_a_human",
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
        old="            if part != missing[0] or media_sid:\n",
        new="            if media_sid:\n",
    ),
    Mutant(
        name="R9 the fencing token is not read after an upload",
        file=f"{LAYER}/turn/send.py",
        old="            if part != missing[0] or media_sid:\n",
        new="            if part != missing[0]:\n",
    ),
    Mutant(
        name="a file is sent again without another upload",
        file=f"{LAYER}/turn/send.py",
        old='            media_sid = _upload(turn, reply.file_of(part)) if reply.file_of(part) else ""\n',
        new=(
            '            media_sid = ""\n'
            "            if reply.file_of(part):\n"
            "                global KEPT\n"
            '                KEPT = media_sid = globals().get("KEPT") or _upload(turn, reply.file_of(part))\n'
        ),
    ),
    Mutant(
        name="an upload that is lost may have been sent",
        file=f"{LAYER}/twilio/rest/media.py",
        old="        raise NotSent(str(error)) from None\n",
        new="        raise\n",
    ),
    Mutant(
        name="R11 a POST starts with no lease left",
        file=f"{LAYER}/turn/send.py",
        old="if turn.lease_until - turn.now() < needed:",
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
        old="    turn.ports.conversations.freeze(conversation, reply, remembered=thought.remembered)\n",
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
        breaks="a_failure_never_takes_a_conversation_from_a_human",
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
        name="a look knows only the human words that its list shows",
        file=f"{LAYER}/turn/resume.py",
        old="max([turn.conversation.human_spoke_index, *words])",
        new="max(words, default=-1)",
    ),
    Mutant(
        name="what a void reply leaves is forgotten",
        file=f"{LAYER}/turn/resume.py",
        old="        unanswered = _after_the_last_human_word(turn, reply, listed)\n",
        new="        unanswered = frozenset[int]()\n",
        breaks="every_message_has_an_end",
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
        breaks="no_part_is_there_twice",
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
        old="        failed=refused.covers if refused.rule in NEEDS_A_HUMAN else frozenset(),\n",
        new="",
    ),
    Mutant(
        name="a redrive answers what a human spoke to while it failed",
        file=f"{LAYER}/turn/settle.py",
        old="if ending.outcome in _FAILED and not human_spoke else frozenset()",
        new="if ending.outcome in _FAILED or (ending.outcome in _FAILED and human_spoke) else frozenset()",
    ),
    Mutant(
        name="a redrive answers no failure after a hand back, if a human spoke since the turn began",
        file=f"{LAYER}/turn/settle.py",
        old="conversation.human_spoke_at >= max(conversation.turn_started_at, conversation.handed_back_at)",
        new="conversation.human_spoke_at >= conversation.turn_started_at",
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
        breaks="no_message_is_answered_twice",
    ),
    Mutant(
        name="a reply is looked for beyond a number that no message has",
        file=f"{LAYER}/turn/resume.py",
        old="coverage.low_watermark + 1 if coverage.is_far(index) else index for index",
        new="index for index",
    ),
    Mutant(
        name="every refusal counts as one message",
        file=f"{LAYER}/turn/settle.py",
        old="        messages=len(refused.covers),\n",
        new="        messages=1,\n",
    ),
    Mutant(
        name="a part has 1,601 characters",
        file=f"{LAYER}/channels/split.py",
        old="MAX_PART_CHARACTERS = 1600 ",
        new="MAX_PART_CHARACTERS = 1601 ",
    ),
    Mutant(
        name="a segment of several holds 160 characters",
        file=f"{LAYER}/channels/segments.py",
        old="_GSM_7_SEPTETS = (160, 153)",
        new="_GSM_7_SEPTETS = (160, 160)",
    ),
    Mutant(
        name="look-alikes replace whether they save a segment or not",
        file=f"{LAYER}/channels/sms.py",
        old="    return min(parts, replaced, key=_cost)\n",
        new="    return replaced\n",
    ),
    Mutant(
        name="an accent is cut from its letter",
        file=f"{LAYER}/channels/graphemes.py",
        old="    return _ends_cluster(text, index) and not (joins_consonants and text[index].isalpha())\n",
        new="    return True\n",
    ),
    Mutant(
        name="a link is cut",
        file=f"{LAYER}/channels/spans.py",
        old="        return not any(span.start < index < span.end and span.start > first for span in self.spans)\n",
        new="        return True\n",
    ),
    Mutant(
        name="of two channels, the one that carries most is written for",
        file=f"{LAYER}/channels/channel.py",
        old="    return min(channels, ",
        new="    return max(channels, ",
    ),
    Mutant(
        name="the assistant is shown what its channel made of its words",
        file=f"{LAYER}/turn/freeze.py",
        old='        text="" if parts == (text,) else text,\n',
        new='        text="",\n',
    ),
)
