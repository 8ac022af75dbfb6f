"""A conversation as we know it: who owns it, which of its messages are handled, and the turn that is open.

Everything here is a value. `aws/dynamodb` stores it as an item and changes it by conditional writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from switchboard.author import AuthorRole
from switchboard.events import MessageAdded, Owner

UNIX_EPOCH = datetime.fromtimestamp(0, UTC)
GAP_TTL = timedelta(days=1)  # the sweeper looks for a missing index this long; then Twilio has skipped the number
MAX_GAPS = 100  # each gap costs bytes in every write of the item
MAX_INDEX_JUMP = 10_000  # where an index jumps further, Twilio skipped numbers: no customer waits with so many messages


class ReplyKind(StrEnum):
    """Why a reply says what it says."""

    ANSWER = "answer"
    HANDOFF = "handoff"
    FALLBACK = "fallback"
    LIMIT = "limit"


class OwnerReason(StrEnum):
    """Why a human owns a conversation."""

    MESSAGE = "message"
    ATTRIBUTE = "attribute"
    HANDOFF = "handoff"
    FAILURE = "failure"


class RefusalRule(StrEnum):
    """The rules by which messages get no answer."""

    CLOSED = "closed"
    HUMAN = "human"
    OPTED_OUT = "opted_out"
    TOO_OLD = "too_old"
    OVER_BUDGET = "over_budget"


class TurnOutcome(StrEnum):
    """How a turn ended for the customer, as its record says."""

    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    FELL_BACK = "fell_back"
    UNSURE = "unsure"
    VOID = "void"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which message indices are handled: a set, because webhooks come late, in the wrong order, or not at all.

    An index is handled if it is in `handled`, or if it is at most `low_watermark` and not a gap. `gaps` are indices
    below the low watermark that no webhook and no list has shown yet, each with the time we noticed it; Twilio skips
    numbers, so most never come. `requeued` are indices that a human left unanswered and that wait for an answer again.
    """

    low_watermark: int = -1
    handled: frozenset[int] = frozenset()
    gaps: Mapping[int, datetime] = field(default_factory=dict[int, datetime])
    requeued: frozenset[int] = frozenset()

    def covers(self, index: int) -> bool:
        """Tell whether the message at `index` is handled."""
        if index in self.requeued:
            return False
        return index in self.handled or (index <= self.low_watermark and index not in self.gaps)

    def first_unknown_below(self, index: int, *, besides: Iterable[int]) -> int | None:
        """Return the lowest index between the low watermark and `index` that is neither handled nor in `besides`."""
        known = self.handled.union(besides)
        return next((number for number in range(self.low_watermark + 1, index) if number not in known), None)

    def with_handled(self, indices: Iterable[int], *, now: datetime) -> "Coverage":
        """Return the coverage after these indices are handled too; gaps older than a day are closed.

        The low watermark rises until a hundred gaps are below it. Where more messages wait, it stays low, and
        `handled` holds the indices above it.
        """
        added = frozenset(indices)
        handled = self.handled | added
        gaps = {at: noticed for at, noticed in self.gaps.items() if at not in handled and now - noticed < GAP_TTL}
        low_watermark = self._min_low_watermark(handled)
        for index in range(low_watermark + 1, max(handled, default=low_watermark) + 1):
            if index not in handled:
                if len(gaps) >= MAX_GAPS:
                    break
                gaps[index] = now
            low_watermark = index
        return Coverage(
            low_watermark=low_watermark,
            handled=frozenset(index for index in handled if index > low_watermark),
            gaps=gaps,
            requeued=self.requeued - added,
        )

    def _min_low_watermark(self, handled: frozenset[int]) -> int:
        """Return where to begin counting gaps. Numbers far below the handled ones are skipped numbers, or history."""
        if not handled:
            return self.low_watermark
        is_first_turn = self.low_watermark < 0  # a human's message may already be in `handled`
        lowest = min(handled) - MAX_GAPS if is_first_turn else max(handled) - MAX_INDEX_JUMP
        return max(self.low_watermark, lowest - 1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TurnMessage:
    """A message that belongs to the open turn. Its body is in the SQS record, or at Twilio."""

    index: int
    message_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingReply:
    """A turn's reply, frozen before it is sent: whichever worker finishes the turn sends exactly this.

    `covers` are the indices of the messages it answers. `send_attempts` counts, part by part, the POSTs that were
    allowed; no part gets a third. Nobody looks for the parts at Twilio before `verify_not_before`: until then, Twilio
    may still commit one of those POSTs.
    """

    turn: str
    kind: ReplyKind
    covers: frozenset[int]
    parts: tuple[str, ...]
    send_attempts: tuple[int, ...]
    ownership_epoch: int
    verify_not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation's item.

    `fencing_token` goes up with every claim, takeover, hand back and close; `ownership_epoch` with the last three.
    `left_to_human` are the indices of messages that wait for a human's answer.
    """

    sid: str
    first_seen_at: datetime = UNIX_EPOCH
    owner: Owner = Owner.ASSISTANT
    owner_changed_at: datetime = UNIX_EPOCH
    closed: bool = False
    opted_out_at: datetime = UNIX_EPOCH
    ownership_epoch: int = 0
    fencing_token: int = 0
    lease_fencing_token: int = 0
    lease_until: datetime = UNIX_EPOCH
    lease_token: str = ""
    turn: str = ""
    turn_messages: frozenset[TurnMessage] = frozenset()
    attempts: int = 0
    pending_reply: PendingReply | None = None
    coverage: Coverage = Coverage()
    left_to_human: frozenset[int] = frozenset()

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
class TurnRecord:
    """What is remembered of a turn, under the lowest index it covers.

    `customer` is the address whose budget the turn is charged to. `kind` is its reply's, or None where nothing was
    said. `rule` is a `RefusalRule`, or `twilio_` and Twilio's error code, or empty.
    """

    turn: str
    first_index: int
    message_sids: tuple[str, ...]
    said: tuple[str, ...]
    parts: tuple[str, ...]
    outcome: TurnOutcome
    rule: str
    at: datetime
    customer: str
    kind: ReplyKind | None
