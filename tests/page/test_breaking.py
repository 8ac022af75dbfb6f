"""A person breaks things with the switches, and sees that each customer gets one answer."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.people import WAITS_MS, has_replies, new_customer, panel, write


@pytest.mark.parametrize(
    "switch",
    [
        "Kill the agent in its next turn",
        "Double webhooks",
        "Twilio answers 429",
        "Time out after Twilio took the reply",
    ],
)
def test_what_was_broken_costs_time_and_each_text_is_answered_once(page: Page, switch: str) -> None:
    breaking = panel(page, "Break it")
    breaking.get_by_role("switch", name=switch).click()
    expect(breaking.get_by_role("status").first).to_contain_text("One thing is broken")
    here = new_customer(page, "SMS phone")

    write(here, "When do you open?")

    row = breaking.locator(".breaking-row", has=page.get_by_role("switch", name=switch))
    expect(row.get_by_text(re.compile("Struck"))).to_be_visible(timeout=WAITS_MS)
    has_replies(here, 1)
    expect(breaking.get_by_role("status").first).to_contain_text("Nothing is broken", timeout=WAITS_MS)
    has_replies(here, 1)


def test_a_dead_letter_is_shown_with_its_reason_and_answered_after_a_redrive(page: Page) -> None:
    breaking = panel(page, "Break it")
    breaking.get_by_role("combobox", name="For how long the model does so").select_option("120")
    breaking.get_by_role("switch", name="The model is away").click()
    here = new_customer(page, "SMS phone")
    write(here, "When do you open?")
    row = breaking.locator(".breaking-row", has=page.get_by_role("switch", name="The model is away"))
    expect(row.get_by_text(re.compile("Struck"))).to_be_visible(timeout=WAITS_MS)

    breaking.get_by_role("button", name="+ 10 minutes").click()

    letters = breaking.get_by_role("region", name="Dead letters")
    expect(letters.get_by_role("listitem")).to_have_count(1, timeout=WAITS_MS)
    expect(letters).to_contain_text("When do you open?")
    breaking.get_by_role("button", name="End everything that is on").click()
    letters.get_by_role("button", name="Redrive all").click()
    expect(letters.get_by_text("One is back on the queue.")).to_be_visible(timeout=WAITS_MS)
    expect(letters.get_by_role("listitem")).to_have_count(0, timeout=WAITS_MS)
    has_replies(here, 2)  # the fallback sentence, then the answer
