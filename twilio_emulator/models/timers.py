"""What falls due by itself as time goes by."""

import heapq
from datetime import datetime

from twilio_emulator.models import conversations, deliveries
from twilio_emulator.models.backend import World
from twilio_emulator.models.state import Due

_LOOK = {Due.CONVERSATION: conversations.look_at_timers, Due.DELIVERY: deliveries.look_at_delivery}


def next_due(world: World) -> datetime | None:
    """Return when something falls due next."""
    return world.state.timers[0][0] if world.state.timers else None


def run_due(world: World) -> None:
    """Do everything whose time has come, in order of time."""
    while world.state.timers and world.state.timers[0][0] <= world.clock():
        _at, due, what = heapq.heappop(world.state.timers)
        _LOOK[due](world, what)
