"""One turn: the waiting messages of a conversation answered, at most once, however often they are delivered.

The order of the steps is the protocol (docs/guarantees.md says why each is where it is):

    claim ─▶ drop ─▶ gap ─▶ gate ─▶ think ─▶ freeze ─▶ send ─▶ record ─▶ settle
      └─▶ an unsettled draft: wait, look, then settle, resend what is missing, or stop

Every step is one conditional write under the fence that the claim raised. Whoever is refused by the fence returns the
records, and the next claim decides.
"""

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from switchboard import reply
from switchboard.conversation import (
    MOST_HOLES,
    Conversation,
    Coverage,
    Draft,
    Ending,
    Joined,
    Kind,
    Owner,
    TurnRecord,
)
from switchboard.errors import NotSent, Permanent, SendRefused, Transient, Unknown
from switchboard.events import Marker, MessageAdded, Sent, Speaker
from switchboard.ports import Agent, Busy, Clock, Conversations, DeadLetters, Fenced, Messenger, Question

A_POST_NEEDS = timedelta(seconds=12)  # connect 2 s + read 8 s + what a busy machine loses: none starts with less lease
A_POST_LANDS_WITHIN = timedelta(seconds=30)  # how long after its end a POST may still be committed at Twilio
LONGEST_BACKOFF_SECONDS = 30
SHORTEST_BACKOFF_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an operator may set."""

    fallback_sentence: str
    max_attempts: int = 3
    max_event_age: timedelta = timedelta(hours=1)


class Step(StrEnum):
    """The moments of a turn at which a test may end the worker."""

    CLAIMED = "claimed"
    LISTED = "listed"
    JOINED = "joined"
    THOUGHT = "thought"
    FROZEN = "frozen"
    LICENSED = "licensed"
    POSTED = "posted"
    RECORDED = "recorded"
    COPIED = "copied"
    SETTLED = "settled"


class Return(StrEnum):
    """Why records go back to the queue."""

    BUSY = "busy"
    FENCED = "fenced"
    RETRY = "retry"
    LOOKING = "looking"
    NEXT_TURN = "next_turn"


DROPPED = "dropped"  # everything delivered was dealt with before


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a turn: the MessageSids to acknowledge; the others come back after `retry_after_seconds`.

    `decision` is an `Ending`, `dropped`, or a `Return`; `cause` a rule's name, or what an error of ours said, which is
    never what a customer said.
    """

    decision: str
    acknowledged: frozenset[str] = frozenset()
    retry_after_seconds: int = 0
    cause: str = ""
    duplicate_replies: int = 0


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
        messages=_joined(delivered),
        turn=new_id(),
        token=token,
        now=clock(),
        lease_until=lease_until,
    )
    if isinstance(claimed, Busy):
        return Outcome(decision=Return.BUSY, retry_after_seconds=_seconds_until(claimed.until, clock()))
    reached(Step.CLAIMED)
    turn = _Turn(
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
        return turn.finish(claimed.draft) if claimed.draft else turn.answer()
    except Fenced:
        return Outcome(decision=Return.FENCED)
    except (Transient, Permanent) as error:  # a permanent one ends too: with the attempts
        conversations.give_back(turn.conversation)
        return Outcome(
            decision=Return.RETRY,
            retry_after_seconds=_backoff_seconds(claimed.attempts, token),
            cause=str(error),
        )


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One claimed turn. `conversation` is the item as this worker last saw it."""

    conversation: Conversation
    delivered: tuple[MessageAdded, ...]
    lease_until: datetime
    agent: Agent
    conversations: Conversations
    messenger: Messenger
    dead_letters: DeadLetters
    clock: Clock
    rules: Rules
    reached: Callable[[Step], None]
    shown: set[int] = field(default_factory=set[int])  # indices that a list showed and that need no answer
    gave_up: str = ""  # why the draft is the fallback sentence

    # ── the way of a new answer ──────────────────────────────────────────────────────────────────────────────────

    def answer(self) -> Outcome:
        """Drop, gap, gate, think, freeze, send."""
        if not self._indices_waiting():
            self.conversations.close_empty(self.conversation)
            return self._acknowledge(DROPPED, self.conversation.coverage)
        waiting = self._gather()
        if rule := self._refusal(waiting):
            return self._refuse(waiting, rule)
        draft = self._think(waiting)
        self.reached(Step.THOUGHT)
        self.conversations.freeze(self.conversation, draft)
        self.reached(Step.FROZEN)
        return self._send(draft, waiting, sent={})

    def _indices_waiting(self) -> frozenset[int]:
        coverage = self.conversation.coverage
        return frozenset(m.index for m in self.conversation.turn_messages if not coverage.covers(m.index))

    def _gather(self) -> list[MessageAdded]:
        """Return every message this turn answers; what no record brought is read from Twilio."""
        indices = self._indices_waiting()
        waiting = {message.index: message for message in self.delivered if message.index in indices}
        if self.conversation.attempts > self.rules.max_attempts:
            return _in_order(waiting)  # only the fallback sentence is left to say, whatever the bodies were
        top = max(indices)
        gap = self.conversation.coverage.first_unseen_below(top, besides=indices)
        unread = indices - waiting.keys()
        if gap is not None or unread:
            lowest = min(unread if gap is None else {gap, *unread})
            for message in self._look(max(lowest, top - MOST_HOLES)):
                if message.index in unread or self._is_found_in_a_gap(message, top):
                    waiting[message.index] = message
                elif message.index < top and message.index not in waiting:
                    self.shown.add(message.index)
            if unread - waiting.keys():
                raise Transient(f"{self.conversation.sid}: Twilio does not list a message of the open turn yet")
            if found := waiting.keys() - indices:
                self.conversation = self.conversations.join(
                    self.conversation, _joined(waiting[index] for index in found)
                )
                self.reached(Step.JOINED)
        return _in_order(waiting)

    def _is_found_in_a_gap(self, message: MessageAdded, top: int) -> bool:
        """Tell whether a listed message waits for an answer; what stood there before we first looked is history."""
        coverage = self.conversation.coverage
        return (
            message.speaker is Speaker.CUSTOMER
            and message.index < top
            and not coverage.covers(message.index)
            and not self._is_history(message)
        )

    def _is_history(self, message: MessageAdded) -> bool:
        """Tell whether a message stood there long before we first saw its conversation."""
        return self.conversation.coverage.is_new and self.clock() - message.at > self.rules.max_event_age

    def _look(self, from_index: int) -> tuple[MessageAdded, ...]:
        """List the conversation; a colleague's message that nobody told us about is a takeover."""
        listed = self.messenger.list_messages(self.conversation.sid, from_index=from_index)
        self.reached(Step.LISTED)
        news = [
            message
            for message in listed
            if message.speaker is Speaker.COLLEAGUE
            and message.at > self.conversation.owner_at
            and not self.conversation.coverage.covers(message.index)
            and not self._is_history(message)
        ]
        for message in news:
            self.conversations.take_over(message.conversation_sid, index=message.index, at=message.at)
        if news:
            raise Fenced(f"{self.conversation.sid}: a colleague has written")
        return listed

    def _refusal(self, waiting: Sequence[MessageAdded]) -> str | None:
        """Name the rule by which these messages get no answer, if there is one."""
        newest = max((message.at for message in waiting), default=self.clock())
        if self.conversation.closed:
            return "closed"
        if self.conversation.owner is Owner.HUMAN:
            return "human"
        if newest <= self.conversation.opted_out_at:
            return "opted_out"
        if self.clock() - newest > self.rules.max_event_age:
            return "too_old"
        return None

    def _refuse(self, waiting: Sequence[MessageAdded], rule: str) -> Outcome:
        indices = self._indices_waiting()
        coverage = self._covered(indices)
        with_a_human = rule in {"human", "too_old"}
        now = self.clock()
        self.conversations.refuse(
            self.conversation,
            self._turn_record(waiting, ending=Ending.REFUSED, parts=(), rule=rule),
            coverage=coverage,
            left=indices if with_a_human else frozenset(),
            owner=Owner.HUMAN if with_a_human else self.conversation.owner,
            now=now,
        )
        return self._acknowledge(Ending.REFUSED, coverage, cause=rule)

    def _think(self, waiting: Sequence[MessageAdded]) -> Draft:
        """Ask the agent, within what the lease leaves; past the last attempt the draft is the fallback sentence."""
        if self.conversation.attempts > self.rules.max_attempts:
            return self._fallback(f"{self.rules.max_attempts} attempts failed")
        history = self.conversations.history(self.conversation.sid)
        time_left = self.lease_until - self.clock() - A_POST_NEEDS
        if time_left <= timedelta(0):
            raise Transient(f"{self.conversation.sid}: no time is left to think")
        question = Question(
            turn=self.conversation.turn,
            history=history,
            messages=tuple(_said(message) for message in waiting),
            timeout_seconds=time_left.total_seconds(),
        )
        try:
            answer = self.agent.answer(question)
        except Permanent as error:
            return self._fallback(str(error))
        if not answer.text.strip():
            return self._fallback("the agent answered nothing")
        return self._draft(Kind.HANDOFF if answer.handoff else Kind.ANSWER, answer.text)

    def _fallback(self, why: str) -> Draft:
        self.gave_up = why
        return self._draft(Kind.FALLBACK, self.rules.fallback_sentence)

    def _draft(self, kind: Kind, text: str) -> Draft:
        parts = reply.parts(text)
        return Draft(
            turn=self.conversation.turn,
            kind=kind,
            covers=self._indices_waiting(),
            parts=parts,
            posts=(1,) * len(parts),
            era=self.conversation.era,
            look_after=self.lease_until + A_POST_LANDS_WITHIN,
        )

    # ── the way of a draft that somebody froze before ────────────────────────────────────────────────────────────

    def finish(self, draft: Draft) -> Outcome:
        """Look what of the draft was sent, then settle it, send what is missing, or stop."""
        now = self.clock()
        if now < draft.look_after:
            self.conversations.give_back(self.conversation)
            return Outcome(decision=Return.LOOKING, retry_after_seconds=_seconds_until(draft.look_after, now))
        try:
            listed = self._look(min(draft.covers))
        except Fenced:
            raise
        except (Transient, Permanent):
            if not self._is_out_of_claims():
                raise
            return self._end(draft, self.delivered, {}, Ending.UNSURE)
        ours = [m for m in listed if m.marker is not None and m.marker.turn == draft.turn and m.speaker is Speaker.US]
        sent = {m.marker.part: Sent(message_sid=m.message_sid, index=m.index) for m in ours if m.marker is not None}
        self.shown.update(message.index for message in listed if message.speaker is not Speaker.CUSTOMER)
        waiting = _in_order({m.index: m for m in (*self.delivered, *listed) if m.index in draft.covers})
        missing = [part for part in range(len(draft.parts)) if part not in sent]
        duplicates = len(ours) - len(sent)
        if not missing:
            return self._end(draft, waiting, sent, _ending(draft.kind), duplicates=duplicates)
        if draft.era != self.conversation.era:
            return self._end(draft, waiting, sent, Ending.VOID, duplicates=duplicates)
        if self._is_spent(draft, missing):
            return self._end(draft, waiting, sent, Ending.UNSURE, duplicates=duplicates)
        licensed = replace(
            draft,
            posts=tuple(posts + (part in missing) for part, posts in enumerate(draft.posts)),
            look_after=self.lease_until + A_POST_LANDS_WITHIN,
        )
        self.conversations.license_resend(self.conversation, licensed)
        self.reached(Step.LICENSED)
        return self._send(licensed, waiting, sent=sent)

    def _is_spent(self, draft: Draft, missing: Sequence[int]) -> bool:
        """Tell whether a missing part had its two POSTs, or the whole draft its share of claims."""
        most_posts = 2
        return self._is_out_of_claims() or any(draft.posts[part] >= most_posts for part in missing)

    def _is_out_of_claims(self) -> bool:
        return self.conversation.attempts > 2 * self.rules.max_attempts

    # ── both ways end here ───────────────────────────────────────────────────────────────────────────────────────

    def _send(self, draft: Draft, waiting: Sequence[MessageAdded], *, sent: dict[int, Sent]) -> Outcome:
        """Send the missing parts in order; how a POST ends decides what becomes of the draft."""
        missing = [part for part in range(len(draft.parts)) if part not in sent]
        for part in missing:
            marker = Marker(turn=draft.turn, part=part)
            try:
                self._ensure_a_post_may_start(is_first=part == missing[0])
                sent[part] = self.messenger.send_message(self.conversation.sid, body=draft.parts[part], marker=marker)
            except SendRefused as error:
                return self._end(draft, waiting, sent, Ending.REFUSED, rule=f"twilio_{error.code or 'refused'}")
            except NotSent as error:
                return self._keep_for_later(
                    draft, error, never_left=[p for p in missing if p >= part], waits=bool(sent)
                )
            except Unknown as error:
                return self._keep_for_later(draft, error, never_left=[], waits=True)
            self.reached(Step.POSTED)
        return self._end(draft, waiting, sent, _ending(draft.kind))

    def _ensure_a_post_may_start(self, *, is_first: bool) -> None:
        if self.lease_until - self.clock() < A_POST_NEEDS:
            raise NotSent(f"{self.conversation.sid}: too little of the lease is left for a POST")
        if not is_first and self.conversations.read_fence(self.conversation.sid) != self.conversation.fence:
            raise Fenced(f"{self.conversation.sid}: taken between two parts")

    def _keep_for_later(
        self, draft: Draft, error: Transient | Unknown, *, never_left: Sequence[int], waits: bool
    ) -> Outcome:
        """Give the draft back: parts that never left keep their POST, and what may be on its way is waited for."""
        now = self.clock()
        kept = replace(
            draft,
            posts=tuple(posts - (part in never_left) for part, posts in enumerate(draft.posts)),
            look_after=now + A_POST_LANDS_WITHIN if waits else now,
        )
        self.conversations.give_back(self.conversation, draft=kept)
        backoff = _backoff_seconds(self.conversation.attempts, self.conversation.lease_token)
        return Outcome(
            decision=Return.LOOKING if waits else Return.RETRY,
            retry_after_seconds=max(_seconds_until(kept.look_after, now), backoff),
            cause=str(error),
        )

    def _end(
        self,
        draft: Draft,
        waiting: Sequence[MessageAdded],
        sent: dict[int, Sent],
        ending: Ending,
        *,
        rule: str = "",
        duplicates: int = 0,
    ) -> Outcome:
        """Record the turn, then settle it: only now is anything acknowledged."""
        self.conversations.record(
            self.conversation.sid, self._turn_record(waiting, ending=ending, parts=draft.parts, rule=rule)
        )
        self.reached(Step.RECORDED)
        if draft.kind is Kind.FALLBACK and ending is not Ending.VOID:
            self.dead_letters.copy(waiting)
            self.reached(Step.COPIED)
        coverage = self._covered(draft.covers.union(message.index for message in sent.values()))
        stays = ending in {Ending.ANSWERED, Ending.VOID}
        self.conversations.settle(
            self.conversation,
            coverage=coverage,
            owner=self.conversation.owner if stays else Owner.HUMAN,
            now=self.clock(),
        )
        self.reached(Step.SETTLED)
        return self._acknowledge(ending, coverage, cause=rule or self.gave_up, duplicates=duplicates)

    def _covered(self, indices: Iterable[int]) -> Coverage:
        return self.conversation.coverage.with_covered(self.shown.union(indices), now=self.clock())

    def _acknowledge(self, decision: str, coverage: Coverage, *, cause: str = "", duplicates: int = 0) -> Outcome:
        """Acknowledge what is covered; the rest comes back at once, for the next turn."""
        return Outcome(
            decision=decision,
            acknowledged=frozenset(m.message_sid for m in self.delivered if coverage.covers(m.index)),
            cause=cause,
            duplicate_replies=duplicates,
        )

    def _turn_record(
        self, waiting: Sequence[MessageAdded], *, ending: Ending, parts: tuple[str, ...], rule: str
    ) -> TurnRecord:
        joined = sorted(self.conversation.turn_messages)
        return TurnRecord(
            turn=self.conversation.turn,
            first_index=joined[0].index,
            message_sids=tuple(message.message_sid for message in joined),
            said=tuple(_said(message) for message in waiting),
            parts=parts,
            ending=ending,
            rule=rule,
            at=self.clock(),
        )


def _joined(messages: Iterable[MessageAdded]) -> frozenset[Joined]:
    return frozenset(Joined(index=message.index, message_sid=message.message_sid) for message in messages)


def _in_order(messages: dict[int, MessageAdded]) -> list[MessageAdded]:
    return [messages[index] for index in sorted(messages)]


def _said(message: MessageAdded) -> str:
    """Return the words, with a note for each file that came along."""
    files = "".join(f"\n[file: {content_type}]" for content_type in message.media_content_types)
    return f"{message.body}{files}".strip()


_ENDINGS = {
    Kind.ANSWER: Ending.ANSWERED,
    Kind.HANDOFF: Ending.HANDED_OFF,
    Kind.FALLBACK: Ending.FELL_BACK,
}


def _ending(kind: Kind) -> Ending:
    return _ENDINGS[kind]


def _seconds_until(then: datetime, now: datetime) -> int:
    return max(0, math.ceil((then - now).total_seconds()))


def _backoff_seconds(attempts: int, token: str) -> int:
    """Return 2 to 30 s, doubling; the claim's random token is the jitter."""
    longest = min(LONGEST_BACKOFF_SECONDS, SHORTEST_BACKOFF_SECONDS << attempts)
    return SHORTEST_BACKOFF_SECONDS + zlib.crc32(token.encode()) % (longest - SHORTEST_BACKOFF_SECONDS + 1)
