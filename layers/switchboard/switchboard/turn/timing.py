"""The times of a turn: how much lease a step needs, how long Twilio may take, and when a record comes back."""

import math
import zlib
from datetime import datetime, timedelta

MIN_LEASE_FOR_SEND = timedelta(seconds=12)  # connect 2 s + read 8 s + what a busy machine loses
MIN_LEASE_FOR_UPLOAD = timedelta(seconds=34)  # of a file, and its POST
MIN_LEASE_FOR_FETCH = timedelta(seconds=43)  # of a file at another host, its upload, and its POST
MIN_LEASE_FOR_LOOK = timedelta(seconds=12)  # whether a message is delivered
MIN_LEASE_FOR_FREEZE = timedelta(seconds=3)  # three tries of one write
DELIVERY_LOOK_SECONDS = 1.0  # between looks whether a message is delivered
DELIVERY_LOOKS = 5  # at most, for each message
MIN_THINK = timedelta(seconds=5)  # less is no time to answer anything
COMMIT_WINDOW = timedelta(seconds=30)  # how long after the end of a POST Twilio may still commit it

LOOK_INTERVALS = (COMMIT_WINDOW, timedelta(minutes=2), timedelta(minutes=5))  # between looks; the last one repeats

MIN_BACKOFF_SECONDS = 2
MAX_BACKOFF_SECONDS = 60


def seconds_until(then: datetime, now: datetime) -> int:
    """Return the whole seconds until then, 0 if it is past."""
    return max(0, math.ceil((then - now).total_seconds()))


def look_interval(looks: int) -> timedelta:
    """Return how long to wait for a POST of unknown fate, after so many looks that did not find it."""
    return LOOK_INTERVALS[min(looks, len(LOOK_INTERVALS) - 1)]


def backoff_seconds(since: timedelta, token: str) -> int:
    """Return 2 to 60 s: about as long as it was tried already, so that waits double. The random token is the jitter."""
    jitter = 0.75 + zlib.crc32(token.encode()) % 512 / 1024
    return round(max(MIN_BACKOFF_SECONDS, min(MAX_BACKOFF_SECONDS, since.total_seconds() * jitter)))
