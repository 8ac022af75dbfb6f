"""Consent: a customer's word is applied before anything else; from STOP to START nobody thinks, and nothing is sent.

A word that changes something is its own write, and raises the fencing token: the turn ends there, and whoever claims
the conversation next finds in its item how the customer stands, and which message made it so.
"""

from collections.abc import Iterable
from dataclasses import replace

from switchboard.author import AuthorRole
from switchboard.channels.channel import channel_of
from switchboard.consent import Consent, ConsentChange, ConsentWord, change_by, consent_said, is_answered_by_twilio
from switchboard.conversation import UNIX_EPOCH, RefusalRule, ReplyKind
from switchboard.customers import key_of
from switchboard.events import MessageAdded
from switchboard.ports import Fenced
from switchboard.turn.context import TurnContext
from switchboard.turn.result import Refused, Thought

_KINDS = {RefusalRule.OPT_OUT: ReplyKind.OPT_OUT, RefusalRule.OPT_IN: ReplyKind.OPT_IN}
_WORDS = {RefusalRule.OPT_OUT: ConsentWord.OPT_OUT, RefusalRule.OPT_IN: ConsentWord.OPT_IN}


def apply_consent(turn: TurnContext, messages: Iterable[MessageAdded]) -> None:
    """Apply what customers say of consent, in order; raise `Fenced` where that changed how the customer stands."""
    consent = turn.conversation.consent
    for message in sorted(messages, key=lambda each: each.index):
        said = consent_said(message, consent)
        if message.author_role is not AuthorRole.CUSTOMER or said not in {ConsentWord.OPT_OUT, ConsentWord.OPT_IN}:
            continue
        change = change_by(message, opted_out=said is ConsentWord.OPT_OUT, customer_secret=turn.ports.customer_secret)
        if consent.after(change) != consent:
            turn.ports.takeovers.change_consent(turn.conversation.sid, change)
            consent = consent.after(change)
    if consent.differs_from(turn.conversation.consent):
        raise Fenced(f"{turn.conversation.sid}: the customer has opted out, or in again")


def inherit_consent(turn: TurnContext) -> None:
    """Apply an opt-out from an earlier conversation of the customer, in the first turn of this one: `Fenced`."""
    conversation, author = turn.conversation, turn.delivered[0].author
    if conversation.coverage.low_watermark >= 0 or conversation.consent.at > UNIX_EPOCH:
        return
    customer, channel = key_of(author, secret=turn.ports.customer_secret), channel_of(author)
    kept = turn.ports.conversations.read_consent(customer, channel)
    if not kept.opted_out:
        return
    change = ConsentChange(
        opted_out=True, at=kept.at, index=None, customer=customer, channel=channel, by_twilio=kept.by_twilio
    )
    turn.ports.takeovers.change_consent(conversation.sid, change)
    raise Fenced(f"{conversation.sid}: the customer has opted out")


def opt_out_as_asked(turn: TurnContext) -> Refused:
    """Opt the customer out, as the agent understood their messages: `Fenced`, unless a newer word took it back."""
    last = max(turn.messages, key=lambda each: each.index)
    change = change_by(last, opted_out=True, customer_secret=turn.ports.customer_secret)
    if turn.ports.takeovers.change_consent(turn.conversation.sid, replace(change, by_twilio=False)):
        raise Fenced(f"{turn.conversation.sid}: the customer has opted out")
    return Refused(rule=RefusalRule.OPTED_OUT, covers=turn.shown_indices())


def consent_ends(turn: TurnContext, *, is_quiet: bool) -> Refused | Thought | None:
    """Return what ends messages by consent, or None: they are answered. `is_quiet`: nothing is said in any case.

    What was written before the customer opted in again ends with that; what came after it gets a turn of its own. So
    does what nobody could read yet: it may opt in.
    """
    consent, waiting = turn.conversation.consent, turn.waiting_indices()
    if consent.opted_out:
        covers, rule = (waiting & turn.shown_indices()) or waiting, RefusalRule.OPT_OUT
    else:
        covers = frozenset(index for index in waiting if index <= consent.changed_by)
        rule = RefusalRule.OPT_IN
    if not covers:
        return None
    if consent.changed_by not in covers:
        return Refused(rule=RefusalRule.OPTED_OUT, covers=covers)
    if is_quiet or consent.by_twilio:
        return Refused(rule=rule, covers=covers)
    texts = [message.body for message in turn.messages if message.index <= consent.changed_by]
    sentence = turn.settings.consent.sentence(_WORDS[rule], texts)
    return Thought(kind=_KINDS[rule], text=sentence, covers=covers)


def answer_to_help(turn: TurnContext) -> Refused | Thought | None:
    """Return what ends messages that say HELP and nothing else; None where they say more, or the agent answers it."""
    said = {consent_said(message, Consent()) for message in turn.messages}
    if said != {ConsentWord.HELP} or not turn.settings.consent.help:
        return None
    if all(map(is_answered_by_twilio, turn.messages)):
        return Refused(rule=RefusalRule.HELP, covers=turn.shown_indices())
    text = turn.settings.consent.sentence(ConsentWord.HELP, [message.body for message in turn.messages])
    return Thought(kind=ReplyKind.ANSWER, text=text)
