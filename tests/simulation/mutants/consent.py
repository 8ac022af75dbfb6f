"""Consent: from STOP to START nobody thinks and nothing is sent, and each is confirmed once."""

from tests.simulation.mutants.mutant import LAYER, Mutant

CONSENT = f"{LAYER}/turn/consent.py"
VALUES = f"{LAYER}/consent.py"
MEMORY = f"{LAYER}/stores/memory.py"
TABLE = f"{LAYER}/aws/dynamodb/consents.py"

MUTANTS = (
    Mutant(
        name="an opt-out does not raise the fencing token",
        file=MEMORY,
        old="                fencing_token=item.fencing_token + 1,\n                attempts=0,\n                first_seen_at=_first_seen(item, change.at),\n",
        new="                first_seen_at=_first_seen(item, change.at),\n",
        breaks="from_stop_to_start_nothing_is_sent",
    ),
    Mutant(
        name="an opt-out does not raise the fencing token in the table",
        file=TABLE,
        old="raise_fencing_token(change.at) if after.differs_from(before) else Update()",
        new="Update()",
    ),
    Mutant(
        name="an opt-out changes the ownership epoch",
        file=TABLE,
        old='    update.sets.pop("ownership_epoch", None)  # who owns it stays\n',
        new="",
    ),
    Mutant(
        name="a word in a delivered message is applied by the lifecycle function alone",
        file=f"{LAYER}/turn/take_turn.py",
        old="    apply_consent(turn, turn.delivered)\n",
        new="",
        breaks="the_last_word_of_consent_holds",
    ),
    Mutant(
        name="an opt-out that a list shows is not applied",
        file=f"{LAYER}/turn/messages.py",
        old="    apply_consent(turn, listed)\n",
        new="",
        breaks="from_stop_to_start_nothing_is_sent",
    ),
    Mutant(
        name="a turn goes on after a word of consent",
        file=CONSENT,
        old="    if consent.differs_from(turn.conversation.consent):\n",
        new="    if False:\n",
        breaks="from_stop_to_start_nobody_thinks",
    ),
    Mutant(
        name="whoever has opted out is answered",
        file=CONSENT,
        old="        covers, rule = (waiting & turn.shown_indices()) or waiting, RefusalRule.OPT_OUT\n",
        new="        covers, rule = waiting & {consent.changed_by}, RefusalRule.OPT_OUT\n",
        breaks="from_stop_to_start_nobody_thinks",
    ),
    Mutant(
        name="what was written before an opt-in is thought about",
        file=CONSENT,
        old="index for index in waiting if index <= consent.changed_by)",
        new="index for index in waiting if index == consent.changed_by)",
        breaks="from_stop_to_start_nobody_thinks",
    ),
    Mutant(
        name="a frozen reply is sent again after an opt-out",
        file=f"{LAYER}/turn/resume.py",
        old="    if turn.conversation.consent.opted_out is not (reply.kind is ReplyKind.OPT_OUT):\n",
        new="    if reply.kind is ReplyKind.OPT_OUT and not turn.conversation.consent.opted_out:\n",
        breaks="from_stop_to_start_nothing_is_sent",
    ),
    Mutant(
        name="an opt-out is confirmed after it was taken back",
        file=f"{LAYER}/turn/resume.py",
        old="    if turn.conversation.consent.opted_out is not (reply.kind is ReplyKind.OPT_OUT):\n",
        new="    if turn.conversation.consent.opted_out and reply.kind is not ReplyKind.OPT_OUT:\n",
        breaks="from_stop_to_start_nothing_is_sent",
    ),
    Mutant(
        name="a word that says what is known is not noted",
        file=VALUES,
        old="            return self if change.index is None else replace(self, index=change.index)\n",
        new="            return self\n",
    ),
    Mutant(
        name="an opt-out that comes after what takes it back ends nothing",
        file=VALUES,
        old="            return replace(self, changed_by=self.index) if is_over else self\n",
        new="            return self\n",
    ),
    Mutant(
        name="what the carrier tells counts whatever its time",
        file=VALUES,
        old="            is_newer = change.at > self.at\n",
        new="            is_newer = True\n",
    ),
    Mutant(
        name="a second word opts out anew",
        file=VALUES,
        old="        if change.opted_out is self.opted_out:\n",
        new="        if change.index is None and change.opted_out is self.opted_out:\n",
    ),
    Mutant(
        name="two writers of consent do not see each other",
        file=TABLE,
        old='    update.condition = " AND ".join(conditions)\n',
        new='    update.values = {name: value for name, value in update.values.items() if not name.startswith(":was_")}\n',
    ),
    Mutant(
        name="the next conversation does not know of an opt-out",
        file=f"{LAYER}/turn/take_turn.py",
        old="    inherit_consent(turn)\n",
        new="",
    ),
    Mutant(
        name="an older word replaces a newer one in the ledger",
        file=TABLE,
        old='ConditionExpression="attribute_not_exists(pk) OR #at <= :at"',
        new='ConditionExpression="attribute_not_exists(pk) OR #at <> :at"',
    ),
    Mutant(
        name="the ledger is not written",
        file=TABLE,
        old="            _keep(table, item, change)\n        try:\n",
        new="            pass\n        try:\n",
    ),
    Mutant(
        name="an opt-out waits behind the turn that thinks",
        file="functions/webhook/app.py",
        old="    if not by_customer or opts_out(happened):",
        new="    if not by_customer:",
    ),
    Mutant(
        name="an opt-out waits behind the turn of a web process",
        file=f"{LAYER}/worker.py",
        old="        if opts_out(event):",
        new="        if False:",
    ),
    Mutant(
        name="an opt-out that the sweeper finds waits behind the turn",
        file=f"{LAYER}/sweeper.py",
        old="[*by_others, *filter(opts_out, by_customer)]",
        new="by_others",
    ),
    Mutant(
        name="Twilio's keyword is confirmed twice",
        file=CONSENT,
        old="    if is_quiet or consent.by_twilio:\n",
        new="    if is_quiet:\n",
    ),
    Mutant(
        name="a confirmation is said in a loop",
        file=CONSENT,
        old="    if is_quiet or consent.by_twilio:\n",
        new="    if consent.by_twilio:\n",
    ),
    Mutant(
        name="STOP with words beside it opts out",
        file=VALUES,
        old="    return _WORDS.get(plain) or",
        new='    return _WORDS.get(plain.partition(" ")[0]) or',
    ),
    Mutant(
        name="a confirmation uses up the budget",
        file=f"{LAYER}/aws/dynamodb/budget_store.py",
        old="        if record.kind in {ReplyKind.OPT_OUT, ReplyKind.OPT_IN}:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a reply that an opt-out ended makes a human the owner",
        file=f"{LAYER}/conversation.py",
        old="    return kind in RULE_OF_KIND or rule == RefusalRule.OPTED_OUT\n",
        new="    return kind in RULE_OF_KIND\n",
    ),
    Mutant(
        name="a turn that has all messages from the first on reads no history, whoever spoke since",
        file=f"{LAYER}/turn/context.py",
        old="        return is_alone and not self.needs_no_answer and waiting",
        new="        return self.conversation.coverage.low_watermark < 0 and waiting",
        breaks="the_history_shows_everything_once",
    ),
    Mutant(
        name="a human writes to a customer who has opted out",
        file=f"{LAYER}/operators.py",
        old="        if self.conversations.has_opted_out(conversation_sid):\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a human writes a text that WhatsApp does not take",
        file=f"{LAYER}/operators.py",
        old="        if content is None:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a provider sends a text that WhatsApp does not take",
        file=f"{LAYER}/provider.py",
        old="        if content is None:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a provider sends no template where WhatsApp takes nothing else",
        file=f"{LAYER}/provider.py",
        old="        if content is None:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="WhatsApp's window is open at exactly 24 hours",
        file=f"{LAYER}/twilio/rest/messages.py",
        old="if message.at > since}",
        new="if message.at >= since}",
    ),
    Mutant(
        name="one open window of several customers is enough",
        file=f"{LAYER}/twilio/rest/messages.py",
        old="if not {each.address, each.identity} & wrote]",
        new="if not wrote]",
    ),
    Mutant(
        name="a look before a send that failed leaves open whether something was sent",
        file=f"{LAYER}/twilio/rest/messages.py",
        old="        with nothing_left():\n",
        new="        if True:\n",
    ),
    Mutant(
        name="a provider sends to a customer who has opted out",
        file=f"{LAYER}/provider.py",
        old="        if self._worker and self._worker.store.lifecycle.has_opted_out(sid):\n",
        new="        if False:\n",
    ),
    Mutant(
        name="an opt-in that nobody could read ends unread",
        file=CONSENT,
        old="(waiting & turn.shown_indices()) or waiting, RefusalRule.OPT_OUT\n",
        new="waiting, RefusalRule.OPT_OUT\n",
    ),
    Mutant(
        name="an opt-in that comes first in a conversation is taken for none",
        file=f"{LAYER}/turn/take_turn.py",
        old="    inherit_consent(turn)\n    apply_consent(turn, turn.delivered)\n",
        new="    apply_consent(turn, turn.delivered)\n    inherit_consent(turn)\n",
    ),
    Mutant(
        name="a yes opts in whoever has opted out",
        file=VALUES,
        old="    if is_yes and consent.opted_out and consent.by_twilio:\n",
        new="    if is_yes and consent.opted_out:\n",
    ),
    Mutant(
        name="a confirmation is sent where WhatsApp refuses it",
        file=f"{LAYER}/turn/gate.py",
        old="is_quiet=pause is not None or _is_window_closed(turn)",
        new="is_quiet=pause is not None",
    ),
)
