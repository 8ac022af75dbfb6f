"""What falls due by itself as time goes by."""

import heapq
from datetime import datetime

from local.twilio.models import conversations
from local.twilio.models.world import Due, World

_LOOK = {Due.CONVERSATION: conversations.look_at_timers}


def next_due(world: World) -> datetime | None:
    """Return when something falls due next."""
    return world.state.timers[0][0] if world.state.timers else None


def run_due(world: World) -> None:
    """Do everything whose time has come, in order of time."""
    while world.state.timers and world.state.timers[0][0] <= world.clock():
        _at, due, sid = heapq.heappop(world.state.timers)
        _LOOK[due](world, sid)
