"""What a turn needs from the world: the Protocols, and the values that cross them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from switchboard.conversation import Conversation, Coverage, Draft, Joined, Owner, TurnRecord
from switchboard.errors import Transient
from switchboard.events import Marker, MessageAdded, Sent
from switchboard.limits import Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One earlier turn: what the customer said, and what we replied."""

    said: tuple[str, ...]
    replied: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent is asked. `turn` is the same on every retry: tools key their side effects by it."""

    turn: str
    history: tuple[Exchange, ...]
    messages: tuple[str, ...]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an answer cost."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An agent's reply in Markdown; with `handoff` it is the last one before a colleague takes the conversation."""

    text: str
    handoff: bool = False
    usage: Usage = Usage()


class Agent(Protocol):
    """Whatever answers: it never learns which channel it speaks on."""

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`, or raise `Transient` (try again) or `Permanent` (do not).

        What an error says is logged: never what the customer said.
        """
        ...


class Messenger(Protocol):
    """Twilio, as far as a turn speaks to it."""

    def send_message(self, conversation_sid: str, *, body: str, marker: Marker) -> Sent:
        """Send one part; raise `SendRefused`, `NotSent` (it certainly did not leave) or `Unknown`."""
        ...

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order; raise `Transient`."""
        ...


class DeadLetters(Protocol):
    """Where messages go that nobody could answer; an alarm watches it."""

    def copy(self, messages: Sequence[MessageAdded]) -> None:
        """Put the messages there; a repeat adds nothing."""
        ...


class Clock(Protocol):
    """The time now, in UTC."""

    def __call__(self) -> datetime:
        """Return the time now."""
        ...


class Fenced(Transient):
    """Somebody raised the fence: another worker, a colleague or a close has the conversation now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Another worker holds the conversation until then, at the latest."""

    until: datetime


class Conversations(Protocol):
    """The conversations' items. Each method is one conditional write (or one read), safe to repeat.

    Those that take a `Conversation` succeed only under its fence and raise `Fenced` otherwise.
    """

    def claim(
        self, sid: str, *, messages: frozenset[Joined], turn: str, token: str, now: datetime, lease_until: datetime
    ) -> Conversation | Busy:
        """Raise the fence, take the lease, count an attempt, join the messages to the open turn (or open it)."""
        ...

    def join(self, conversation: Conversation, messages: frozenset[Joined]) -> Conversation:
        """Join messages that a gap has shown to the open turn."""
        ...

    def refuse(
        self,
        conversation: Conversation,
        record: TurnRecord,
        *,
        coverage: Coverage,
        left: frozenset[int],
        owner: Owner,
        now: datetime,
    ) -> None:
        """Close the turn without an answer: covered, remembered, `left` to the human where one owns it."""
        ...

    def freeze(self, conversation: Conversation, draft: Draft) -> None:
        """Keep the draft: from now on nobody says anything else in this turn."""
        ...

    def license_resend(self, conversation: Conversation, draft: Draft) -> None:
        """Keep the draft's new `posts` and `look_after` before its missing parts are sent again."""
        ...

    def read_fence(self, sid: str) -> int:
        """Return the fence now (a consistent read)."""
        ...

    def record(self, sid: str, record: TurnRecord) -> None:
        """Remember the turn and charge the budgets, at once; a repeat changes nothing."""
        ...

    def spent(self, customer: str, *, now: datetime) -> Spent:
        """Return what was spent today."""
        ...

    def settle(self, conversation: Conversation, *, coverage: Coverage, owner: Owner, now: datetime) -> None:
        """Close the turn: draft, turn, attempts and lease are gone, its messages covered."""
        ...

    def give_back(self, conversation: Conversation, *, draft: Draft | None = None) -> None:
        """Remove our lease, if it is still ours, and keep what we know of the draft's POSTs; never raises `Fenced`."""
        ...

    def close_empty(self, conversation: Conversation) -> None:
        """Remove our lease and a turn in which nothing is left to answer; never raises `Fenced`."""
        ...

    def take_over(self, sid: str, *, index: int, at: datetime) -> bool:
        """Make a human the owner, if `at` is newer than what set the owner last; the message at `index` is seen."""
        ...

    def history(self, sid: str) -> tuple[Exchange, ...]:
        """Return the latest turns in which we replied, oldest first; what was a colleague's is no question any more."""
        ...
