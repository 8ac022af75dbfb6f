"""Gate: the rules by which messages get no answer. A new rule is one more line in a `_rule_of_…`."""

from datetime import datetime

from switchboard.channels.channel import WHATSAPP_WINDOW, Channel
from switchboard.conversation import RefusalRule, ReplyKind
from switchboard.events import MessageAdded, Owner
from switchboard.loops import LoopPause, find_loop
from switchboard.reactions import asks, read_reaction
from switchboard.turn.consent import consent_ends
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.result import Dropped, Refused, Thought, detail_of

ASKED_TO_WRITE = "[a template that asks the customer to write again: it was too late to answer]"

_GO_BY_WORDS = frozenset({RefusalRule.LOOP, RefusalRule.REACTION})


def gate(turn: TurnContext) -> Dropped | Refused | Thought | None:
    """Return why the turn's messages get no answer, or None where they get one. What a rule says is a `Thought`.

    What was handled before is dropped ahead of every rule: a webhook that comes twice, days later, is not too old.
    """
    if not turn.waiting_indices():
        return Dropped()
    pause = _loop_pause(turn)
    ending = _ending(turn, pause)
    turn.observe(Step.GATE, detail_of(ending))
    return ending


def _ending(turn: TurnContext, pause: LoopPause | None) -> Refused | Thought | None:
    if rule := _rule_of_owner(turn):
        return _refused(turn, rule, pause)
    if by_consent := consent_ends(turn, is_quiet=pause is not None or _is_window_closed(turn)):
        return by_consent
    rule = _rule_of_words(turn, pause)
    if rule is RefusalRule.WINDOW_CLOSED and (template := turn.settings.window_template):
        return Thought(kind=ReplyKind.TEMPLATE, text=ASKED_TO_WRITE, covers=turn.waiting_indices(), content=template)
    return _refused(turn, rule, pause) if rule else None


def _refused(turn: TurnContext, rule: RefusalRule, pause: LoopPause | None) -> Refused:
    """Return the refusal. A rule that goes by words ends only the messages whose words are known."""
    is_new = rule is RefusalRule.LOOP and pause != turn.conversation.loop_pause
    return Refused(
        rule=rule,
        covers=turn.shown_indices() if rule in _GO_BY_WORDS else turn.waiting_indices(),
        new_loop_pause=pause if is_new else None,
    )


def _rule_of_owner(turn: TurnContext) -> RefusalRule | None:
    conversation = turn.conversation
    if conversation.closed:
        return RefusalRule.CLOSED
    if conversation.owner is Owner.HUMAN and not conversation.has_failed:  # a failure ends with the next message
        return RefusalRule.HUMAN
    if not _is_in_trial(turn):
        return RefusalRule.NOT_IN_TRIAL
    return None


def _rule_of_words(turn: TurnContext, pause: LoopPause | None) -> RefusalRule | None:
    if pause:
        return RefusalRule.LOOP
    if _are_reactions(turn):
        return RefusalRule.REACTION
    # By when the turn began, so that a message does not grow too old while its answer is tried again.
    if turn.conversation.turn_started_at - _newest(turn) > turn.settings.max_event_age:
        return RefusalRule.TOO_OLD
    if _is_window_closed(turn):
        return RefusalRule.WINDOW_CLOSED
    return None


def _is_in_trial(turn: TurnContext) -> bool:
    """Tell whether the customer is one whom the assistant answers: without a trial, everybody is."""
    trial = turn.settings.trial_addresses
    authors = {message.author for message in turn.messages or turn.delivered}
    return not trial or any(pattern.fullmatch(author) for pattern in trial for author in authors)


def _loop_pause(turn: TurnContext) -> LoopPause | None:
    """Return the pause in which the turn's messages get no answer, because machines answer each other."""
    conversation = turn.conversation
    return find_loop(
        turn.written_texts(),
        replies=conversation.recent_replies,
        paused=conversation.loop_pause,
        since=conversation.handed_back_at,
        now=turn.now(),
        max_turns=turn.settings.turns_per_ten_minutes,
    )


def _are_reactions(turn: TurnContext) -> bool:
    """Tell whether every message is a reaction to words of ours that asked nothing."""
    if not turn.messages or _last_words_may_ask(turn):
        return False
    for message in turn.messages:
        reaction = None if message.media else read_reaction(message.body)
        if reaction is None or asks(reaction.quoted):
            return False
        if not turn.conversation.recent_replies and not reaction.quoted:
            return False  # it stands for itself: a wave is a greeting
    return True


def _last_words_may_ask(turn: TurnContext) -> bool:
    """Tell whether the last words before the messages asked something, or are those of somebody else."""
    conversation = turn.conversation
    if not conversation.recent_replies:
        return False
    last = conversation.recent_replies[-1]
    newest = max(message.index for message in turn.messages)
    others = (index for index in turn.needs_no_answer if not conversation.coverage.covers(index))
    was_another = any(last.index < index < newest for index in others)
    return last.asks or conversation.human_spoke_at > last.settled_at or was_another


def _is_window_closed(turn: TurnContext) -> bool:
    """Tell whether WhatsApp would refuse any answer by the time it is there: what was handed back may be days old."""
    last = max((message.at for message in turn.messages), default=turn.now())
    return turn.channel() is Channel.WHATSAPP and turn.now() - last > WHATSAPP_WINDOW - turn.settings.answer_within


def _newest(turn: TurnContext) -> datetime:
    """Return when the newest message began to wait for the assistant: when it came, or was requeued or redriven."""
    return max((_waits_since(turn, message) for message in turn.messages), default=turn.now())


def _waits_since(turn: TurnContext, message: MessageAdded) -> datetime:
    if message.again:
        return turn.now()
    is_requeued = message.index in turn.conversation.coverage.requeued
    return max(message.at, turn.conversation.requeued_at) if is_requeued else message.at
