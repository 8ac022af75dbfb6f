"""The page can be used with a keyboard, on a narrow screen, and with a screen reader."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.people import AXE, PHONES, WAITS_MS, bubbles, has_replies, new_customer, panel, phone, write
from tests.skips import missing

PANELS = ("Desk", "Break it", "Storm")
NARROW = {"width": 360, "height": 800}


def is_focused(page: Page) -> str:
    """Return the accessible name or the text of what has the focus."""
    name: str = page.evaluate(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? '').trim()"
    )
    return name


def tab_to(page: Page, name: str, *, key: str = "Tab") -> None:
    """Press a key until something of that name has the focus."""
    for _ in range(80):
        page.keyboard.press(key)
        if re.match(rf"{re.escape(name)}\b", is_focused(page)):
            return
    pytest.fail(f"{name!r} cannot be reached with {key}")


def test_the_keyboard_alone_texts_takes_over_and_looks_behind(page: Page) -> None:
    here = phone(page, "SMS phone")
    tab_to(page, "Message")
    page.keyboard.type("When do you open?")
    page.keyboard.press("Enter")
    expect(bubbles(here)).to_have_count(2, timeout=WAITS_MS)

    tab_to(page, "Take over")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Write as a human")).to_be_focused(timeout=WAITS_MS)
    page.keyboard.type("This is Robin.")
    page.keyboard.press("Enter")
    expect(here.get_by_role("log")).to_contain_text("This is Robin.")

    tab_to(page, "Desk", key="Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Break it")).to_have_attribute("aria-selected", "true")
    tab_to(page, "webhook")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Details")).to_contain_text("onMessageAdded")


@pytest.mark.parametrize("name", PANELS)
def test_a_narrow_screen_needs_no_scrolling_sideways(page: Page, name: str) -> None:
    write(new_customer(page, "SMS phone"), "Hello")
    has_replies(phone(page, "SMS phone"), 1)
    page.set_viewport_size({"width": 360, "height": 800})

    panel(page, name)

    for each in PHONES:
        box = phone(page, each).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_panel(page: Page, scheme: str) -> None:
    if not AXE.exists():
        missing("axe-core: npm ci in tests/contract/node")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    write(new_customer(page, "SMS phone"), "Hello")
    has_replies(phone(page, "SMS phone"), 1)
    page.evaluate(AXE.read_text())  # not a script element, which the page's policy refuses
    serious = []

    for name in PANELS:
        panel(page, name).get_by_role("button").first.wait_for()
        found = page.evaluate("axe.run().then(result => result.violations)")
        serious += [
            (name, each["id"], [node["html"][:120] for node in each["nodes"]])
            for each in found
            if each["impact"] in {"serious", "critical"}
        ]

    assert serious == []
