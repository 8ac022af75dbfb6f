"""A browser with the page of a running stack. No test may leave an error in its console or ask another machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize

from tests.browser import chromium
from tests.stacks import Running, running

ROOT = Path(__file__).parents[2]
WIDE: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one file: Playwright has an event loop run meanwhile, and other tests begin loops of their own."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def stack() -> Iterator[Running]:
    with running(environment={"AGENT_TIMEOUT": "25"}) as started:  # a killed worker costs less than a minute
        yield started


@pytest.fixture
def page(browser: Browser, stack: Running) -> Iterator[Page]:
    """The page, as a new visitor sees it on a wide screen."""
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)  # no test is timed
    errors: list[str] = []
    foreign: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            errors.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{stack.stack.url}/", "blob:", "data:")):
            foreign.append(request.url)

    page.on("console", on_console)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", on_request)
    page.goto(stack.stack.url)
    yield page
    context.close()
    assert errors == [], "in the browser's console"
    assert foreign == [], "asked of another address"
