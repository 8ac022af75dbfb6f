"""`make screenshots`: the pictures of the page in docs/, taken of a running stack with the demo's assistant."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from local.command import AGENT, with_agent_timeout
from local.stack import LocalStack
from tests.browser import chromium
from tests.page.people import WAITS_MS, has_replies, new_customer, panel, phone, replies, write

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDE, NARROW = (1440, 960), (360, 800)
STORM_MS = 600_000


@contextmanager
def opened(browser: Browser, url: str, *, scheme: str = "light", size: tuple[int, int] = WIDE) -> Iterator[Page]:
    """Open the page as a new visitor."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def converse(page: Page) -> None:
    """Have each phone show a conversation; the one by WhatsApp is selected at the end."""
    here = new_customer(page, "SMS phone")
    write(here, "When are you open on Saturday?")
    has_replies(here, 1)
    chat = new_customer(page, "Web chat")
    write(chat, "My brakes are broken, I want to talk to a person")
    has_replies(chat, 1)
    here = new_customer(page, "WhatsApp phone")
    write(here, "Where is my order BH-1042?")
    has_replies(here, 1)
    write(here, "Book a tune-up for Tuesday, please")
    has_replies(here, 2)
    page.wait_for_timeout(1_500)  # for the receipts


def take(page: Page, name: str) -> None:
    """Take a picture of the whole page."""
    page.evaluate("document.activeElement?.blur()")
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    environment = with_agent_timeout({"ASSISTANT_MODEL": "offline"}, agent=AGENT)
    with LocalStack(environment=environment) as stack, chromium() as browser:
        for scheme in ("light", "dark"):
            with opened(browser, stack.url, scheme=scheme) as page:
                converse(page)
                take(page, f"page-{scheme}")
        with opened(browser, stack.url, size=NARROW) as page:
            write(new_customer(page, "WhatsApp phone"), "Where is my order BH-1042?")
            has_replies(phone(page, "WhatsApp phone"), 1)
            take(page, "page-narrow")
        with opened(browser, stack.url) as page:
            panel(page, "Break it").get_by_role("switch", name="Kill the agent in its next turn").click()
            here = new_customer(page, "SMS phone")
            write(here, "How long does a repair take?")
            expect(replies(here)).to_have_count(1, timeout=WAITS_MS)
            page.wait_for_timeout(1_500)
            take(page, "killed-agent")
        with opened(browser, stack.url) as page:
            storm = panel(page, "Storm")
            storm.get_by_role("button", name="Start the storm").click()
            storm.get_by_text(re.compile("Switchboard: .* messages")).wait_for(timeout=STORM_MS)
            take(page, "storm")


if __name__ == "__main__":
    main()
