"""The page's routes: the page itself, its files, and what it asks the local stack."""

from collections.abc import Sequence
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from twilio_emulator.control.same_machine import SameMachine
from twilio_emulator.web.assets import IMPORT_MAP, WebFiles, page_headers

WEB = Path(__file__).parent.parent / "web"


def page_routes(parts: Sequence[BaseRoute], *, host: str = "") -> list[BaseRoute]:
    """Return the page at `/`, its files under /_page/web, and under /_page what its panes ask: `parts`.

    They answer only requests for this machine, or for `host`, what the server listens on.
    """
    guard = [Middleware(SameMachine, host=host)]
    return [
        Route("/", _page, methods=["GET"], middleware=guard),
        Mount("/_page", routes=[Mount("/web", WebFiles(directory=WEB)), *parts], middleware=guard),
    ]


async def _page(_request: Request) -> Response:
    document = (WEB / "index.html").read_text().replace("{{import-map}}", IMPORT_MAP)
    return HTMLResponse(document, headers=dict(page_headers()))
