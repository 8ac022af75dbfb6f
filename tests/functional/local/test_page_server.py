"""The page's own routes, without the rest of the stack."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.page.server import page_routes


def ask(path: str, **headers: str) -> httpx.Response:
    async def part(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("a pane")

    async def answer() -> httpx.Response:
        app = Starlette(routes=page_routes([Route("/part", part)]))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.get(path, headers=headers)

    return asyncio.run(answer())


@pytest.mark.parametrize("path", ["/", "/_page/part", "/_page/web/page.js"])
def test_the_page_and_all_that_it_asks_answer_this_machine_only(path: str) -> None:
    assert ask(path).status_code == 200
    assert ask(path, host="evil.example").status_code == 403
    assert ask(path, origin="http://evil.example").status_code == 403


def test_the_page_runs_no_code_that_is_written_in_it() -> None:
    policy = ask("/").headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
