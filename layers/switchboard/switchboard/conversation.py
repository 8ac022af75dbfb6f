"""A conversation as we know it: who owns it, which of its messages are dealt with, and the turn that is open.

Everything here is a value; `aws/table.py` keeps it in DynamoDB and changes it by conditional writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from switchboard.events import MessageAdded, Speaker

LONG_AGO = datetime.fromtimestamp(0, UTC)
HOLE_LIVES = timedelta(days=1)  # the sweeper looks for a missing index this long, then it counts as skipped
MOST_HOLES = 100  # each costs bytes in every write of the item
LONGEST_SKIP = 10_000  # an index that jumps further is Twilio's doing: no customer waits with so many messages


class Owner(StrEnum):
    """Who speaks for us."""

    AGENT = "agent"
    HUMAN = "human"


class Kind(StrEnum):
    """Why a draft says what it says."""

    ANSWER = "answer"
    HANDOFF = "handoff"
    FALLBACK = "fallback"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which message indices are dealt with: a set, because webhooks come late, reversed and not at all.

    Covered is what was seen, or stands at most at `floor` and is no hole. `holes` are indices below the floor that
    nobody has shown us yet, each with the time it was noticed; Twilio skips numbers, so most never arrive. `reopened`
    are indices that a human left behind and that wait for an answer again.
    """

    floor: int = -1
    seen: frozenset[int] = frozenset()
    holes: Mapping[int, datetime] = field(default_factory=dict[int, datetime])
    reopened: frozenset[int] = frozenset()

    def covers(self, index: int) -> bool:
        """Tell whether the message at `index` is dealt with."""
        if index in self.reopened:
            return False
        return index in self.seen or (index <= self.floor and index not in self.holes)

    def first_unseen_below(self, index: int, *, besides: Iterable[int]) -> int | None:
        """Return the lowest index between the floor and `index` that neither we nor `besides` have seen."""
        known = self.seen.union(besides)
        return next((number for number in range(self.floor + 1, index) if number not in known), None)

    def with_covered(self, indices: Iterable[int], *, now: datetime) -> "Coverage":
        """Add what is dealt with now. The floor rises as far as the holes below it can be counted; old ones close.

        With many messages waiting, the floor stays low and `seen` holds what is dealt with above it.
        """
        covered = frozenset(indices)
        seen = self.seen | covered
        holes = {at: noticed for at, noticed in self.holes.items() if at not in seen and now - noticed < HOLE_LIVES}
        floor = self._lowest_floor(seen)
        for index in range(floor + 1, max(seen, default=floor) + 1):
            if index not in seen:
                if len(holes) >= MOST_HOLES:
                    break
                holes[index] = now
            floor = index
        return Coverage(
            floor=floor,
            seen=frozenset(index for index in seen if index > floor),
            holes=holes,
            reopened=self.reopened - covered,
        )

    def _lowest_floor(self, seen: frozenset[int]) -> int:
        """Return where to begin counting: far below what is seen, numbers are Twilio's skips or history."""
        if not seen:
            return self.floor
        is_first_turn = self.floor < 0  # a colleague may have been seen before
        lowest = min(seen) - MOST_HOLES if is_first_turn else max(seen) - LONGEST_SKIP
        return max(self.floor, lowest - 1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Joined:
    """A message that belongs to the open turn; its body is in the SQS record, or at Twilio."""

    index: int
    message_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A turn's reply, frozen before it is sent: whoever finishes the turn says exactly this.

    `posts` counts, part by part, the POSTs that were licensed; none gets a third. Nobody looks for the parts at Twilio
    before `look_after`: until then one of those POSTs may still be on its way.
    """

    turn: str
    kind: Kind
    covers: frozenset[int]
    parts: tuple[str, ...]
    posts: tuple[int, ...]
    era: int
    look_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation's item.

    `fence` goes up with every claim, takeover, hand back and close; `era` with the last three. `began` is when we first
    heard of it.
    """

    sid: str
    began: datetime = LONG_AGO
    owner: Owner = Owner.AGENT
    owner_at: datetime = LONG_AGO
    closed: bool = False
    opted_out_at: datetime = LONG_AGO
    era: int = 0
    fence: int = 0
    lease_fence: int = 0
    lease_until: datetime = LONG_AGO
    lease_token: str = ""
    turn: str = ""
    turn_messages: frozenset[Joined] = frozenset()
    attempts: int = 0
    draft: Draft | None = None
    coverage: Coverage = Coverage()
    left: frozenset[int] = frozenset()

    def is_leased(self, now: datetime) -> bool:
        """Tell whether a worker holds the conversation: its time is not over and nobody has raised the fence since."""
        return bool(self.lease_token) and now < self.lease_until and self.lease_fence == self.fence

    def has_history_at(self, at: datetime, *, max_event_age: timedelta) -> bool:
        """Tell whether what stood there at a time is history, not work: it was too old when we first heard of it."""
        return at < self.began - max_event_age

    def answered_before_we_knew(self, listed: Iterable[MessageAdded]) -> int:
        """Return the index of our last reply where no turn was ever closed and none is on its way, else -1.

        What stands before such a reply was answered, and forgotten with the table.
        """
        if self.coverage.floor >= 0 or self.draft:
            return -1
        return max((message.index for message in listed if message.speaker is Speaker.US), default=-1)

    def without_turn(self) -> "Conversation":
        """Return it with no open turn and no lease."""
        return replace(
            self, turn="", turn_messages=frozenset(), attempts=0, draft=None, lease_token="", lease_until=LONG_AGO
        )


class Ending(StrEnum):
    """How a turn ended for the customer; what `TURN#…` records say."""

    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    FELL_BACK = "fell_back"
    UNSURE = "unsure"
    VOID = "void"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """What is remembered of a turn, under the lowest index it covers.

    `customer` is the address whose budget the turn is charged to, `kind` its draft's (None: nothing was said).
    """

    turn: str
    first_index: int
    message_sids: tuple[str, ...]
    said: tuple[str, ...]
    parts: tuple[str, ...]
    ending: Ending
    rule: str
    at: datetime
    customer: str
    kind: Kind | None
