"""What gets no answer: reactions, loops, whoever is not in the trial, and what the assistant leaves unanswered."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="a text beside a voice note gets no answer of the agent",
        file=f"{LAYER}/turn/think.py",
        old="all(message.is_voice_note for message in turn.messages)",
        new="any(message.is_voice_note for message in turn.messages)",
    ),
    Mutant(
        name="a reaction gets an answer",
        file=f"{LAYER}/turn/gate.py",
        old="    if _are_reactions(turn):\n",
        new="    if False:\n",
    ),
    Mutant(
        name="a 👍 to a question of ours gets no answer",
        file=f"{LAYER}/turn/gate.py",
        old="    return last.asks or conversation",
        new="    return conversation",
    ),
    Mutant(
        name="a reaction takes the text beside it along",
        file=f"{LAYER}/turn/gate.py",
        old="        if reaction is None or asks(reaction.quoted):\n            return False\n",
        new="        if reaction is None or asks(reaction.quoted):\n            continue\n",
    ),
    Mutant(
        name="a 👍 to somebody else's words is one to ours",
        file=f"{LAYER}/turn/gate.py",
        old=" or conversation.human_spoke_at > last.settled_at or was_another\n",
        new="\n",
    ),
    Mutant(
        name="what nobody has read is refused by its words",
        file=f"{LAYER}/turn/gate.py",
        old="turn.shown_indices() if rule in _GO_BY_WORDS else turn.waiting_indices()",
        new="turn.waiting_indices()",
    ),
    Mutant(
        name="a tapback is known by its first word",
        file=f"{LAYER}/reactions.py",
        old="        words <= known\n        and",
        new="        bool(words & known)\n        and",
    ),
    Mutant(
        name="an emoji that says something is a reaction",
        file=f"{LAYER}/reactions.py",
        old="        return None if _SAYS_SOMETHING.search(visible) else Reaction()\n",
        new="        return Reaction()\n",
    ),
    Mutant(
        name="two machines go on for ever",
        file=f"{LAYER}/turn/gate.py",
        old="    if pause:\n        return RefusalRule.LOOP\n",
        new="",
    ),
    Mutant(
        name="a running number makes another text",
        file=f"{LAYER}/loops.py",
        old='return "" if _DIGIT.search(token.group()) else token.group()',
        new="return token.group()",
    ),
    Mutant(
        name="a menu is a loop",
        file=f"{LAYER}/loops.py",
        old="MIN_CHARACTERS = 20 ",
        new="MIN_CHARACTERS = 2 ",
    ),
    Mutant(
        name="four numbers are one text",
        file=f"{LAYER}/loops.py",
        old=" or len(without_numbers) < MIN_CHARACTERS_BESIDE_NUMBERS:",
        new=":",
    ),
    Mutant(
        name="a text that comes again after an hour is a machine's",
        file=f"{LAYER}/loops.py",
        old="ANSWERS_WITHIN = timedelta(seconds=60)",
        new="ANSWERS_WITHIN = timedelta(hours=1)",
    ),
    Mutant(
        name="a reply that was sent long before its settle causes nothing",
        file=f"{LAYER}/loops.py",
        old="return self.frozen_at - MAX_CLOCK_DIFFERENCE",
        new="return self.settled_at - MAX_CLOCK_DIFFERENCE",
    ),
    Mutant(
        name="two machines with new words each time go on for ever",
        file=f"{LAYER}/loops.py",
        old="    if len(recent) >= max_turns:\n",
        new="    if False:\n",
    ),
    Mutant(
        name="a pause is never longer than the first",
        file=f"{LAYER}/loops.py",
        old="        return self.since + min(FIRST_PAUSE * (1 << min(self.times - 1, 10)), MAX_PAUSE)\n",
        new="        return self.since + FIRST_PAUSE\n",
    ),
    Mutant(
        name="a phone that answers by itself silences its owner",
        file=f"{LAYER}/loops.py",
        old="        return not self.texts or text in self.texts\n",
        new="        return True\n",
    ),
    Mutant(
        name="a hand back does not end the pause",
        file=f"{LAYER}/turn/gate.py",
        old="        since=conversation.handed_back_at,\n",
        new="        since=conversation.first_seen_at,\n",
    ),
    Mutant(
        name="a reply of unknown fate is none that a machine answers",
        file=f"{LAYER}/turn/settle.py",
        old="    if not ending.sent and ending.outcome is not TurnOutcome.UNSURE:\n",
        new="    if not ending.sent:\n",
    ),
    Mutant(
        name="the trial is open to everybody",
        file=f"{LAYER}/turn/gate.py",
        old="    if not _is_in_trial(turn):\n",
        new="    if False:\n",
    ),
    Mutant(
        name="an assistant that says nothing is asked again",
        file=f"{LAYER}/turn/think.py",
        old="    if not answer.text.strip() and not answer.no_reply and not answer.opt_out:\n",
        new="    if not answer.text.strip():\n",
    ),
    Mutant(
        name="the table charges nobody for silence",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="*(self.budgets.charges(record) if record.rule == RefusalRule.NO_REPLY else ()),",
        new="",
    ),
    Mutant(
        name="the table forgets our last replies",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old="    if settlement.recent_replies:\n",
        new="    if False:\n",
    ),
    Mutant(
        name="the table forgets a pause",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="        if loop_pause:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="WhatsApp is sent what it refuses",
        file=f"{LAYER}/turn/gate.py",
        old="    if _is_window_closed(turn):\n",
        new="    if False:\n",
    ),
    Mutant(
        name="WhatsApp's window holds on every channel",
        file=f"{LAYER}/turn/gate.py",
        old="turn.channel() is Channel.WHATSAPP and",
        new="turn.channel() is not Channel.OTHER and",
    ),
)
