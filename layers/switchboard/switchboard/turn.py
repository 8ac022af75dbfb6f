"""One turn: the waiting messages of a conversation answered, at most once, however often they are delivered.

The order of the steps is the protocol (docs/guarantees.md says why each is where it is):

    claim ─▶ drop ─▶ gap ─▶ gate ─▶ think ─▶ freeze ─▶ send ─▶ record ─▶ settle
      └─▶ an unsettled draft: wait, look, then settle, resend what is missing, or stop

What a step writes is one conditional write under the fence that the claim raised. Whoever is refused by the fence
returns the records, and the next claim decides.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from switchboard import reply
from switchboard.claimed import (
    DROPPED,
    Claimed,
    Outcome,
    Return,
    Rules,
    Step,
    backoff_seconds,
    in_order,
    joined,
    said,
    seconds_until,
)
from switchboard.conversation import MOST_HOLES, Draft, Ending, Kind, Owner
from switchboard.drafts import A_POST_LANDS_WITHIN, A_POST_NEEDS, finish, send
from switchboard.errors import Permanent, Transient
from switchboard.events import MessageAdded, Speaker
from switchboard.limits import OVER_BUDGET
from switchboard.ports import Agent, Busy, Clock, Conversations, DeadLetters, Fenced, Messenger, Question

A_FREEZE_NEEDS = timedelta(seconds=3)  # three tries of one write


def take_turn(
    delivered: Sequence[MessageAdded],
    *,
    lease_until: datetime,
    agent: Agent,
    conversations: Conversations,
    messenger: Messenger,
    dead_letters: DeadLetters,
    clock: Clock,
    rules: Rules,
    new_id: Callable[[], str],
    reached: Callable[[Step], None] = lambda _step: None,
) -> Outcome:
    """Answer the waiting messages of one conversation, at most once, however often they are delivered.

    `delivered` are customer messages of one conversation; `lease_until` is when this worker will certainly be gone.
    """
    token = new_id()
    claimed = conversations.claim(
        delivered[0].conversation_sid,
        messages=joined(delivered),
        turn=new_id(),
        token=token,
        now=clock(),
        lease_until=lease_until,
    )
    if isinstance(claimed, Busy):
        return Outcome(decision=Return.BUSY, retry_after_seconds=seconds_until(claimed.until, clock()))
    reached(Step.CLAIMED)
    held = Claimed(
        conversation=claimed,
        delivered=tuple(delivered),
        lease_until=lease_until,
        agent=agent,
        conversations=conversations,
        messenger=messenger,
        dead_letters=dead_letters,
        clock=clock,
        rules=rules,
        reached=reached,
    )
    try:
        return finish(held, claimed.draft) if claimed.draft else _answer(held)
    except Fenced:
        return Outcome(decision=Return.FENCED)
    except (Transient, Permanent) as error:  # a permanent one ends too: with the attempts
        conversations.give_back(held.conversation)
        return Outcome(
            decision=Return.RETRY,
            retry_after_seconds=backoff_seconds(claimed.attempts, token),
            cause=str(error),
        )


def _answer(held: Claimed) -> Outcome:
    """Drop, gap, gate, think, freeze, send."""
    if not held.indices_waiting():
        held.conversations.close_empty(held.conversation)
        return held.acknowledge(DROPPED, held.conversation.coverage)
    waiting = _gather(held)
    if rule := _refusal(held, waiting):
        return _refuse(held, waiting, rule)
    draft = _think(held, waiting)
    if draft is None:
        return _refuse(held, waiting, OVER_BUDGET)
    held.reached(Step.THOUGHT)
    held.conversations.freeze(held.conversation, draft)
    held.reached(Step.FROZEN)
    return send(held, draft, waiting, sent={})


def _gather(held: Claimed) -> list[MessageAdded]:
    """Return every message this turn answers; what no record brought is read from Twilio."""
    indices = held.indices_waiting()
    waiting = {message.index: message for message in held.delivered if message.index in indices}
    if held.conversation.attempts > held.rules.max_attempts:
        return in_order(waiting)  # only the fallback sentence is left to say, whatever the bodies were
    top = max(indices)
    gap = held.conversation.coverage.first_unseen_below(top, besides=indices)
    unread = indices - waiting.keys()
    if gap is not None or unread:
        lowest = min(unread if gap is None else {gap, *unread})
        listed = held.look(max(lowest, top - MOST_HOLES))
        answered = held.conversation.answered_before_we_knew(listed)
        for message in listed:
            if message.index in unread or (message.index > answered and _is_found_in_a_gap(held, message, top)):
                waiting[message.index] = message
            elif message.index < top and message.index not in waiting:
                held.shown.add(message.index)
        if unread - waiting.keys():
            raise Transient(f"{held.conversation.sid}: Twilio does not list a message of the open turn yet")
        if found := waiting.keys() - indices:
            held.conversation = held.conversations.join(held.conversation, joined(waiting[index] for index in found))
            held.reached(Step.JOINED)
    return in_order(waiting)


def _is_found_in_a_gap(held: Claimed, message: MessageAdded, top: int) -> bool:
    """Tell whether a listed message waits for an answer; what stood there before we first looked is history."""
    coverage = held.conversation.coverage
    return (
        message.speaker is Speaker.CUSTOMER
        and message.index < top
        and not coverage.covers(message.index)
        and not held.is_history(message)
    )


def _refusal(held: Claimed, waiting: Sequence[MessageAdded]) -> str | None:
    """Name the rule by which these messages get no answer, if there is one."""
    newest = max((message.at for message in waiting), default=held.clock())
    if held.conversation.closed:
        return "closed"
    if held.conversation.owner is Owner.HUMAN:
        return "human"
    if newest <= held.conversation.opted_out_at:
        return "opted_out"
    if held.clock() - newest > held.rules.max_event_age:
        return "too_old"
    return None


def _refuse(held: Claimed, waiting: Sequence[MessageAdded], rule: str) -> Outcome:
    indices = held.indices_waiting()
    coverage = held.covered(indices)
    with_a_human = rule in {"human", "too_old"}
    now = held.clock()
    held.conversations.refuse(
        held.conversation,
        held.turn_record(waiting, covers=indices, ending=Ending.REFUSED, rule=rule),
        coverage=coverage,
        left=indices if with_a_human else frozenset(),
        owner=Owner.HUMAN if with_a_human else held.conversation.owner,
        now=now,
    )
    return held.acknowledge(Ending.REFUSED, coverage, cause=rule)


def _think(held: Claimed, waiting: Sequence[MessageAdded]) -> Draft | None:
    """Ask the agent, within what the lease leaves; past the last attempt the draft is the fallback sentence.

    Where a budget is used up the draft is the limit sentence, once a day for each customer, and then None.
    """
    if held.conversation.attempts > held.rules.max_attempts:
        return _fallback(held, f"{held.rules.max_attempts} attempts failed")
    spent = held.conversations.spent(held.delivered[0].author, now=held.clock())
    if held.rules.budget.is_used_up(spent):
        return None if spent.told else _draft(held, Kind.LIMIT, held.rules.budget.sentence)
    history = held.conversations.history(held.conversation.sid)
    time_left = held.lease_until - held.clock() - A_POST_NEEDS - A_FREEZE_NEEDS
    if time_left <= timedelta(0):
        raise Transient(f"{held.conversation.sid}: no time is left to think")
    question = Question(
        turn=held.conversation.turn,
        history=history,
        messages=tuple(said(message) for message in waiting),
        timeout_seconds=time_left.total_seconds(),
    )
    try:
        answer = held.agent.answer(question)
    except Permanent as error:
        return _fallback(held, str(error))
    if not answer.text.strip():
        return _fallback(held, "the agent answered nothing")
    return _draft(held, Kind.HANDOFF if answer.handoff else Kind.ANSWER, answer.text)


def _fallback(held: Claimed, why: str) -> Draft:
    held.gave_up = why
    return _draft(held, Kind.FALLBACK, held.rules.fallback_sentence)


def _draft(held: Claimed, kind: Kind, text: str) -> Draft:
    parts = reply.parts(text)
    return Draft(
        turn=held.conversation.turn,
        kind=kind,
        covers=held.indices_waiting(),
        parts=parts,
        posts=(1,) * len(parts),
        era=held.conversation.era,
        look_after=held.lease_until + A_POST_LANDS_WITHIN,
    )
