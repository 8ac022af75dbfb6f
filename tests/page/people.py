"""What a person finds on the page, by the names that it has for people."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

PHONES = ("SMS phone", "WhatsApp phone", "Web chat")
AXE = Path(__file__).parents[1] / "contract" / "node" / "node_modules" / "axe-core" / "axe.min.js"
SOMEBODY = re.compile(".+")
WAITS_MS = 240_000  # generous: no test is timed


def phone(page: Page, name: str) -> Locator:
    """Return a phone."""
    return page.get_by_role("region", name=name)


def write(of: Locator, text: str) -> None:
    """Type a text on a phone, and press Enter."""
    of.get_by_role("textbox", name="Message").fill(text)
    of.get_by_role("textbox", name="Message").press("Enter")


def bubbles(of: Locator) -> Locator:
    """Return every message on a phone."""
    return of.locator("li.message:not(.typing)")


def replies(of: Locator) -> Locator:
    """Return the messages that a phone received."""
    return of.locator("li.message.theirs:not(.typing)")


def new_customer(page: Page, name: str) -> Locator:
    """Return a phone that has a customer who has not written yet."""
    here = phone(page, name)
    customer = here.get_by_role("combobox", name="Customer")
    expect(customer).to_have_value(SOMEBODY)
    before = customer.input_value()
    here.get_by_role("button", name="New customer").click()
    expect(customer).not_to_have_value(before)
    expect(bubbles(here)).to_have_count(0)
    return here


def has_replies(of: Locator, count: int) -> None:
    """Wait until a phone has so many replies, and see that it has no more."""
    expect(replies(of)).to_have_count(count, timeout=WAITS_MS)


def panel(page: Page, name: str) -> Locator:
    """Open a tab of the panel, and return what it shows."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel")
