"""Claim: take the conversation for this worker alone, and join the delivered messages to its open turn."""

from collections.abc import Callable, Sequence
from datetime import datetime

from switchboard.events import MessageAdded
from switchboard.ports import Busy
from switchboard.turn.context import Step, TurnContext, TurnPorts, TurnSettings
from switchboard.turn.messages import turn_messages


def claim(
    delivered: Sequence[MessageAdded],
    *,
    lease_until: datetime,
    done_by: datetime,
    ports: TurnPorts,
    settings: TurnSettings,
    new_id: Callable[[], str],
) -> TurnContext | Busy:
    """Return the claimed turn, or `Busy` while another worker holds the conversation."""
    claimed = ports.conversations.claim(
        delivered[0].conversation_sid,
        messages=turn_messages(delivered),
        redriven=frozenset(message.index for message in delivered if message.again),
        token=new_id(),
        turn=new_id(),
        told_at=min(message.at for message in delivered),
        now=ports.clock(),
        lease_until=lease_until,
    )
    if isinstance(claimed, Busy):
        return claimed
    turn = TurnContext(
        conversation=claimed,
        delivered=tuple(delivered),
        lease_until=lease_until,
        done_by=done_by,
        ports=ports,
        settings=settings,
    )
    turn.observe(Step.CLAIM)
    return turn
