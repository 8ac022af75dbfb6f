"""The times of a turn: how much lease a step needs, how long Twilio may take, and when a record comes back."""

import math
import zlib
from datetime import datetime, timedelta

MIN_LEASE_FOR_SEND = timedelta(seconds=12)  # connect 2 s + read 8 s + what a busy machine loses
MIN_LEASE_FOR_FREEZE = timedelta(seconds=3)  # three tries of one write
COMMIT_WINDOW = timedelta(seconds=30)  # how long after the end of a POST Twilio may still commit it

MIN_BACKOFF_SECONDS = 2
MAX_BACKOFF_SECONDS = 30


def seconds_until(then: datetime, now: datetime) -> int:
    """Return the whole seconds until then, 0 if it is past."""
    return max(0, math.ceil((then - now).total_seconds()))


def backoff_seconds(attempts: int, token: str) -> int:
    """Return 2 to 30 s, doubling with the attempts. The claim's random token is the jitter."""
    longest = min(MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS << attempts)
    return MIN_BACKOFF_SECONDS + zlib.crc32(token.encode()) % (longest - MIN_BACKOFF_SECONDS + 1)
