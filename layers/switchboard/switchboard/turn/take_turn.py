"""One turn: the waiting messages of a conversation are answered, at most once, however often they are delivered.

The order of the steps is the protocol; docs/architecture.md says what each writes, and why it stands where it is:

    claim ─▶ gather ─▶ gate ─▶ think ─▶ freeze ─▶ send ─▶ record ─▶ settle
       └───▶ resume (a reply is pending) ───────────┘

What a step writes is one conditional write under the fencing token that the claim raised. A worker whose write is
refused returns its records, and the next claim decides.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from switchboard.errors import ModelMisconfigured, Permanent, Transient
from switchboard.events import MessageAdded
from switchboard.ports import Busy, Fenced
from switchboard.turn.claim import claim
from switchboard.turn.consent import apply_consent, inherit_consent
from switchboard.turn.context import TurnContext, TurnPorts, TurnSettings
from switchboard.turn.freeze import freeze
from switchboard.turn.gate import gate
from switchboard.turn.gather import gather
from switchboard.turn.record import record
from switchboard.turn.result import Deferred, Dropped, Ended, Refused, RetryReason, Sending, Thought, TurnResult
from switchboard.turn.resume import resume
from switchboard.turn.send import send
from switchboard.turn.settle import defer, settle
from switchboard.turn.think import think
from switchboard.turn.timing import seconds_until


def take_turn(
    delivered: Sequence[MessageAdded],
    *,
    lease_until: datetime,
    done_by: datetime | None = None,
    ports: TurnPorts,
    settings: TurnSettings,
    new_id: Callable[[], str],
) -> TurnResult:
    """Answer the waiting messages of one conversation, at most once, however often they are delivered.

    `delivered` are customer messages of one conversation. `lease_until` is when this worker will certainly be gone.
    `done_by` ends the thinking earlier, so that the worker has time for another turn. `new_id` returns a fresh random
    id at each call.
    """
    turn = claim(
        delivered,
        lease_until=lease_until,
        done_by=done_by or lease_until,
        ports=ports,
        settings=settings,
        new_id=new_id,
    )
    if isinstance(turn, Busy):
        return TurnResult(outcome=RetryReason.BUSY, retry_after_seconds=seconds_until(turn.until, ports.clock()))
    try:
        return _take_claimed(turn)
    except Fenced:
        return TurnResult(outcome=RetryReason.FENCED)
    except (Transient, Permanent) as error:
        is_refused = isinstance(error, ModelMisconfigured)
        later = Deferred(
            reason=RetryReason.MODEL_REFUSED_US if is_refused else RetryReason.RETRY,
            retry_at=turn.now(),
            tried_since=turn.conversation.turn_started_at,
            cause=str(error),
        )
        return defer(turn, later)


def _take_claimed(turn: TurnContext) -> TurnResult:
    """Take the steps in order, each at most once."""
    step: Dropped | Refused | Thought | Sending | Ended | Deferred | None
    inherit_consent(turn)
    apply_consent(turn, turn.delivered)
    if turn.conversation.pending_reply:
        turn, step = resume(turn, turn.conversation.pending_reply)
    else:
        turn = gather(turn)
        step = gate(turn)
        if step is None:
            turn, step = think(turn)
    if isinstance(step, Thought):
        step = freeze(turn, step)
    if isinstance(step, Sending):
        step = send(turn, step)
    if isinstance(step, Deferred):
        return defer(turn, step)
    if isinstance(step, Ended):
        record(turn, step)
    return settle(turn, step)
