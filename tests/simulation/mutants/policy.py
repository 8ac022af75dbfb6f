"""What stands above the turn: a conversation's rules, lifecycle events, the sweeper, the classes of errors, operators."""

from tests.simulation.mutants.mutant import LAYER, Mutant

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
        old="failures = (failed, *self._put_off(checks, due, error))",
        new="failures = (failed,)",
    ),
    Mutant(
        name="a sweep makes only the first check that is due",
        file=f"{LAYER}/sweeper.py",
        old="return list(by_conversation.values())[:limit]",
        new="return list(by_conversation.values())[:1]",
    ),
    Mutant(
        name="a lost webhook below our reply is never looked for",
        file=f"{LAYER}/conversation.py",
        old="return min([*gaps, *again, *islice(above, 1)], default=None)",
        new="return min([*again, *islice(above, 1)], default=None)",
    ),
    Mutant(
        name="what waits again is answered after what came later",
        file=f"{LAYER}/conversation.py",
        old="        return min([*gaps, *again, *islice(above, 1)], default=None)\n",
        new="        return min([*gaps, *islice(above, 1)], default=None)\n",
    ),
    Mutant(
        name="what a list did not show is looked for in every turn",
        file=f"{LAYER}/conversation.py",
        old="(self.looked | not_found)",
        new="self.looked",
    ),
    Mutant(
        name="a hand back by time over a human's word that the list shows",
        file=f"{LAYER}/sweeper.py",
        old="        if any(message.index in waits or message.at > self.now - rule.after for message in humans):\n",
        new="        if any(message.index not in waits and message.at > self.now - rule.after for message in humans):\n",
    ),
    Mutant(
        name="a model that refuses our key for a minute costs the answer",
        file=f"{LAYER}/errors.py",
        old="class ModelMisconfigured(Transient):",
        new="class ModelMisconfigured(Permanent):",
    ),
    Mutant(
        name="who took a conversation from a dead worker is a suspect",
        file=f"{LAYER}/conversation.py",
        old="        return bool(self.lease_token) and self.lease_fencing_token == self.fencing_token\n",
        new="        return bool(self.lease_token)\n",
    ),
    Mutant(
        name="of two checks of a conversation that fail, one stays due",
        file=f"{LAYER}/sweeper.py",
        old="        for check in checks:\n            self.checks.put_off(check, until=until)\n",
        new="        self.checks.put_off(checks[0], until=until)\n",
    ),
    Mutant(
        name="a new conversation whose messages cannot be queued is not tracked",
        file=f"{LAYER}/sweeper.py",
        old="            self.checks.track(sid, now=self.now)\n            conversation =",
        new="            conversation =",
    ),
    Mutant(
        name="the sweeper leaves a human's word to the queue",
        file=f"{LAYER}/sweeper.py",
        old="            self.takeovers.take_over(word.conversation_sid, index=word.index, at=word.at)\n",
        new="            pass\n",
    ),
    Mutant(
        name="a human's own phone is a customer's",
        file=f"{LAYER}/author.py",
        old="if any(pattern.fullmatch(author) for pattern in self.human_addresses):",
        new="if False:",
    ),
    Mutant(
        name="what no human wrote is a takeover",
        file=f"{LAYER}/author.py",
        old="if not author or author in self.system_authors:",
        new="if not author:",
    ),
    Mutant(
        name="a hand back overlooks the human's word that its list shows",
        file=f"{LAYER}/lifecycle.py",
        old="message.author_role is AuthorRole.HUMAN and message.at >= event.at",
        new="False",
    ),
    Mutant(
        name="what a human said is not kept",
        file=f"{LAYER}/lifecycle.py",
        old="            conversations.keep_notes(sid, notes_of([event]))  # first",
        new="            conversations.keep_notes(sid, [])  # first",
    ),
    Mutant(
        name="the newest messages are cut first",
        file=f"{LAYER}/tokens.py",
        old="    for text in reversed(texts):\n",
        new="    for text in texts:\n",
    ),
    Mutant(
        name="what tools return has no limit",
        file=f"{LAYER}/agents/history.py",
        old="    shown = cut_longest([_text_of(part) for part in returned], MAX_TOOL_TOKENS)\n",
        new="    shown = [_text_of(part) for part in returned]\n",
    ),
    Mutant(
        name="a customer can write a human's note",
        file=f"{LAYER}/agents/history.py",
        old='    return _LIKE_A_TAG.sub("(", text)\n',
        new="    return text\n",
    ),
    Mutant(
        name="a redriven message is as old as it was",
        file=f"{LAYER}/conversation.py",
        old="        return max(self.handed_back_at, self.redriven_at)\n",
        new="        return self.handed_back_at\n",
    ),
)
