"""A person looks at what happens behind the phones, sends a webhook again, and asks a question again."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.page.people import WAITS_MS, has_replies, new_customer, panel, write


def behind(page: Page) -> Locator:
    return page.get_by_role("region", name="Behind the phones")


def bar(page: Page, name: str) -> Locator:
    return behind(page).get_by_role("button", name=re.compile(rf"^{name}\b"))


def test_the_axis_shows_every_step_of_a_turn_and_a_click_what_is_known_of_it(page: Page) -> None:
    here = new_customer(page, "SMS phone")

    write(here, "When do you open?")
    has_replies(here, 1)

    for step in ("webhook", "queued", "claim", "gather", "gate", "think", "freeze", "send", "settle"):
        expect(bar(page, step).first).to_be_visible(timeout=WAITS_MS)
    bar(page, "webhook").first.click()
    expect(behind(page)).to_contain_text("onMessageAdded")
    expect(behind(page)).to_contain_text("When do you open?")


def test_a_webhook_that_is_sent_again_changes_nothing(page: Page) -> None:
    here = new_customer(page, "WhatsApp phone")
    write(here, "When do you open?")
    has_replies(here, 1)

    bar(page, "webhook").first.click()
    behind(page).get_by_role("button", name="Send this webhook again").click()

    expect(behind(page).get_by_text(re.compile(r"Answered 200\."))).to_be_visible(timeout=WAITS_MS)
    has_replies(here, 1)


def test_a_question_is_asked_again_without_sending_anything_and_becomes_an_eval_case(page: Page) -> None:
    here = new_customer(page, "Web chat")
    write(here, "When do you open?")
    has_replies(here, 1)

    behind(page).get_by_role("button", name="Ask again").click()
    expect(behind(page).get_by_role("heading", name=re.compile("^Now"))).to_be_visible(timeout=WAITS_MS)
    behind(page).get_by_role("button", name="Make it an eval case").click()

    expect(behind(page).get_by_label("The eval case")).to_contain_text("says: When do you open?")
    has_replies(here, 1)


def test_a_killed_agent_is_seen_and_so_is_who_answers_after_it(page: Page) -> None:
    panel(page, "Break it").get_by_role("switch", name="Kill the agent in its next turn").click()
    here = new_customer(page, "SMS phone")

    write(here, "When do you open?")

    expect(behind(page).get_by_text("Delivery 2")).to_be_visible(timeout=WAITS_MS)
    has_replies(here, 1)
    expect(behind(page)).to_contain_text(re.compile("killed|crashed|died"))


def test_what_a_customer_writes_is_text_behind_the_phones_too(page: Page) -> None:
    here = new_customer(page, "Web chat")

    write(here, "<img src=x onerror=window.wasRun=true> " + "bread " * 4_000)
    has_replies(here, 1)
    bar(page, "webhook").first.click()

    expect(behind(page)).to_contain_text("<img src=x")
    assert page.evaluate("window.wasRun") is None
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
