"""The emulator's files for browsers, under /_emulator/web, and the headers that every page sends."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent
# Modules import these names; what they import has no build step that would know the paths.
IMPORT_MAP = (
    '{"imports":{"preact":"/_emulator/web/vendor/preact.mjs",'
    '"preact/hooks":"/_emulator/web/vendor/preact-hooks.mjs",'
    '"htm":"/_emulator/web/vendor/htm.mjs"}}'
)


class WebFiles(StaticFiles):
    """A folder's files. A browser asks each time whether one has changed, or new modules would meet old ones."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- as Starlette hands them on
        """Return a file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def web_assets() -> Mount:
    """Return the route of these files, to be mounted under /_emulator."""
    return Mount("/web", WebFiles(directory=FOLDER))


async def phones_page(_request: Request) -> Response:
    """Return a page that has the phones and nothing else."""
    document = (FOLDER / "alone.html").read_text().replace("{{import-map}}", IMPORT_MAP)
    return HTMLResponse(document, headers=dict(page_headers()))


def page_headers() -> Mapping[str, str]:
    """Return the headers of a page: it loads nothing but this server's own files, and runs no code written in it.

    Only the import map stands in the page itself; the policy names its hash.
    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
    """
    import_map = base64.b64encode(hashlib.sha256(IMPORT_MAP.encode()).digest()).decode()
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{import_map}'",
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "media-src": "'self' blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
