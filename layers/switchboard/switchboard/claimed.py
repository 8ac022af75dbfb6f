"""A conversation that a worker has claimed: what it holds of it, and what every way through a turn does with it."""

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from switchboard.conversation import Conversation, Coverage, Ending, Joined, Kind, TurnRecord
from switchboard.events import MessageAdded, Speaker
from switchboard.limits import Budget
from switchboard.ports import Agent, Clock, Conversations, DeadLetters, Fenced, Messenger

MOST_SAID = 8_000  # characters of a message that an agent is shown: chat takes 32 KB, and each costs
MOST_REMEMBERED = 20_000  # characters of a turn that its record keeps: an item holds 400 KB, and each KB is paid for
LONGEST_BACKOFF_SECONDS = 30
SHORTEST_BACKOFF_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an operator may set."""

    fallback_sentence: str
    budget: Budget
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


@dataclass(slots=True, kw_only=True)
class Claimed:
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

    def indices_waiting(self) -> frozenset[int]:
        """Return the indices of the open turn that wait for an answer."""
        coverage = self.conversation.coverage
        return frozenset(m.index for m in self.conversation.turn_messages if not coverage.covers(m.index))

    def is_out_of_claims(self) -> bool:
        """Tell whether even a frozen draft had its share of claims."""
        return self.conversation.attempts > 2 * self.rules.max_attempts

    def is_history(self, message: MessageAdded) -> bool:
        """Tell whether a message stood there long before we first heard of its conversation."""
        return self.conversation.has_history_at(message.at, max_event_age=self.rules.max_event_age)

    def look(self, from_index: int) -> tuple[MessageAdded, ...]:
        """List the conversation; a colleague's message that nobody told us about is a takeover."""
        listed = self.messenger.list_messages(self.conversation.sid, from_index=from_index)
        self.reached(Step.LISTED)
        news = [
            message
            for message in listed
            if message.speaker is Speaker.COLLEAGUE
            and message.at > self.conversation.owner_at
            and not self.conversation.coverage.covers(message.index)
            and not self.is_history(message)
        ]
        for message in news:
            self.conversations.take_over(message.conversation_sid, index=message.index, at=message.at)
        if news:
            raise Fenced(f"{self.conversation.sid}: a colleague has written")
        return listed

    def covered(self, indices: Iterable[int]) -> Coverage:
        """Return what is covered once these indices are, and what a list has shown."""
        return self.conversation.coverage.with_covered(self.shown.union(indices), now=self.clock())

    def acknowledge(self, decision: str, coverage: Coverage, *, cause: str = "", duplicates: int = 0) -> Outcome:
        """Acknowledge what is covered; the rest comes back at once, for the next turn."""
        return Outcome(
            decision=decision,
            acknowledged=frozenset(m.message_sid for m in self.delivered if coverage.covers(m.index)),
            cause=cause,
            duplicate_replies=duplicates,
        )

    def letters(self, covers: frozenset[int], waiting: Sequence[MessageAdded]) -> list[MessageAdded]:
        """Return the messages that a draft covers; one whose words nobody brought has none, but its SID."""
        words = {message.index: message for message in waiting}
        return [
            words.get(message.index) or self._without_words(message)
            for message in sorted(self.conversation.turn_messages)
            if message.index in covers
        ]

    def _without_words(self, message: Joined) -> MessageAdded:
        return MessageAdded(
            conversation_sid=self.conversation.sid,
            message_sid=message.message_sid,
            index=message.index,
            speaker=Speaker.CUSTOMER,
            author=self.delivered[0].author,
            body="",
            at=self.clock(),
        )

    def turn_record(
        self,
        waiting: Sequence[MessageAdded],
        *,
        covers: frozenset[int],
        ending: Ending,
        rule: str,
        parts: tuple[str, ...] = (),
        kind: Kind | None = None,
    ) -> TurnRecord:
        """Return what is remembered of this turn; messages that joined it behind its draft are not its own."""
        messages = sorted(message for message in self.conversation.turn_messages if message.index in covers)
        return TurnRecord(
            turn=self.conversation.turn,
            first_index=min(covers),
            message_sids=tuple(message.message_sid for message in messages),
            said=_within([said(message) for message in waiting], MOST_REMEMBERED),
            parts=parts,
            ending=ending,
            rule=rule,
            at=self.clock(),
            customer=self.delivered[0].author,
            kind=kind,
        )


def joined(messages: Iterable[MessageAdded]) -> frozenset[Joined]:
    """Return the messages as the open turn keeps them."""
    return frozenset(Joined(index=message.index, message_sid=message.message_sid) for message in messages)


def in_order(messages: dict[int, MessageAdded]) -> list[MessageAdded]:
    """Return messages, keyed by index, in order."""
    return [messages[index] for index in sorted(messages)]


def said(message: MessageAdded) -> str:
    """Return the words, of very many the first, with a note for each file that came along."""
    words = message.body if len(message.body) <= MOST_SAID else f"{message.body[:MOST_SAID]}\n[cut here]"
    files = "".join(f"\n[file: {content_type}]" for content_type in message.media_content_types)
    return f"{words}{files}".strip()


def _within(texts: Iterable[str], characters: int) -> tuple[str, ...]:
    """Return texts, the last of them cut or left out, so that all together have at most so many characters."""
    kept: list[str] = []
    for text in texts:
        if characters > 0:
            kept.append(text[:characters])
            characters -= len(text)
    return tuple(kept)


def seconds_until(then: datetime, now: datetime) -> int:
    """Return whole seconds until then, none if it is past."""
    return max(0, math.ceil((then - now).total_seconds()))


def backoff_seconds(attempts: int, token: str) -> int:
    """Return 2 to 30 s, doubling; the claim's random token is the jitter."""
    longest = min(LONGEST_BACKOFF_SECONDS, SHORTEST_BACKOFF_SECONDS << attempts)
    return SHORTEST_BACKOFF_SECONDS + zlib.crc32(token.encode()) % (longest - SHORTEST_BACKOFF_SECONDS + 1)
