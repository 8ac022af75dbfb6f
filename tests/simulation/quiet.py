"""Days of quiet: in some schedules everybody is silent until the sweeper's checks have ended, and then writes again."""

import random
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


def plan_quiet(seed: int, *, messages: int) -> int | None:
    """Return how many messages are left when days of quiet begin, or None: one schedule in eight has them.

    It has a random generator of its own: a schedule without them is what its seed always was.
    """
    chance = random.Random(f"quiet {seed}")  # noqa: S311 -- a schedule, not a secret
    return chance.randrange(messages) if chance.random() < 1 / 8 else None


def days_pass(world: "World") -> None:
    """Do without faults what is left to do, until the last check is made; then let one to three days pass."""
    faults, world.faults = world.faults, 0
    lag, world.twilio.list_lag = world.twilio.list_lag, timedelta(0)
    world.run_until_idle(a_day=True)
    world.clock.now += timedelta(days=world.chance.choice([1, 3]))
    world.faults, world.twilio.list_lag = faults, lag
    world.happened["days of quiet"] += 1
