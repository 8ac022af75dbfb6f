"""Think: ask the agent, within the time that the turn has."""

from dataclasses import replace
from datetime import timedelta

from switchboard.agent import Answer, Question
from switchboard.channels.reply import one_message
from switchboard.conversation import RefusalRule, ReplyKind
from switchboard.customers import address_of, key_of
from switchboard.errors import Permanent, Transient
from switchboard.tokens import (
    MAX_CALLS_TOKENS,
    MAX_MESSAGES_TOKENS,
    MAX_QUESTION_TOKENS,
    cut_longest,
    estimate_tokens,
    keep_newest,
)
from switchboard.turn.consent import answer_to_help, opt_out_as_asked
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.effects import EffectsOfTurn, effects_of
from switchboard.turn.memory import recall
from switchboard.turn.messages import is_without_body
from switchboard.turn.result import Refused, Thought, detail_of
from switchboard.turn.timing import MIN_LEASE_FOR_FREEZE, MIN_LEASE_FOR_SEND

MAX_CALLS = 20  # of tools, that a turn's record tells of: the last ones


def think(turn: TurnContext) -> tuple[TurnContext, Thought | Refused]:
    """Return what the turn says: the agent's answer, or the fallback sentence where there will be none.

    Where the agent decides to say nothing, the turn is refused by that rule. Where nobody knows whether a tool has
    changed something, the turn is handed over. The turn is returned with what is known of its effects.

    An error that passes is raised, so that the turn is tried again, until the turn is overdue.

    Where a budget is used up, the customer reads the limit sentence, once a day; after that the turn is refused. Where
    they sent nothing but voice notes, they read that nobody has listened to them; nothing but HELP, the help sentence.
    """
    effects = EffectsOfTurn(turn=turn, kept=effects_of(turn))
    thought = _think(turn, effects)
    turn.observe(Step.THINK, detail_of(thought))
    has_effects = bool(effects.kept.effects)
    return replace(turn, conversation=replace(turn.conversation, has_effects=has_effects)), thought


def _think(turn: TurnContext, effects: EffectsOfTurn) -> Thought | Refused:
    if turn.is_out_of_attempts():
        return _fallback(turn, f"{turn.settings.max_attempts} workers died over this turn")
    if all(map(is_without_body, turn.messages)):  # overdue, and Twilio lists nothing of it: it may be deleted
        return _fallback(turn, "Twilio lists no message of this turn")
    budget = turn.settings.budget
    spent = turn.ports.budgets.spent(turn.delivered[0].author, now=turn.now())
    if budget.is_used_up(spent) and spent.limit_notice_sent:
        return Refused(rule=RefusalRule.OVER_BUDGET, covers=turn.waiting_indices())
    if budget.is_used_up(spent):
        return Thought(kind=ReplyKind.LIMIT, text=budget.sentence)
    if helped := answer_to_help(turn):
        return helped
    if turn.settings.voice_note_sentence and all(message.is_voice_note for message in turn.messages):
        return Thought(kind=ReplyKind.ANSWER, text=turn.settings.voice_note_sentence)
    return _ask(turn, effects)


def _ask(turn: TurnContext, effects: EffectsOfTurn) -> Thought | Refused:
    messages = keep_newest([message.text for message in turn.messages], MAX_MESSAGES_TOKENS)
    recalled = recall(turn, tokens=MAX_QUESTION_TOKENS - sum(map(estimate_tokens, messages)))
    time_left = turn.done_by - turn.now() - MIN_LEASE_FOR_SEND - MIN_LEASE_FOR_FREEZE
    if time_left <= timedelta(0):
        raise Transient(f"{turn.conversation.sid}: no time is left to think")
    author = turn.delivered[0].author
    question = Question(
        turn=turn.conversation.turn,
        history=recalled.history,
        messages=messages,
        timeout_seconds=time_left.total_seconds(),
        effects=effects,
        conversation=turn.conversation.sid,
        customer=key_of(author, secret=turn.ports.customer_secret),
        address=address_of(author),
        media=tuple(media for message in turn.messages for media in message.media),
        read_media=turn.ports.read_media,
        max_characters=_max_characters(turn),
        now=turn.now(),
        to_summarize=recalled.to_summarize,
    )
    try:
        answer = _answer(turn, question)
        files = turn.ports.files.find(answer.file_names)
        calls, remembered = cut_longest(answer.calls[-MAX_CALLS:], MAX_CALLS_TOKENS), recalled.remembered(answer)
    except Permanent as error:
        return _fallback(turn, str(error))
    except Transient as error:
        if not turn.is_overdue():
            raise
        return _fallback(turn, str(error))
    if effects.is_unknown():
        text = answer.text.strip() or turn.settings.fallback_sentence
        return Thought(kind=ReplyKind.HANDOFF, text=text, calls=calls, remembered=remembered)
    if answer.opt_out:
        return opt_out_as_asked(turn)
    if answer.no_reply:
        return Refused(rule=RefusalRule.NO_REPLY, covers=turn.shown_indices(), calls=calls)
    kind = ReplyKind.HANDOFF if answer.handoff else ReplyKind.ANSWER
    return Thought(
        kind=kind,
        text=answer.text,
        calls=calls,
        remembered=remembered,
        content=answer.content,
        links=answer.links,
        files=files,
    )


def _max_characters(turn: TurnContext) -> int | None:
    """Return how long an answer should be at most, where its channel carries one message best."""
    longest = one_message(turn.channel())
    return None if longest is None else longest - len(turn.disclosure())


def _answer(turn: TurnContext, question: Question) -> Answer:
    """Return the agent's answer; an empty one may not be empty the next time: `Transient`."""
    answer = turn.ports.agent.answer(question)
    if not answer.text.strip() and not answer.no_reply and not answer.opt_out:
        raise Transient(f"{question.turn}: the agent returned an empty answer")
    return answer


def _fallback(turn: TurnContext, cause: str) -> Thought:
    """Return the fallback sentence; after a failure with no answer since, nothing: the customer has read it."""
    text = "" if turn.conversation.has_failed else turn.settings.fallback_sentence
    return Thought(kind=ReplyKind.FALLBACK, text=text, cause=cause)
