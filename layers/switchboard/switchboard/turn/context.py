"""What a worker knows of the turn it claimed. Frozen: a step that learns something returns a new context."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from switchboard.agent import Agent, ReadMedia
from switchboard.budgets import Budget
from switchboard.channels.channel import Channel, channel_of, narrowest
from switchboard.channels.sms import SmsSettings
from switchboard.consent_sentences import ConsentSentences
from switchboard.content import Content
from switchboard.conversation import UNIX_EPOCH, Conversation, Coverage
from switchboard.disclosure import Disclosure
from switchboard.events import MessageAdded
from switchboard.files import FilesFolder
from switchboard.loops import WrittenText, fingerprint
from switchboard.memory import Memory
from switchboard.ports import BudgetStore, Clock, DeadLetters, FileFetcher, Messenger, Takeovers, TurnStore
from switchboard.prices import NO_PRICES, PriceTable


class Step(StrEnum):
    """The steps of a turn, in order; `resume` stands in for gather to freeze where a reply is already frozen."""

    CLAIM = "claim"
    RESUME = "resume"
    GATHER = "gather"
    GATE = "gate"
    THINK = "think"
    FREEZE = "freeze"
    SEND = "send"
    RECORD = "record"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """What an operator may set. Only customers whose address matches one of `trial_addresses`, if any, get answers."""

    disclosure: Disclosure
    fallback_sentence: str
    budget: Budget
    answer_within: timedelta
    max_attempts: int
    max_event_age: timedelta
    turns_per_ten_minutes: int
    sms: SmsSettings
    trial_addresses: tuple[re.Pattern[str], ...]
    memory: Memory = field(default_factory=Memory)
    voice_note_sentence: str = ""  # empty: the agent is asked
    consent: ConsentSentences = field(default_factory=ConsentSentences)
    window_template: Content | None = None  # sent where WhatsApp takes nothing else
    prices: PriceTable = NO_PRICES


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """A step of a turn has read or written something outside.

    `detail` is a rule, a kind or an outcome, or which part of a reply it was: never what anybody said.
    """

    step: Step
    conversation_sid: str
    turn: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPorts:
    """What a turn works with. `customer_secret` is what the keys of customers are made with.

    `read_media` returns a file of a message. `files` is the folder of what an answer may send, and
    `fetcher` fetches what stands at a URL; without it, a URL is a link.
    `pause` waits so many seconds.

    `observe` is called each time a step has read or written something outside, in the turn's own thread: several turns
    run at once. A step that makes several calls, such as a reply of several parts, is observed once for each.
    """

    agent: Agent
    conversations: TurnStore
    takeovers: Takeovers
    budgets: BudgetStore
    messenger: Messenger
    dead_letters: DeadLetters
    clock: Clock
    customer_secret: bytes
    read_media: ReadMedia | None = None
    files: FilesFolder = field(default_factory=FilesFolder)
    fetcher: FileFetcher | None = None
    pause: Callable[[float], object] = time.sleep
    observe: Callable[[StepTaken], None] = lambda _taken: None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnContext:
    """One claimed turn.

    `conversation` is the item as this worker last saw it; `delivered` the messages of the SQS records; `messages`
    those that the turn answers, as far as they are known, in order; `needs_no_answer` the indices of other messages
    that a list has shown; `not_found` those that a list did not show; `highest_shown` the highest one that it showed.
    The turn thinks no longer than lets it be done by `done_by`: the end of the lease, or earlier where another
    conversation waits for this process.
    """

    conversation: Conversation
    delivered: tuple[MessageAdded, ...]
    lease_until: datetime
    done_by: datetime
    ports: TurnPorts
    settings: TurnSettings
    messages: tuple[MessageAdded, ...] = ()
    needs_no_answer: frozenset[int] = frozenset()
    not_found: frozenset[int] = frozenset()
    highest_shown: int = -1

    def now(self) -> datetime:
        """Return the time now."""
        return self.ports.clock()

    def observe(self, step: Step, detail: str = "") -> None:
        """Tell whoever watches that a step has read or written something outside."""
        sid, turn = self.conversation.sid, self.conversation.turn
        self.ports.observe(StepTaken(step=step, conversation_sid=sid, turn=turn, detail=detail))

    def waiting_indices(self) -> frozenset[int]:
        """Return the indices of the open turn's messages that wait for an answer."""
        coverage = self.conversation.coverage
        return frozenset(m.index for m in self.conversation.turn_messages if not coverage.covers(m.index))

    def shown_indices(self) -> frozenset[int]:
        """Return the indices of the messages whose words are known: what is decided by words ends only these."""
        return frozenset(message.index for message in self.messages)

    def begins_the_conversation(self) -> bool:
        """Tell whether nothing was said but the turn's messages: they have the indices from 0 on, nobody has others."""
        waiting, is_alone = self.waiting_indices(), self.conversation.coverage == Coverage()
        return is_alone and not self.needs_no_answer and waiting == frozenset(range(len(waiting)))

    def channel(self) -> Channel:
        """Return the channel of the customer; of several, the one that carries least."""
        known = () if self.conversation.channel is None else (self.conversation.channel,)
        return narrowest([*known, *(channel_of(message.author) for message in self.messages or self.delivered)])

    def disclosure(self) -> str:
        """Return the sentence that says that a machine answers; nothing where it was sent, or may have been."""
        if self.conversation.disclosed_at > UNIX_EPOCH:
            return ""
        return self.settings.disclosure.sentence(message.body for message in self.messages)

    def written_texts(self) -> tuple[WrittenText, ...]:
        """Return the messages as the rule `loop` compares them."""
        sid = self.conversation.sid
        return tuple(
            WrittenText(text=fingerprint(message.body, conversation_sid=sid), at=message.at)
            for message in self.messages
        )

    def goes_back(self, message: MessageAdded) -> bool:
        """Tell whether a redriven message is too early: a pending reply ends it, so it comes back when that is settled.

        Where it was requeued, the pending reply is its redrive's own.
        """
        reply, requeued = self.conversation.pending_reply, self.conversation.coverage.requeued
        return message.again and reply is not None and message.index in reply.covers - requeued

    def is_out_of_attempts(self) -> bool:
        """Tell whether so many workers died over this turn that nobody may think, or look, any more."""
        return self.conversation.attempts > self.settings.max_attempts

    def is_overdue(self) -> bool:
        """Tell whether the time is over in which the turn should have been answered."""
        return self.now() - self.conversation.turn_started_at >= self.settings.answer_within

    def is_history(self, message: MessageAdded) -> bool:
        """Tell whether a message was already too old when we first saw the conversation."""
        return self.conversation.is_history(message, max_event_age=self.settings.max_event_age)

    def coverage_with(self, indices: Iterable[int], *, sent: Iterable[int] = ()) -> Coverage:
        """Return the coverage after these indices, those of our reply, and those that need no answer are handled."""
        return self.conversation.coverage.with_handled(
            self.needs_no_answer.union(indices, sent),
            now=self.now(),
            not_found=self.not_found,
            highest_shown=max(self.highest_shown, *sent, -1),
        )
