"""The days of the week that a text means without naming them: Monday to Friday, weekdays, daily."""

import re
from collections.abc import Iterator

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_DAY = rf"({'|'.join(day[:3] for day in DAYS)})[a-z]*\.?"
_FROM_TO = re.compile(rf"\b{_DAY}\s*(?:to|through|thru|until|till|[-\u2013])\s*{_DAY}", re.IGNORECASE)
_SAYS_WHEN = re.compile(r"\b(?:open|close|hours|[ap]\.?m)\b|\d[ap]m\b|\d:\d\d", re.IGNORECASE)
_NAMED = (
    (re.compile(r"\bweek ?days?\b", re.IGNORECASE), DAYS[:5]),
    (re.compile(r"\bweekends?\b", re.IGNORECASE), DAYS[5:]),
    (re.compile(r"\b(?:every ?day|daily|seven days|24/7|around the clock)\b", re.IGNORECASE), DAYS),
)


def days_meant(text: str) -> Iterator[str]:
    """Yield the days that a text means which says when; it may name them too."""
    if not _SAYS_WHEN.search(text):
        return
    for first, last in _FROM_TO.findall(text):
        begin, end = (next(i for i, day in enumerate(DAYS) if day[:3] == each.title()) for each in (first, last))
        yield from DAYS[begin : end + 1] if begin <= end else DAYS[begin:] + DAYS[: end + 1]
    for pattern, days in _NAMED:
        if pattern.search(text):
            yield from days
