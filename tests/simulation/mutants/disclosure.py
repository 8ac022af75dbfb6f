"""The disclosure: in the first text of a conversation, put there at freeze, once."""

from tests.simulation.mutants.mutant import LAYER, Mutant

FREEZE = f"{LAYER}/turn/freeze.py"
SETTLE = f"{LAYER}/turn/settle.py"

MUTANTS = (
    Mutant(
        name="the disclosure is put in at send, and not frozen",
        file=FREEZE,
        old="    turn.ports.conversations.freeze(conversation, reply, remembered=thought.remembered)\n",
        new="    stored = (parts[0].removeprefix(disclosure).lstrip(), *parts[1:]) if parts else ()\n"
        "    turn.ports.conversations.freeze(conversation, replace(reply, parts=stored))\n",
        breaks="the_first_text_discloses",
    ),
    Mutant(
        name="that a reply discloses is not recorded",
        file=f"{LAYER}/stores/memory.py",
        old="pending_reply.frozen_at if pending_reply.discloses else item.disclosed_at",
        new="item.disclosed_at",
        breaks="one_text_discloses",
    ),
    Mutant(
        name="that a reply discloses is not recorded in the table",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old="    if pending_reply.discloses:\n",
        new="    if False:\n",
    ),
    Mutant(
        name="every reply discloses",
        file=f"{LAYER}/turn/context.py",
        old="        if self.conversation.disclosed_at > UNIX_EPOCH:\n",
        new="        if False:\n",
        breaks="one_text_discloses",
    ),
    Mutant(
        name="a disclosure that was never sent counts",
        file=SETTLE,
        old="    return ending.reply.discloses and 0 not in ending.sent and not may_be_read\n",
        new="    return False\n",
        breaks="the_first_text_discloses",
    ),
    Mutant(
        name="a disclosure that was never sent counts in the table",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old="    if settlement.disclosure_unread:\n",
        new="    if False:\n",
    ),
    Mutant(
        name="a disclosure that a human made void counts",
        file=SETTLE,
        old="0 not in ending.sent and not may_be_read\n",
        new="0 not in ending.sent and not may_be_read and ending.outcome is not TurnOutcome.VOID\n",
    ),
    Mutant(
        name="a disclosure that may have been sent does not count",
        file=SETTLE,
        old="0 not in ending.sent and not may_be_read\n",
        new="0 not in ending.sent\n",
    ),
    Mutant(
        name="a disclosure that was sent before a human's word does not count",
        file=SETTLE,
        old="ending.reply.discloses and 0 not in ending.sent and",
        new="ending.reply.discloses and len(ending.sent) < len(ending.reply.parts) and",
    ),
    Mutant(
        name="the fallback sentence does not disclose",
        file=FREEZE,
        old="turn.disclosure() if thought.text and not is_template else",
        new="turn.disclosure() if thought.text and thought.kind is not ReplyKind.FALLBACK else",
        breaks="the_first_text_discloses",
    ),
    Mutant(
        name="the limit sentence does not disclose",
        file=FREEZE,
        old="turn.disclosure() if thought.text and not is_template else",
        new="turn.disclosure() if thought.text and thought.kind is not ReplyKind.LIMIT else",
        breaks="the_first_text_discloses",
    ),
    Mutant(
        name="a turn that says nothing discloses",
        file=FREEZE,
        old='    disclosure = turn.disclosure() if thought.text and not is_template else ""\n',
        new="    disclosure = turn.disclosure()\n",
    ),
    Mutant(
        name="a pending reply of an older version discloses",
        file=f"{LAYER}/aws/dynamodb/items.py",
        old='value.get("discloses", False)',
        new='value.get("discloses", True)',
    ),
)
