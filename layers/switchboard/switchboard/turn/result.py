"""The values that steps return, and the result that a turn gives to its batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from switchboard.content import Content
from switchboard.conversation import RULE_OF_KIND, PendingReply, RefusalRule, ReplyKind, TurnOutcome
from switchboard.cost import Cost
from switchboard.events import Sent
from switchboard.files import TeamFile
from switchboard.loops import LoopPause
from switchboard.notices import Notice
from switchboard.ports import NOTHING_NEW, Remembered

DROPPED = "dropped"  # every delivered message was handled before


class RetryReason(StrEnum):
    """Why records go back to the queue."""

    BUSY = "busy"
    PUT_OFF = "put_off"  # not claimed: a suspect is taken alone
    FENCED = "fenced"
    RETRY = "retry"
    MODEL_REFUSED_US = "model_refused_us"
    LOOKING = "looking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Nothing waits for an answer: every delivered message was handled before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A rule says that these messages get no answer. `new_loop_pause` is set where a loop was found just now.

    `calls` tell what tools returned before the agent decided so.
    """

    rule: RefusalRule
    covers: frozenset[int]
    new_loop_pause: LoopPause | None = None
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """What the turn will say. `cause` tells why it is the fallback sentence, `calls` what tools returned for it.

    `remembered` is stored with it. `covers` are the messages that it ends, where that is not by its kind.
    `content` says it on WhatsApp, and `text` elsewhere; `links` stand below the text. `files` come after it, where the
    channel carries them.
    """

    kind: ReplyKind
    text: str
    covers: frozenset[int] | None = None
    cause: str = ""
    calls: tuple[str, ...] = ()
    remembered: Remembered = NOTHING_NEW
    content: Content | None = None
    links: tuple[str, ...] = ()
    files: tuple[TeamFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A frozen reply that may be sent now; `sent` are the parts that Twilio has already, by number."""

    reply: PendingReply
    sent: Mapping[int, Sent] = field(default_factory=dict[int, Sent])
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A frozen reply whose fate is decided; `sent` are the parts that Twilio has.

    `unanswered` are the indices of covered messages that wait again, because the reply is void.
    """

    reply: PendingReply
    sent: Mapping[int, Sent]
    outcome: TurnOutcome
    rule: str = ""
    cause: str = ""
    duplicates: int = 0
    unanswered: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """The reply stays pending, and a later delivery goes on with it, not before `retry_at`.

    `reply` is set where its send attempts changed. Tries since `tried_since` make the backoff longer; None adds none.
    """

    reason: RetryReason
    retry_at: datetime
    reply: PendingReply | None = None
    cause: str = ""
    tried_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """What became of a turn: the MessageSids to acknowledge. The others come back after `retry_after_seconds`.

    `outcome` is a `TurnOutcome`, `dropped`, or a `RetryReason`; `messages` counts the messages that the turn ended,
    `redrives_skipped` the acknowledged dead letters that need no answer any more.
    `notice` is what people must be told, stored by the write that ended the turn. `owner_changed`: Twilio must show
    another owner. `cost` is that of the reply, as far as it was sent; None where there was none.
    `cause` is a rule's name or the text of an error of ours, which never repeats what a customer said.
    """

    outcome: str
    acknowledged: frozenset[str] = frozenset()
    retry_after_seconds: int = 0
    cause: str = ""
    duplicate_replies: int = 0
    redrives_skipped: int = 0
    messages: int = 0
    notice: Notice | None = None
    owner_changed: bool = False
    cost: Cost | None = None


def detail_of(decided: Refused | Thought | None) -> str:
    """Return what gate or think decided, in a word: the rule that refuses, or the kind of what is said."""
    if decided is None:
        return ""
    return decided.rule if isinstance(decided, Refused) else decided.kind


def ended(
    sending: Sending,
    outcome: TurnOutcome,
    *,
    rule: str = "",
    duplicates: int = 0,
    unanswered: frozenset[int] = frozenset(),
) -> Ended:
    """Return how a reply ended. One that a rule says ends under that rule, and no human needs to act on it."""
    if sending.reply.kind in RULE_OF_KIND and not rule:
        rule = RULE_OF_KIND[sending.reply.kind]
        outcome = TurnOutcome.REFUSED if outcome in {TurnOutcome.UNSURE, TurnOutcome.EXPIRED} else outcome
    return Ended(
        reply=sending.reply,
        sent=sending.sent,
        outcome=outcome,
        rule=rule,
        cause=sending.cause,
        duplicates=duplicates,
        unanswered=unanswered,
    )


def outcome_when_sent(kind: ReplyKind) -> TurnOutcome:
    """Return how a turn ends whose reply was sent whole."""
    match kind:
        case ReplyKind.ANSWER | ReplyKind.TEMPLATE:
            return TurnOutcome.ANSWERED
        case ReplyKind.HANDOFF:
            return TurnOutcome.HANDED_OFF
        case ReplyKind.FALLBACK:
            return TurnOutcome.FELL_BACK
        case ReplyKind.LIMIT | ReplyKind.OPT_OUT | ReplyKind.OPT_IN:
            return TurnOutcome.REFUSED
