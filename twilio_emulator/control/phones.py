"""The part of the control API that shows phones: threads, their files, and a stream of what changes."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from twilio_emulator.control.changes import Change, Changes
from twilio_emulator.control.threads import seconds_typing, thread
from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError, not_found
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.resources import File

MAX_ADDRESSES = 20  # of one stream
MAX_ADDRESS_LENGTH = 256
SECONDS_BETWEEN_SIGNS_OF_LIFE = 15
# What a browser shows by itself. Anything else is saved, not opened: it would be a page of this server.
_SHOWN = re.compile(r"(image|audio|video)/[a-z0-9.+-]+")


class WatchedEmulator(Protocol):
    """What this part needs of an `Emulator`."""

    backend: Backend
    changes: Changes


class PhonesApi:
    """Handles the requests of pages that show phones."""

    def __init__(self, emulator: WatchedEmulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under /_emulator."""
        return [
            Route("/thread", self.thread, methods=["GET"]),
            Route("/changes", self.changes, methods=["GET"]),
            Route("/media/{sid}", self.media, methods=["GET"]),
        ]

    async def thread(self, request: Request) -> Response:
        """Return what an address or identity sent and received, oldest first; with `after`, what follows that message.

        If no message has the SID `after`, everything follows it.
        """
        entries = thread(self._emulator.backend, request.query_params.get("address", ""))
        after = request.query_params.get("after")
        known = next((number for number, entry in enumerate(entries, 1) if entry.message_sid == after), 0)
        return JSONResponse([entry.as_json() for entry in entries[known:]])

    async def changes(self, request: Request) -> Response:
        """Stream what changes for some addresses, as server-sent events; each thread comes as a whole first."""
        addresses = dict.fromkeys(request.query_params.getlist("address"))
        if not 0 < len(addresses) <= MAX_ADDRESSES or max(map(len, addresses)) > MAX_ADDRESS_LENGTH:
            raise TwilioError(INVALID_PARAMETER, f"Invalid query: give 1 to {MAX_ADDRESSES} addresses")
        return StreamingResponse(
            self._stream(tuple(addresses)), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def media(self, request: Request) -> Response:
        """Return the content of a file that was sent with a message or uploaded."""
        sid: str = request.path_params["sid"]
        media = self._emulator.backend.state.media.get(sid)
        if media is None:
            raise not_found(f"/Media/{sid}")
        return Response(media.content, headers=dict(_media_headers(media.file)))

    async def _stream(self, addresses: tuple[str, ...]) -> AsyncIterator[str]:
        with self._emulator.changes.watch(addresses) as watch:
            while True:
                changed = await watch.take(within_seconds=SECONDS_BETWEEN_SIGNS_OF_LIFE)
                for address, change in changed.items():
                    yield f"data: {json.dumps(self._news(address, change))}\n\n"
                if not changed:
                    yield ": still here\n\n"  # finds out whether the reader is

    def _news(self, address: str, change: Change) -> Mapping[str, object]:
        backend = self._emulator.backend
        entries = thread(backend, address) if change.whole or change.messages else []
        changed = [entry for entry in entries if entry.message_sid in change.messages]
        is_whole = change.whole or len(changed) < len(change.messages)  # one of them is gone
        return {
            "address": address,
            "whole": is_whole,
            "messages": [entry.as_json() for entry in (entries if is_whole else changed)],
            "typing_seconds": round(seconds_typing(backend, address), 3),
        }


def _media_headers(file: File) -> Mapping[str, str]:
    """Return headers with which the file is shown or saved, and cannot act as a page of this server."""
    kind = file.content_type.partition(";")[0].strip().lower()
    is_shown = _SHOWN.fullmatch(kind) is not None
    name = f"; filename*=UTF-8''{quote(file.filename, safe='', errors='replace')}" if file.filename else ""
    return {
        "Content-Type": kind if is_shown else "application/octet-stream",
        "Content-Disposition": f"{'inline' if is_shown else 'attachment'}{name}",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
