"""A frozen draft on its way to the customer: sent, looked for, sent again where it is missing, and settled.

Once frozen, a turn says nothing else, whoever finishes it. No part is posted a third time.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from switchboard.claimed import Claimed, Outcome, Return, Step, backoff_seconds, in_order, seconds_until
from switchboard.conversation import Draft, Ending, Kind, Owner
from switchboard.errors import NotSent, Permanent, SendRefused, Transient, Unknown
from switchboard.events import Marker, MessageAdded, Sent, Speaker
from switchboard.limits import OVER_BUDGET
from switchboard.ports import Fenced

A_POST_NEEDS = timedelta(seconds=12)  # connect 2 s + read 8 s + what a busy machine loses: none starts with less lease
A_POST_LANDS_WITHIN = timedelta(seconds=30)  # how long after its end a POST may still be committed at Twilio


def finish(held: Claimed, draft: Draft) -> Outcome:
    """Look what of the draft was sent, then settle it, send what is missing, or stop."""
    now = held.clock()
    if now < draft.look_after:
        held.conversations.give_back(held.conversation)
        return Outcome(decision=Return.LOOKING, retry_after_seconds=seconds_until(draft.look_after, now))
    try:
        listed = held.look(min(draft.covers))
    except Fenced:
        raise
    except (Transient, Permanent):
        if not held.is_out_of_claims():
            raise
        return _end(held, draft, held.delivered, {}, Ending.UNSURE)
    ours = [m for m in listed if m.marker is not None and m.marker.turn == draft.turn and m.speaker is Speaker.US]
    sent = {m.marker.part: Sent(message_sid=m.message_sid, index=m.index) for m in ours if m.marker is not None}
    held.shown.update(message.index for message in listed if message.speaker is not Speaker.CUSTOMER)
    waiting = in_order({m.index: m for m in (*held.delivered, *listed) if m.index in draft.covers})
    missing = [part for part in range(len(draft.parts)) if part not in sent]
    duplicates = len(ours) - len(sent)
    if not missing:
        return _end(held, draft, waiting, sent, _ending(draft.kind), duplicates=duplicates)
    if draft.era != held.conversation.era:
        return _end(held, draft, waiting, sent, Ending.VOID, duplicates=duplicates)
    if _is_spent(held, draft, missing):
        return _end(held, draft, waiting, sent, Ending.UNSURE, duplicates=duplicates)
    licensed = replace(
        draft,
        posts=tuple(posts + (part in missing) for part, posts in enumerate(draft.posts)),
        look_after=held.lease_until + A_POST_LANDS_WITHIN,
    )
    held.conversations.license_resend(held.conversation, licensed)
    held.reached(Step.LICENSED)
    return send(held, licensed, waiting, sent=sent)


def _is_spent(held: Claimed, draft: Draft, missing: Sequence[int]) -> bool:
    """Tell whether a missing part had its two POSTs, or the whole draft its share of claims."""
    most_posts = 2
    return held.is_out_of_claims() or any(draft.posts[part] >= most_posts for part in missing)


def send(held: Claimed, draft: Draft, waiting: Sequence[MessageAdded], *, sent: dict[int, Sent]) -> Outcome:
    """Send the missing parts in order; how a POST ends decides what becomes of the draft."""
    missing = [part for part in range(len(draft.parts)) if part not in sent]
    for part in missing:
        marker = Marker(turn=draft.turn, part=part)
        try:
            _ensure_a_post_may_start(held, is_first=part == missing[0])
            sent[part] = held.messenger.send_message(held.conversation.sid, body=draft.parts[part], marker=marker)
        except SendRefused as error:
            return _end(held, draft, waiting, sent, Ending.REFUSED, rule=f"twilio_{error.code or 'refused'}")
        except NotSent as error:
            return _keep_for_later(held, draft, error, never_left=[p for p in missing if p >= part], waits=bool(sent))
        except Unknown as error:
            return _keep_for_later(held, draft, error, never_left=[], waits=True)
        held.reached(Step.POSTED)
    return _end(held, draft, waiting, sent, _ending(draft.kind))


def _ensure_a_post_may_start(held: Claimed, *, is_first: bool) -> None:
    if held.lease_until - held.clock() < A_POST_NEEDS:
        raise NotSent(f"{held.conversation.sid}: too little of the lease is left for a POST")
    if not is_first and held.conversations.read_fence(held.conversation.sid) != held.conversation.fence:
        raise Fenced(f"{held.conversation.sid}: taken between two parts")


def _keep_for_later(
    held: Claimed, draft: Draft, error: Transient | Unknown, *, never_left: Sequence[int], waits: bool
) -> Outcome:
    """Give the draft back: parts that never left keep their POST, and what may be on its way is waited for."""
    now = held.clock()
    kept = replace(
        draft,
        posts=tuple(posts - (part in never_left) for part, posts in enumerate(draft.posts)),
        look_after=now + A_POST_LANDS_WITHIN if waits else now,
    )
    held.conversations.give_back(held.conversation, draft=kept)
    backoff = backoff_seconds(held.conversation.attempts, held.conversation.lease_token)
    return Outcome(
        decision=Return.LOOKING if waits else Return.RETRY,
        retry_after_seconds=max(seconds_until(kept.look_after, now), backoff),
        cause=str(error),
    )


def _end(
    held: Claimed,
    draft: Draft,
    waiting: Sequence[MessageAdded],
    sent: dict[int, Sent],
    ending: Ending,
    *,
    rule: str = "",
    duplicates: int = 0,
) -> Outcome:
    """Record the turn, then settle it: only now is anything acknowledged."""
    if draft.kind is Kind.LIMIT and not rule:
        rule = OVER_BUDGET
        ending = Ending.REFUSED if ending is Ending.UNSURE else ending  # no human need act on it
    held.conversations.record(
        held.conversation.sid,
        held.turn_record(waiting, covers=draft.covers, ending=ending, rule=rule, parts=draft.parts, kind=draft.kind),
    )
    held.reached(Step.RECORDED)
    if draft.kind is Kind.FALLBACK and ending is not Ending.VOID:
        held.dead_letters.copy(held.letters(draft.covers, waiting))
        held.reached(Step.COPIED)
    coverage = held.covered(draft.covers.union(message.index for message in sent.values()))
    stays = ending in {Ending.ANSWERED, Ending.VOID} or rule == OVER_BUDGET
    held.conversations.settle(
        held.conversation,
        coverage=coverage,
        owner=held.conversation.owner if stays else Owner.HUMAN,
        now=held.clock(),
    )
    held.reached(Step.SETTLED)
    return held.acknowledge(ending, coverage, cause=rule or held.gave_up, duplicates=duplicates)


_ENDINGS = {
    Kind.ANSWER: Ending.ANSWERED,
    Kind.HANDOFF: Ending.HANDED_OFF,
    Kind.FALLBACK: Ending.FELL_BACK,
    Kind.LIMIT: Ending.REFUSED,
}


def _ending(kind: Kind) -> Ending:
    return _ENDINGS[kind]
