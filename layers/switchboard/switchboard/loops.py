"""Loops: when two machines answer each other, decided from the replies of the last ten minutes.

The conversation's item keeps those replies, and of the texts they answered the fingerprints alone, never the texts.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)
ANSWERS_WITHIN = timedelta(seconds=60)  # a machine answers a reply of ours at once, a person rarely with the same text
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)  # between Twilio's clock, which cuts off fractions in lists, and ours
MAX_ANSWERED = 3  # so often a repeated text gets an answer
MIN_CHARACTERS = 20  # of a text that counts as repeated: "yes" and "2" may come as often as they like
MIN_CHARACTERS_BESIDE_NUMBERS = 10  # four order numbers are four texts
MAX_TEXTS_OF_A_REPLY = 4  # whose fingerprints are kept: each costs bytes in every write of the item
MAX_REPLIES = 100  # that are kept, where hand backs let more than the rule allows come together
FIRST_PAUSE = timedelta(minutes=10)
MAX_PAUSE = timedelta(days=1)

_TOKEN = re.compile(r"[a-z\d:./-]+")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentReply:
    """A reply that a customer may have read: it went out between its freeze and its settle.

    `index` is the index of its last part, -1 if nobody knows it; `asks` tells whether it asked for an answer. `texts`
    are fingerprints of the texts that it answered, as far as those had come as an answer to a reply of ours.
    """

    frozen_at: datetime
    settled_at: datetime
    index: int
    asks: bool
    texts: frozenset[str] = frozenset()

    def may_have_caused(self, at: datetime) -> bool:
        """Tell whether what was written at that time may be a machine's answer to this reply."""
        return self.frozen_at - MAX_CLOCK_DIFFERENCE <= at <= self.settled_at + ANSWERS_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopPause:
    """A loop was found: for a while, each time twice as long, `texts` get no answer, or no text if there are none."""

    since: datetime
    times: int
    texts: frozenset[str] = frozenset()

    @property
    def until(self) -> datetime:
        """When the pause ends."""
        return self.since + min(FIRST_PAUSE * (1 << min(self.times - 1, 10)), MAX_PAUSE)

    def covers(self, text: str) -> bool:
        """Tell whether a text, by its fingerprint, gets no answer."""
        return not self.texts or text in self.texts


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenText:
    """A text that waits for an answer: its fingerprint, empty where it is too short, and when it was written."""

    text: str
    at: datetime


def fingerprint(body: str, *, conversation_sid: str) -> str:
    """Return what a text has in common with its repeats, numbers aside; empty where it is too short to count."""
    folded = " ".join(body.lower().split())
    without_numbers = " ".join(_TOKEN.sub(_without_number, folded).split())
    if len(folded) < MIN_CHARACTERS or len(without_numbers) < MIN_CHARACTERS_BESIDE_NUMBERS:
        return ""
    return hashlib.blake2b(f"{conversation_sid}\n{without_numbers}".encode(), digest_size=8).hexdigest()


def find_loop(
    waiting: Sequence[WrittenText],
    *,
    replies: Iterable[RecentReply],
    paused: LoopPause | None,
    since: datetime,
    now: datetime,
    max_turns: int,
) -> LoopPause | None:
    """Return the pause in which the waiting texts get no answer, `paused` or a new one, or None where they get one.

    Nothing from before `since` counts: since then the conversation is the assistant's again.
    """
    if not waiting:
        return None
    if paused and now < paused.until and since <= paused.since and all(paused.covers(each.text) for each in waiting):
        return paused
    recent = [reply for reply in replies if now - reply.settled_at < WINDOW and reply.settled_at > since]
    texts = frozenset(each.text for each in waiting)
    if len(recent) >= max_turns:
        texts = frozenset()
    elif not all(_is_repeated(each, recent) for each in waiting):
        return None
    doubles = paused is not None and now - paused.until < MAX_PAUSE and since <= paused.since
    return LoopPause(since=now, times=paused.times + 1 if paused and doubles else 1, texts=texts)


def repeatable(waiting: Iterable[WrittenText], *, replies: Collection[RecentReply]) -> frozenset[str]:
    """Return the fingerprints of texts that came as an answer to a reply of ours: some, where there are many."""
    texts = {each.text for each in waiting if each.text and any(reply.may_have_caused(each.at) for reply in replies)}
    return frozenset(sorted(texts)[:MAX_TEXTS_OF_A_REPLY])


def kept(replies: Iterable[RecentReply], newest: RecentReply) -> tuple[RecentReply, ...]:
    """Return the replies that the item keeps: those of the last ten minutes, with the newest one."""
    return (*(reply for reply in replies if newest.settled_at - reply.settled_at < WINDOW), newest)[-MAX_REPLIES:]


def _without_number(token: re.Match[str]) -> str:
    return "" if _DIGIT.search(token.group()) else token.group()


def _is_repeated(waiting: WrittenText, recent: Sequence[RecentReply]) -> bool:
    answered = sum(waiting.text in reply.texts for reply in recent)
    came_as_an_answer = any(reply.may_have_caused(waiting.at) for reply in recent)
    return answered >= MAX_ANSWERED and came_as_an_answer
