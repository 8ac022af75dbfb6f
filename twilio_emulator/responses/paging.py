"""Lists: a page of rows, and where the others are."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from twilio_emulator.responses.parameters import invalid
from twilio_emulator.responses.request import JSON, Answer, Call, found

PAGE_SIZE = 50
_PAGING = frozenset({"PageSize", "Page", "PageToken"})
_TOKEN = re.compile(r"PT([0-9]{1,9})")


class Dated(Protocol):
    """What stands in a list."""

    @property
    def date_created(self) -> datetime:
        """When it came to be."""


def page[Row: Dated](
    call: Call,
    key: str,
    rows: Sequence[Row],
    write: Callable[[Row], JSON],
    *,
    most: int = 100,
    filters: frozenset[str] = frozenset(),
) -> Answer:
    """Return the page that the query asks for. `next_page_url` stands on the origin the client called."""
    call.query.only(_PAGING | filters)
    if call.lists_lag:
        shown_until = call.world.clock() - call.lists_lag
        rows = [row for row in rows if row.date_created <= shown_until]
    size = min(_least(call, "PageSize", PAGE_SIZE, least=1), most)
    number = _least(call, "Page", 0, least=0)
    start = _start(call, number * size)
    chosen = {name: call.query.many(name) or () for name in sorted(filters) if name in call.query}

    def url(page_number: int, at: int) -> str:
        token = {"PageToken": f"PT{at}"} if at else {}
        query = urlencode({**chosen, "PageSize": size, "Page": page_number, **token}, doseq=True)
        return f"{call.origin_url}{call.path}?{query}"

    has_next = start + size < len(rows)
    return found(
        {
            "meta": {
                "page": number,
                "page_size": size,
                "first_page_url": url(0, 0),
                "previous_page_url": url(max(number - 1, 0), max(start - size, 0)) if start else None,
                "url": url(number, start),
                "next_page_url": url(number + 1, start + size) if has_next else None,
                "key": key,
            },
            key: [write(row) for row in rows[start : start + size]],
        }
    )


def _least(call: Call, name: str, default: int, *, least: int) -> int:
    value = call.query.integer(name)
    if value is not None and value < least:
        raise invalid(name, f"is less than {least}")
    return default if value is None else value


def _start(call: Call, default: int) -> int:
    token = call.query.text("PageToken")
    if token is None:
        return default
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise invalid("PageToken", "is none that a page gave")
    return int(match[1])
