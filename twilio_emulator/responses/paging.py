"""Lists: one page of rows, with links to the other pages."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from twilio_emulator.responses.parameters import invalid_parameter
from twilio_emulator.responses.request import JSON, Request, Response, ok

PAGE_SIZE = 50
_PAGING = frozenset({"PageSize", "Page", "PageToken"})
_TOKEN = re.compile(r"PT([0-9]{1,9})")


class Dated(Protocol):
    """An item of a list."""

    @property
    def date_created(self) -> datetime:
        """The time that a lagging list is compared with."""


def page[Row: Dated](
    request: Request,
    key: str,
    rows: Sequence[Row],
    body_of: Callable[[Row], JSON],
    *,
    max_page_size: int = 100,
    filters: frozenset[str] = frozenset(),
) -> Response:
    """Return the requested page. Its links have the scheme, host and port that the client used."""
    request.query.reject_unknown(_PAGING | filters)
    if request.list_lag:
        newest_shown = request.backend.clock() - request.list_lag
        rows = [row for row in rows if row.date_created <= newest_shown]
    size = min(_number(request, "PageSize", PAGE_SIZE, minimum=1), max_page_size)
    number = _number(request, "Page", 0, minimum=0)
    start = _start(request, number * size)
    chosen = {name: request.query.array(name) or () for name in sorted(filters) if name in request.query}

    def url(page_number: int, at: int) -> str:
        token = {"PageToken": f"PT{at}"} if at else {}
        query = urlencode({**chosen, "PageSize": size, "Page": page_number, **token}, doseq=True)
        return f"{request.base_url}{request.path}?{query}"

    has_next = start + size < len(rows)
    return ok(
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
            key: [body_of(row) for row in rows[start : start + size]],
        }
    )


def _number(request: Request, name: str, default: int, *, minimum: int) -> int:
    value = request.query.integer(name)
    if value is not None and value < minimum:
        raise invalid_parameter(name, f"must be at least {minimum}")
    return default if value is None else value


def _start(request: Request, default: int) -> int:
    token = request.query.text("PageToken")
    if token is None:
        return default
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise invalid_parameter("PageToken", "must be taken from a link of another page")
    return int(match[1])
