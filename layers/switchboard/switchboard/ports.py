"""What the flows need from the world: small Protocols, and the values that cross them.

A method that takes a `Conversation` succeeds only while the item still has that conversation's fencing token, and
raises `Fenced` otherwise. Every write is one conditional write, and safe to repeat.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from switchboard.budgets import Spent
from switchboard.channels.channel import Channel
from switchboard.consent import Consent, ConsentChange
from switchboard.content import Content
from switchboard.conversation import (
    Conversation,
    Coverage,
    History,
    Note,
    OwnerChange,
    OwnerReason,
    PendingReply,
    Summary,
    TurnMessage,
    TurnRecord,
)
from switchboard.effects import Effect, TurnEffects
from switchboard.errors import Transient
from switchboard.events import DeliveryFailed, Marker, MessageAdded, Sent
from switchboard.files import FetchedFile
from switchboard.loops import LoopPause, RecentReply
from switchboard.notices import Notice

# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Clock(Protocol):
    """The time now, in UTC."""

    def __call__(self) -> datetime:
        """Return the time now."""
        ...


# ── Twilio ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class MessageList(Protocol):
    """The messages of a conversation, as Twilio lists them."""

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order; raise `Transient`, or `Permanent` if it is gone."""
        ...


class Messenger(MessageList, Protocol):
    """Twilio, as a turn uses it."""

    def is_settled(self, conversation_sid: str, message_sid: str) -> bool:
        """Tell whether a message has arrived, or failed; raise `Transient`, or `Permanent` if it is gone."""
        ...

    def upload(self, *, content: bytes, content_type: str, filename: str) -> str:
        """Upload a file and return its SID, for one message within five minutes.

        Raise `SendRefused`, or `NotSent`: whatever else went wrong, nobody has received anything.
        """
        ...

    def send_message(
        self,
        conversation_sid: str,
        *,
        body: str,
        marker: Marker,
        content: Content | None = None,
        media_sid: str = "",
    ) -> Sent:
        """Send one part, or in its place content, or the file that was uploaded under this SID.

        Raise `SendRefused`, `NotSent` (it certainly did not leave) or `Unknown`.
        """
        ...


class SilentCustomers(Protocol):
    """Who takes part in a conversation at Twilio, and has not written for a while."""

    def has_silent_customer(self, conversation_sid: str, *, channel: Channel, since: datetime) -> bool:
        """Tell whether a customer on this channel takes part whose last message is not after `since`, or who has none.

        Raise `SendRefused` or `NotSent`, because it is asked before something is sent.
        """
        ...


class FileFetcher(Protocol):
    """Files at allowed hosts, as a turn attaches them."""

    def may_fetch(self, url: str) -> bool:
        """Tell whether a URL is at an allowed host; nothing is asked."""
        ...

    def fetch(self, url: str, *, max_bytes: int) -> FetchedFile:
        """Return what is at a URL, in a few seconds; raise `Permanent` or `Transient` where it is not there."""
        ...


class HumanMessenger(MessageList, SilentCustomers, Protocol):
    """Twilio's messages, as humans write them through us."""

    def send_as_human(self, conversation_sid: str, *, human: str, body: str, content: Content | None = None) -> Sent:
        """Send a text as that human, or content in its place.

        Raise `SendRefused`, `NotSent` (it certainly did not leave) or `Unknown`.
        """
        ...


class OwnerDisplay(Protocol):
    """A conversation at Twilio, as other programs see it."""

    def show_decision(self, change: OwnerChange, *, human: str | None) -> None:
        """Write an operator's decision into the conversation's attributes, and which human took it."""
        ...

    def ensure_closed(self, sid: str) -> None:
        """Close the conversation; one that is closed or gone already stays so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """One page of a list: messages in order, and whether no older one is wanted."""

    messages: tuple[MessageAdded, ...]
    is_last: bool


class MessagePages(Protocol):
    """The messages of a conversation, one request at a time."""

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        """Yield the messages at `from_index` and above, the newest page first; each page costs a request."""
        ...


class NewConversations(Protocol):
    """The conversations that are new at Twilio."""

    def new_conversations(self, *, since: datetime, limit: int) -> Sequence[str]:
        """Return the SIDs of the conversations created since then, the newest first."""
        ...


# ── SQS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class DeadLetters(Protocol):
    """The dead-letter queue: messages that nobody could answer. An alarm watches it."""

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        """Put the messages there; a repeat for the same turn adds nothing."""
        ...


class Requeue(Protocol):
    """A queue that takes messages which it may have had before."""

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        """Queue the messages; a repeat with the same `since` adds nothing."""
        ...


# ── DynamoDB ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Fenced(Transient):
    """The fencing token was raised: another worker, a human or a close has the conversation now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Another worker holds the lease of the conversation, until then at the latest."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the end of a turn changes in the conversation's item, beside closing the turn.

    `human_because` makes a human the owner; None leaves the owner. `left_to_human` and `failed` are added to;
    `answered_since` are indices that the assistant was shown as unanswered, and that no human has to answer any more.
    `recent_replies` replace those that the item has. With `disclosure_unread` the conversation is not disclosed any
    more. `notice` is stored by the same write.
    """

    coverage: Coverage
    human_because: OwnerReason | None
    left_to_human: frozenset[int]
    failed: frozenset[int]
    answered_since: frozenset[int]
    at: datetime
    recent_replies: tuple[RecentReply, ...] = ()
    disclosure_unread: bool = False
    notice: Notice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is stored with a frozen reply, by the same write: a summary, which replaces the conversation's last one.

    With `customer`, a customer's key, the conversation is noted as one of theirs.
    """

    summary: Summary | None = None
    customer: str = ""


NOTHING_NEW = Remembered()


class TurnStore(Protocol):
    """The conversation's item and its turns' records, as a turn reads and writes them."""

    def read_unclaimed(self, sid: str) -> Conversation:
        """Return the conversation as it is now, and take it from nobody (a consistent read)."""
        ...

    def let_go_first(self, suspect: Conversation) -> None:
        """Have the next delivery take this suspect first, unless it was claimed or taken since. The claim ends it.

        Never raises `Fenced`.
        """
        ...

    def claim(
        self,
        sid: str,
        *,
        messages: frozenset[TurnMessage],
        redriven: frozenset[int],
        turn: str,
        token: str,
        told_at: datetime,
        now: datetime,
        lease_until: datetime,
    ) -> Conversation | Busy:
        """Raise the fencing token, take the lease, count an attempt, and join the messages to the open turn.

        Where no turn is open, one opens under the id `turn`, now. A conversation that is new was first seen when Twilio
        told us of it, at `told_at`: a claim may come much later. Those of the indices `redriven` that are in `failed`
        move to `requeued`. A claim repeated with its own token changes nothing.
        """
        ...

    def join(self, conversation: Conversation, messages: frozenset[TurnMessage]) -> Conversation:
        """Join messages that a list has shown to the open turn."""
        ...

    def refuse(
        self,
        conversation: Conversation,
        record: TurnRecord,
        *,
        coverage: Coverage,
        left_to_human: frozenset[int] = frozenset(),
        failed: frozenset[int] = frozenset(),
        loop_pause: LoopPause | None = None,
        notice: Notice | None = None,
    ) -> None:
        """Record the turn and close it without an answer; the owner stays. What the assistant was asked is charged.

        The same write stores `notice`.
        """
        ...

    def read_effects(self, sid: str, turn: str) -> TurnEffects:
        """Return what the turn's tools have changed, or begun to (a consistent read)."""
        ...

    def begin_effect(self, conversation: Conversation, effect: Effect, *, so_far: str, after: Effect | None) -> None:
        """Store that an effect begins, and the agent's account so far, in one transaction; a repeat changes nothing.

        `after` is the same effect as an earlier attempt left it; `Fenced` is raised where it is not so any more.
        """
        ...

    def end_effect(self, conversation: Conversation, effect: Effect) -> Effect:
        """Store what became of an effect that this token has begun, and return it as it is kept.

        Not fenced: what happened has happened. Where it has an end already, that one stays.
        """
        ...

    def freeze(
        self, conversation: Conversation, pending_reply: PendingReply, *, remembered: Remembered = NOTHING_NEW
    ) -> None:
        """Store the reply. From now on, every worker that finishes this turn sends exactly this.

        The same write stores what is remembered. Attempts are 1 again: this claim's. Where a human owns the
        conversation only because of a failure, the assistant owns it again.
        """
        ...

    def record_resend(self, conversation: Conversation, pending_reply: PendingReply) -> None:
        """Store the reply's new `send_attempts` and `verify_not_before`, before its missing parts are sent again."""
        ...

    def read_fencing_token(self, sid: str) -> int:
        """Return the fencing token now (a consistent read)."""
        ...

    def record(self, sid: str, record: TurnRecord) -> None:
        """Store the turn's record and charge the budgets in one transaction; a repeat changes only how it ended."""
        ...

    def settle(self, conversation: Conversation, settlement: Settlement) -> None:
        """Close the turn: remove the pending reply, the turn, its attempts and the lease; its messages are handled."""
        ...

    def give_back(self, conversation: Conversation, *, pending_reply: PendingReply | None = None) -> None:
        """Remove our lease if it is still ours, take its attempt back, and store what we know of the reply's POSTs.

        Never raises `Fenced`.
        """
        ...

    def close_empty(self, conversation: Conversation) -> None:
        """Remove our lease and a turn without messages to answer; never raises `Fenced`."""
        ...

    def history(self, sid: str, *, since: int = 0) -> History:
        """Return the latest turns and notes from an index on, in order, and the summary.

        It is a consistent read, in one request. Where `since` leaves something out, the history is not complete.
        """
        ...

    def read_consent(self, customer: str, channel: Channel) -> Consent:
        """Return what is kept of a customer on a channel, whatever the conversation (a consistent read)."""
        ...

    def conversations_of(self, customer: str, *, limit: int) -> Sequence[str]:
        """Return the SIDs of the conversations that are noted as this customer's, the newest first."""
        ...

    def forget_customer(self, customer: str) -> None:
        """Remove which conversations are a customer's, and the summaries of these; safe to repeat.

        A turn that is thinking meanwhile may write a summary of what it has read.
        """
        ...


class BudgetStore(Protocol):
    """The counters of the budgets."""

    def spent(self, customer: str, *, now: datetime) -> Spent:
        """Return what was spent today."""
        ...


class Takeover(StrEnum):
    """What a takeover did: `BEFORE_ANY_CUSTOMER` is applied too, in a conversation in which no customer has spoken."""

    APPLIED = "applied"
    BEFORE_ANY_CUSTOMER = "before_any_customer"
    OUTDATED = "outdated"


class Takeovers(Protocol):
    """What somebody's word changes: the history, who owns the conversation, and whether its customer wants messages."""

    def keep_notes(self, sid: str, notes: Sequence[Note]) -> None:
        """Keep what humans and other programs said, for the history; a repeat changes nothing."""
        ...

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        """Make a human the owner, unless a newer event set the owner: then it is outdated.

        `index` is the index of the human's message, which is handled from now on, or None where it was no message.
        """
        ...

    def change_consent(self, sid: str, change: ConsentChange) -> bool:
        """Opt the customer out or in, unless a newer word said otherwise. Return whether that changed anything.

        A change takes the conversation from its worker: the fencing token is raised. It is kept for the customer's
        next conversations on the channel, too.
        """
        ...


class HandBacks(Protocol):
    """The owner of a conversation, as time changes it."""

    def hand_back_unless_spoken(self, conversation: Conversation, *, now: datetime) -> frozenset[int] | None:
        """Make the assistant the owner, if nothing has changed since the conversation was read; else return None.

        Return the indices of the messages that wait for an answer again. What is newer than the last event that set the
        owner still counts; that event, told once more, does not. The same write stores the notice.
        """
        ...


class LifecycleStore(Takeovers, HandBacks, Protocol):
    """The conversation's item, as lifecycle events change it. Events may come late, twice and in any order."""

    def hand_back(self, sid: str, *, at: datetime) -> frozenset[int] | None:
        """Make the assistant the owner, unless a newer event set the owner; then return None.

        Return the indices of the messages that wait for an answer again. The same write stores the notice, where a
        human owned the conversation.
        """
        ...

    def has_opted_out(self, sid: str) -> bool:
        """Tell whether the conversation's customer wants no messages (a consistent read)."""
        ...

    def mark_handled(self, sid: str, *, index: int, at: datetime) -> None:
        """Count a message that needs no answer as handled: then no turn looks for it."""
        ...

    def close(self, sid: str, *, at: datetime) -> None:
        """Close the conversation, for good. The same write stores the notice."""
        ...

    def mark_undelivered(self, failed: DeliveryFailed, *, notice: Notice | None) -> None:
        """Keep that a message did not reach the customer. The same write stores the notice, if there is one.

        The fencing token stays: nobody's turn is disturbed. A repeat changes nothing.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedByHuman:
    """A conversation that a human owns: why, since when, and how many messages wait for their answer."""

    conversation_sid: str
    reason: OwnerReason
    since: datetime
    messages_left: int


class OwnerIndex(Protocol):
    """Which conversations a human owns."""

    def owned_by_humans(self) -> Iterable[str]:
        """Return the SIDs of conversations that a human owns, the longest owned first. The index may lag."""
        ...

    def read_owned(self, sid: str) -> OwnedByHuman | None:
        """Return why and since when a human owns the conversation (a consistent read); None if none does, or closed."""
        ...


MIN_CHECK_INTERVAL = timedelta(minutes=1)  # from an activity to the sweeper's first check after it


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCheck:
    """What the index says of a check that is due.

    `number` counts the checks that the conversation has had since its last activity, 0 to 4; 4 stands for any more.
    """

    conversation_sid: str
    number: int
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueConversation:
    """A conversation that is due for a check, as its item says.

    `checks` counts the checks since its last activity. `active_check` is the check that activity has made due, or None
    where it was not active since the last one.
    """

    conversation: Conversation
    checks: int
    activity: datetime
    active_check: datetime | None


class SweepIndex(Protocol):
    """Which conversations the sweeper must look at, and when."""

    def due(self, *, now: datetime, limit: int) -> Sequence[DueCheck]:
        """Return the checks that are due: of each `number` the longest due, at most `limit` of them."""
        ...

    def read(self, check: DueCheck, *, now: datetime) -> DueConversation | None:
        """Return the conversation of a check, or None where none is due any more (a consistent read)."""
        ...

    def untracked(self, sids: Sequence[str]) -> Sequence[str]:
        """Return those conversations that were never active here and have no check, in the given order."""
        ...

    def track(self, sid: str, *, now: datetime) -> None:
        """Give a conversation its first check, if it has none."""
        ...

    def postpone(self, checked: DueConversation, *, until: datetime | None, now: datetime) -> None:
        """Count a check and set the next (None: there is none).

        Where the conversation was active meanwhile, its next check is a minute from now. Where another sweep has
        checked it meanwhile, nothing changes.
        """
        ...

    def put_off(self, check: DueCheck, *, until: datetime) -> None:
        """Make a check due later and count nothing, whatever the item holds."""
        ...
