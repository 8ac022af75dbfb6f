"""The timers of conversations and deliveries."""

import heapq
from datetime import datetime

from twilio_emulator.models import conversations, deliveries
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.state import TimerKind

_HANDLERS = {TimerKind.CONVERSATION: conversations.apply_due_timers, TimerKind.DELIVERY: deliveries.complete_delivery}


def next_due(backend: Backend) -> datetime | None:
    """Return when the next timer is due; None if there is no timer."""
    return backend.state.timers[0][0] if backend.state.timers else None


def run_due(backend: Backend) -> None:
    """Run all timers that are due, in order of time."""
    while backend.state.timers and backend.state.timers[0][0] <= backend.clock():
        _at, kind, key = heapq.heappop(backend.state.timers)
        _HANDLERS[kind](backend, key)
