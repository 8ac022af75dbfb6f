"""A human at the desk takes a conversation over, writes, hands it back, and closes it."""

from playwright.sync_api import Page, expect

from tests.page.people import WAITS_MS, has_replies, new_customer, panel, replies, write


def test_a_human_takes_over_while_the_assistant_thinks_and_only_the_human_is_read(page: Page) -> None:
    panel(page, "Break it").get_by_role("switch", name="The model is slow").click()
    here, desk = new_customer(page, "SMS phone"), panel(page, "Desk")
    write(here, "When do you open?")
    here.get_by_role("heading").get_by_role("button").click()
    desk.get_by_role("button", name="Take over", exact=True).click()
    expect(desk.get_by_text("a human since")).to_be_visible(timeout=WAITS_MS)

    desk.get_by_role("textbox", name="Write as a human").fill("This is Robin. We open at nine.")
    desk.get_by_role("button", name="Send as a human").click()

    has_replies(here, 1)
    expect(replies(here)).to_contain_text("This is Robin.")
    panel(page, "Break it").get_by_role("button", name="End everything that is on").click()

    desk = panel(page, "Desk")
    desk.get_by_role("button", name="Hand back", exact=True).click()
    write(here, "And when do you close?")
    has_replies(here, 2)


def test_a_closed_conversation_says_so_and_takes_no_words(page: Page) -> None:
    here, desk = new_customer(page, "WhatsApp phone"), panel(page, "Desk")
    write(here, "Hello")
    has_replies(here, 1)

    here.get_by_role("heading").get_by_role("button").click()
    desk.get_by_role("button", name="Close", exact=True).click()

    expect(desk.get_by_text("nobody can write in it")).to_be_visible(timeout=WAITS_MS)
    expect(desk.get_by_role("textbox", name="Write as a human")).to_have_count(0)
