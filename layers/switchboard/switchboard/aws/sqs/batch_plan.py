"""In which order the conversations of a batch are taken, so that a crash charges only its cause.

A crash ends every turn of its process without a verdict: all their conversations are suspects then. A suspect is
claimed alone, so that if it kills the next process too, no other conversation is charged with an attempt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from switchboard.conversation import Conversation
from switchboard.turn.result import RetryReason, TurnResult
from switchboard.turn.timing import MIN_LEASE_FOR_FREEZE, MIN_LEASE_FOR_SEND, MIN_THINK, seconds_until

MIN_TURN = MIN_THINK + MIN_LEASE_FOR_FREEZE + MIN_LEASE_FOR_SEND


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """What becomes of each conversation of a batch, by SID.

    `returned` go back at once, unclaimed. `together` are claimed now, and are done by `done_by`. When all of them have
    ended, and their records are deleted, `last` is claimed, a suspect; after `done_by` it has no time left, and goes
    back to go first in its next batch.
    """

    together: tuple[str, ...]
    last: Conversation | None
    returned: Mapping[str, TurnResult]
    done_by: datetime


def plan_batch(
    sids: Iterable[str], seen: Mapping[str, Conversation], *, now: datetime, lease_until: datetime
) -> BatchPlan:
    """Plan a batch of conversations. `seen` has the items of those with a record that was delivered before.

    The others are taken for innocent: what an attempt without a verdict had in flight is delivered again first.
    """
    returned = {sid: _busy(item, now) for sid, item in seen.items() if item.is_leased(now)}
    suspects = sorted((item for item in seen.values() if item.is_suspect(now)), key=_order)
    returned |= {item.sid: put_off("another suspect is taken") for item in suspects[1:]}
    last = suspects[0] if suspects else None
    together = tuple(sid for sid in sids if sid not in returned and (last is None or sid != last.sid))
    half = (lease_until - now) / 2
    if last and (last.goes_first or half < MIN_TURN):
        returned |= {sid: put_off("a suspect is taken alone") for sid in together}
        together = ()
    done_by = now + half if last and together else lease_until
    return BatchPlan(together=together, last=last, returned=returned, done_by=done_by)


def put_off(cause: str) -> TurnResult:
    """Return what becomes of a conversation that is not taken: it goes back at once, and is charged with nothing."""
    return TurnResult(outcome=RetryReason.PUT_OFF, cause=cause)


def _order(suspect: Conversation) -> tuple[bool, datetime]:
    """Take first what its last batch left no time for, then what has waited longest."""
    return not suspect.goes_first, suspect.lease_until


def _busy(item: Conversation, now: datetime) -> TurnResult:
    return TurnResult(outcome=RetryReason.BUSY, retry_after_seconds=seconds_until(item.lease_until, now))
