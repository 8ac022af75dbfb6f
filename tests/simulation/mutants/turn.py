"""A turn up to its answer: claim, gather, gate, think, and how the steps are put together."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="R3 attempts without end",
        file=f"{LAYER}/turn/context.py",
        old="return self.conversation.attempts > self.settings.max_attempts",
        new="return self.conversation.attempts > 1000",
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
        name="R12 a human in a list is overlooked",
        file=f"{LAYER}/turn/messages.py",
        old="        if message.author_role is AuthorRole.HUMAN\n",
        new="        if message.author_role is AuthorRole.SYSTEM\n",
    ),
    Mutant(
        name="R15 the rules come before the drop",
        file=f"{LAYER}/turn/gate.py",
        old="    if not turn.waiting_indices():\n        return Dropped()\n    pause = _loop_pause(turn)\n    rule = _rule(turn, pause)\n",
        new="    pause = _loop_pause(turn)\n    rule = _rule(turn, pause)\n    if not turn.waiting_indices() and not rule:\n        return Dropped()\n",
    ),
    Mutant(
        name="settle before send",
        file=f"{LAYER}/turn/take_turn.py",
        old="        step = send(turn, step)\n",
        new='        settle(turn, Ended(reply=step.reply, sent={}, outcome="answered"))\n        step = send(turn, step)\n',
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
        old="    return _refused(turn, rule, pause) if rule else None\n",
        new="    return None\n",
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
        name="trying ends by the number of tries",
        file=f"{LAYER}/turn/think.py",
        old="        if not turn.is_overdue():\n            raise\n        return _fallback(turn, str(error))\n    if answer.no_reply:",
        new="        return _fallback(turn, str(error))\n    if answer.no_reply:",
    ),
    Mutant(
        name="trying never ends",
        file=f"{LAYER}/turn/context.py",
        old="return self.now() - self.conversation.turn_started_at >= self.settings.answer_within",
        new="return False",
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
        name="what a list showed counts as not found",
        file=f"{LAYER}/turn/messages.py",
        old="    return frozenset(range(from_index, max(shown, default=-1))) - shown\n",
        new="    return frozenset(range(from_index, max(shown, default=-1) + 1))\n",
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
        name="a list that fails stops a turn for ever",
        file=f"{LAYER}/turn/gather.py",
        old="        if not turn.is_overdue() or not known:  # where nothing is known, nobody could be told of it\n            raise\n        return gathered\n",
        new="        raise\n",
    ),
    Mutant(
        name="an outage that outlasts a turn mutes the conversation",
        file=f"{LAYER}/turn/gate.py",
        old="    if conversation.closed:\n",
        new="    if conversation.closed or conversation.has_failed:\n",
    ),
    Mutant(
        name="the others think as long as their lease",
        file=f"{LAYER}/turn/think.py",
        old="time_left = turn.done_by - turn.now()",
        new="time_left = turn.lease_until - turn.now()",
    ),
    Mutant(
        name="what a long outage hid is history",
        file=f"{LAYER}/turn/claim.py",
        old="told_at=min(message.at for message in delivered)",
        new="told_at=ports.clock()",
    ),
)
