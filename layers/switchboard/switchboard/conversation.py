"""A conversation as we know it: who owns it, which of its messages are handled, and the turn that is open.

Everything here is a value. `aws/dynamodb` stores it as an item and changes it by conditional writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice

from switchboard.author import AuthorRole
from switchboard.channels.channel import Channel
from switchboard.consent import Consent
from switchboard.content import Content
from switchboard.cost import Cost
from switchboard.events import MessageAdded, Owner
from switchboard.loops import LoopPause, RecentReply

UNIX_EPOCH = datetime.fromtimestamp(0, UTC)
GAP_TTL = timedelta(days=1)  # the sweeper looks for a missing index this long; then Twilio has skipped the number
FAILURE_IS_OVER = "customer_wrote"  # why the assistant owns a conversation again after a failure
MAX_GAPS = 100  # each gap costs bytes in every write of the item
MAX_HISTORY_ITEMS = 40  # turns and notes that are read for the agent; their tokens are limited as well
MAX_INDEX_JUMP = 10_000  # no conversation grows by so many messages between two of our looks


class ReplyKind(StrEnum):
    """Why a reply says what it says."""

    ANSWER = "answer"
    HANDOFF = "handoff"
    FALLBACK = "fallback"
    LIMIT = "limit"
    TEMPLATE = "template"  # asks the customer to write again, where WhatsApp takes no other text
    OPT_OUT = "opt_out"  # says that no more messages come
    OPT_IN = "opt_in"  # says that they come again


class OwnerReason(StrEnum):
    """Why a human owns a conversation."""

    MESSAGE = "message"  # a human wrote
    ATTRIBUTE = "attribute"  # a human set the conversation's attributes
    HANDOFF = "handoff"  # the assistant handed it over
    FAILURE = "failure"  # the assistant gave up; the customer's next message gives it back


class RefusalRule(StrEnum):
    """The rules by which messages get no answer."""

    CLOSED = "closed"
    HUMAN = "human"
    OPTED_OUT = "opted_out"  # written while the customer wants no messages
    OPT_OUT = "opt_out"  # the message that says so
    OPT_IN = "opt_in"  # the message that takes it back
    HELP = "help"  # Twilio has answered it
    NOT_IN_TRIAL = "not_in_trial"
    LOOP = "loop"
    REACTION = "reaction"
    TOO_OLD = "too_old"
    WINDOW_CLOSED = "window_closed"  # WhatsApp takes nothing that we would say
    OVER_BUDGET = "over_budget"
    NO_REPLY = "no_reply"


FILE_GONE = "file_gone"  # the rule of a reply that ended because a file of it could not be read any more

# What a rule says of the messages that it ends; no human needs to act where it does not arrive.
RULE_OF_KIND: Mapping[ReplyKind, RefusalRule] = {
    ReplyKind.LIMIT: RefusalRule.OVER_BUDGET,
    ReplyKind.OPT_OUT: RefusalRule.OPT_OUT,
    ReplyKind.OPT_IN: RefusalRule.OPT_IN,
}


def is_by_rule(kind: ReplyKind, rule: str) -> bool:
    """Tell whether a reply is what a rule says, or ended because its customer had opted out: that is no failure."""
    return kind in RULE_OF_KIND or rule == RefusalRule.OPTED_OUT


NEEDS_A_HUMAN = frozenset({RefusalRule.TOO_OLD, RefusalRule.WINDOW_CLOSED})  # who is told; the owner stays


class TurnOutcome(StrEnum):
    """How a turn ended for the customer, as its record says."""

    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    FELL_BACK = "fell_back"
    EXPIRED = "expired"
    UNSURE = "unsure"
    VOID = "void"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which message indices are handled: a set, because webhooks come late, in the wrong order, or not at all.

    An index is handled if it is in `handled`, or if it is at most `low_watermark` and not a gap. `gaps` are indices
    below the low watermark that no webhook and no list has shown yet, each with the time we noticed it; Twilio skips
    numbers, so most never come. `requeued` are indices that wait for an answer again: a human left them unanswered, or
    their dead letter was redriven. A gap or a requeued index in `looked` was looked for at Twilio and not found.
    """

    low_watermark: int = -1
    handled: frozenset[int] = frozenset()
    gaps: Mapping[int, datetime] = field(default_factory=dict[int, datetime])
    looked: frozenset[int] = frozenset()
    requeued: frozenset[int] = frozenset()

    def covers(self, index: int) -> bool:
        """Tell whether the message at `index` is handled."""
        if index in self.requeued:
            return False
        return index in self.handled or (index <= self.low_watermark and index not in self.gaps)

    def first_unexplained_below(self, index: int, *, besides: Iterable[int]) -> int | None:
        """Return the lowest index below `index` that is neither handled, nor in `besides`, nor looked for.

        Such an index may stand below the low watermark: a message whose webhook was lost while the assistant thought
        stands below our reply, and so does one that waits again.
        """
        here = frozenset(besides)
        known = self.handled | here
        gaps = (gap for gap in self.gaps if gap < index and gap not in self.looked and gap not in known)
        again = (number for number in self.requeued - self.looked - here if number < index)
        above = (number for number in range(self.low_watermark + 1, index) if number not in known)
        return min([*gaps, *again, *islice(above, 1)], default=None)

    def is_far(self, index: int, *, highest_shown: int = -1) -> bool:
        """Tell whether no message can have this index yet, as far as we, and Twilio's last list, know.

        What is at such an index, if anything, is handled like any other message, and moves nothing.
        """
        return index > max(self.low_watermark, highest_shown) + MAX_INDEX_JUMP

    def with_handled(
        self,
        indices: Iterable[int],
        *,
        now: datetime,
        not_found: frozenset[int] = frozenset(),
        highest_shown: int = -1,
    ) -> "Coverage":
        """Return the coverage after these indices are handled too; gaps older than a day are closed.

        `not_found` are indices that were looked for at Twilio and that no list showed; `highest_shown` is the highest
        index that Twilio has shown us. The low watermark rises until a hundred gaps are below it. Where more messages
        wait, it stays low, and `handled` holds the indices above it; those far beyond all others it holds for good.
        """
        added = frozenset(indices)
        requeued = self.requeued - added
        handled = self.handled | added
        gaps = {at: noticed for at, noticed in self.gaps.items() if at not in handled and now - noticed < GAP_TTL}
        near = frozenset(index for index in handled if not self.is_far(index, highest_shown=highest_shown))
        low_watermark = self._min_low_watermark(near, highest_shown=highest_shown)
        for index in range(low_watermark + 1, max(near, default=low_watermark) + 1):
            if index not in handled:
                if len(gaps) >= MAX_GAPS:
                    break
                gaps[index] = now
            low_watermark = index
        return Coverage(
            low_watermark=low_watermark,
            handled=frozenset(index for index in handled if index > low_watermark),
            gaps=gaps,
            looked=frozenset({*gaps, *requeued} & (self.looked | not_found)),
            requeued=requeued,
        )

    def _min_low_watermark(self, handled: frozenset[int], *, highest_shown: int) -> int:
        """Return where to begin counting gaps. Numbers far below the handled ones are skipped numbers, or history.

        But no higher than what Twilio has shown: a webhook alone says nothing of the numbers below it.
        """
        if not handled:
            return self.low_watermark
        is_first_turn = self.low_watermark < 0  # a human's message may already be in `handled`
        lowest = min(handled) - MAX_GAPS if is_first_turn else max(handled) - MAX_INDEX_JUMP
        return max(self.low_watermark, min(lowest - 1, highest_shown))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TurnMessage:
    """A message that belongs to the open turn. Its body is in the SQS record, or at Twilio."""

    index: int
    message_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingReply:
    """A turn's reply, frozen before it is sent: whichever worker finishes the turn sends exactly this.

    `covers` are the indices of the messages it answers. `send_attempts` counts, part by part, the POSTs that may have
    left: one that certainly did not is taken back. Nobody looks for the parts at Twilio before `verify_not_before`:
    until then, Twilio may still commit one of those POSTs. `looks` counts the looks that did not find them all.
    `discloses` tells whether its first part begins with the disclosure. `calls` tell what tools returned for it.
    `channel` is what the parts were made for, and `text` what they were made of, in Markdown; empty where that is the
    only part. `files` are the names of files of the team's folder, and URLs of files: the last parts, one for each,
    are messages with these files. What stands for them in `parts` is what the history shows; a URL that nothing can be
    fetched from is sent as that text. `content` is sent in the place of the
    last part before them.
    """

    turn: str
    kind: ReplyKind
    covers: frozenset[int]
    parts: tuple[str, ...]
    send_attempts: tuple[int, ...]
    ownership_epoch: int
    frozen_at: datetime
    verify_not_before: datetime
    looks: int = 0
    discloses: bool = False
    calls: tuple[str, ...] = ()
    channel: Channel | None = None
    text: str = ""
    content: Content | None = None
    files: tuple[str, ...] = ()

    @property
    def text_parts(self) -> tuple[str, ...]:
        """The parts that are texts, or content: those before the files."""
        return self.parts[: len(self.parts) - len(self.files)]

    def file_of(self, part: int) -> str:
        """Return the name of the file that a part is; empty for a text."""
        return "" if part < len(self.text_parts) else self.files[part - len(self.text_parts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation's item.

    `fencing_token` goes up with every claim, takeover, hand back, close and change of consent; `ownership_epoch` with a
    takeover, a hand back and a close.
    `owner_event_at` is Twilio's time of the last lifecycle event that set the owner; `owner_since` when a human became
    the owner, by whatever cause; `human_spoke_at` when a human wrote last, in the message at `human_spoke_index`.
    `attempts` counts the claims of the open turn that ended without a verdict; once a reply is pending, those since its
    freeze. `has_effects` tells that tools have changed something outside in the open turn. `left_to_human` are the
    indices of messages that wait for a human's answer, `failed` those of messages whose dead letter a redrive answers;
    a hand back or a redrive moves an index out of both. `goes_first` marks a suspect that its last batch left no time
    for. `recent_replies` are our last reply and those of the ten minutes before it, oldest first; `loop_pause` the last
    one, over or not. `disclosed_at` is when the reply was frozen that tells the customer that a machine answers, unless
    it was never sent. `is_noted` tells that the conversation is noted as one of its customer's. `channel` and
    `customer`, a key, are the customer's, as the last reply knew them. `history_from` is the index from which on the
    history is read: what is older is in the summary. `undelivered` are the newest messages that did not reach the
    customer, newest last: Twilio's error codes, if it gave one, by MessageSid.
    """

    sid: str
    first_seen_at: datetime = UNIX_EPOCH
    owner: Owner = Owner.ASSISTANT
    owner_reason: OwnerReason | None = None
    owner_event_at: datetime = UNIX_EPOCH
    owner_since: datetime = UNIX_EPOCH
    human_spoke_at: datetime = UNIX_EPOCH
    human_spoke_index: int = -1
    handed_back_at: datetime = UNIX_EPOCH
    redriven_at: datetime = UNIX_EPOCH
    closed: bool = False
    consent: Consent = field(default_factory=Consent)
    ownership_epoch: int = 0
    fencing_token: int = 0
    lease_fencing_token: int = 0
    lease_until: datetime = UNIX_EPOCH
    lease_token: str = ""
    goes_first: bool = False
    turn: str = ""
    turn_started_at: datetime = UNIX_EPOCH
    turn_messages: frozenset[TurnMessage] = frozenset()
    attempts: int = 0
    has_effects: bool = False
    pending_reply: PendingReply | None = None
    coverage: Coverage = Coverage()
    left_to_human: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    recent_replies: tuple[RecentReply, ...] = ()
    loop_pause: LoopPause | None = None
    disclosed_at: datetime = UNIX_EPOCH
    is_noted: bool = False
    channel: Channel | None = None
    customer: str = ""
    history_from: int = 0
    undelivered: Mapping[str, int | None] = field(default_factory=dict[str, int | None])

    @property
    def has_failed(self) -> bool:
        """Whether a human owns the conversation only because the assistant gave up."""
        return self.owner is Owner.HUMAN and self.owner_reason is OwnerReason.FAILURE

    @property
    def requeued_at(self) -> datetime:
        """When messages were requeued last. What is requeued is as old as that, whenever it was written."""
        return max(self.handed_back_at, self.redriven_at)

    def requeued_since(self, moment: datetime) -> frozenset[int]:
        """Return the indices that were requeued since then; those requeued before it are given up."""
        return self.coverage.requeued if self.requeued_at >= moment else frozenset()

    @property
    def quiet_since(self) -> datetime | None:
        """Since when the human who owns the conversation has said nothing, as far as we know.

        None where there is nobody to hand it back from: a failure ends with the customer's next message, by itself.
        A human's word that came late counts from the event that overtook it.
        """
        if self.owner is Owner.ASSISTANT or self.has_failed or self.closed:
            return None
        return max(self.owner_since, self.owner_event_at)

    def is_leased(self, now: datetime) -> bool:
        """Tell whether a worker has the conversation now."""
        return self._has_a_lease and now < self.lease_until

    def is_suspect(self, now: datetime) -> bool:
        """Tell whether the last attempt ended without a verdict, which removes the lease: it may kill the next, too."""
        return self._has_a_lease and now >= self.lease_until

    @property
    def _has_a_lease(self) -> bool:
        """Whether a lease is there, over or not, and nobody has raised the fencing token since it was taken."""
        return bool(self.lease_token) and self.lease_fencing_token == self.fencing_token

    def has_a_customer(self) -> bool:
        """Tell whether a turn was ever opened: without one, no customer has spoken."""
        return bool(self.turn or self.pending_reply or self.coverage.low_watermark >= 0)

    def is_history(self, message: MessageAdded, *, max_event_age: timedelta) -> bool:
        """Tell whether a message was already too old when we first saw the conversation."""
        return message.at < self.first_seen_at - max_event_age

    def last_reply_before_the_table(self, listed: Iterable[MessageAdded]) -> int:
        """Return the index of our last reply if the item knows of none, else -1.

        An item that has settled no turn and sends no reply, beside replies of ours at Twilio, was lost with its table.
        The messages before such a reply were answered.
        """
        if self.coverage.low_watermark >= 0 or self.pending_reply:
            return -1
        return max((message.index for message in listed if message.author_role is AuthorRole.ASSISTANT), default=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerChange:
    """A change of owner, as the conversation's attributes at Twilio show it.

    `reason` is an `OwnerReason`; where the assistant owns it, `by_human` or `by_time` (it was handed back), or
    `customer_wrote` (a failure is over). `at` is when it changed, `since` since when it is so: a human who writes in a
    conversation that was handed off has another reason, and the same `since`. `shown_at` is when it was first shown.
    """

    conversation_sid: str
    owner: Owner
    reason: str
    since: datetime
    at: datetime
    shown_at: datetime | None = None


def owner_change(sid: str, owner: Owner, reason: str, *, at: datetime) -> OwnerChange:
    """Return a change of owner at a time."""
    return OwnerChange(conversation_sid=sid, owner=owner, reason=reason, since=at, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """What is remembered of a turn.

    `index` is its place in the history: it comes after whatever has a lower one. `said` are the texts of its messages,
    one for each of `message_sids`. `ownership_epoch` tells whether somebody took the conversation since another turn.
    `customer` is the address whose budget the turn is charged to. `kind` is its reply's, or None where nothing was
    said. `rule` is a `RefusalRule`, or `twilio_` and Twilio's error code, or `FILE_GONE`, or empty. `calls` tell what
    tools returned for its reply, `effects` what they have changed outside, one text each. `text` is what the parts were
    made of, as in `PendingReply`. `cost` is that of the parts which were sent, or None where nothing was said. `sent`
    are the MessageSids of the parts, one for each, empty for a part that Twilio is not known to have; none at all where
    it has none. `Conversation.undelivered` says which of them failed.
    """

    turn: str
    index: int
    ownership_epoch: int
    message_sids: tuple[str, ...]
    said: tuple[str, ...]
    parts: tuple[str, ...]
    outcome: TurnOutcome
    rule: str
    at: datetime
    customer: str
    kind: ReplyKind | None
    effects: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    text: str = ""
    cost: Cost | None = None
    sent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a human or another program said in a conversation. Who they are is not kept."""

    index: int
    author_role: AuthorRole
    text: str
    at: datetime


def notes_of(messages: Iterable[MessageAdded]) -> list[Note]:
    """Return what is kept of messages: what humans and other programs said."""
    return [
        Note(index=message.index, author_role=message.author_role, text=message.text, at=message.at)
        for message in messages
        if message.author_role in {AuthorRole.HUMAN, AuthorRole.SYSTEM}
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What stands in the place of a conversation's turns and notes up to an index, that included; made at `at`.

    `gaps` are indices below it of which nothing was known then: a note that comes there later is shown. Whoever has the
    summary reads the history from the index `read_from` on.
    """

    index: int
    text: str
    at: datetime
    gaps: frozenset[int] = frozenset()
    read_from: int = 0

    def covers(self, item: TurnRecord | Note) -> bool:
        """Tell whether a turn or a note is in the summary. A turn's record never comes below one that was made."""
        return item.index <= self.index and not (isinstance(item, Note) and item.index in self.gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The latest turns and notes of a conversation, in order; `is_complete`: there are no older ones.

    Some of them may be in the summary, if there is one.
    """

    items: tuple[TurnRecord | Note, ...]
    is_complete: bool
    summary: Summary | None = None
