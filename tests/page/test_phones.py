"""A person at the page texts the assistant by SMS, WhatsApp and web chat."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.people import PHONES, WAITS_MS, bubbles, new_customer, phone, replies, write

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NASTY = "<script>window.wasRun=true</script><img src=x onerror=window.wasRun=true>"


@pytest.mark.parametrize("name", PHONES)
def test_a_text_is_answered_on_its_phone(page: Page, name: str) -> None:
    here = new_customer(page, name)

    write(here, "When do you open?")

    expect(bubbles(here)).to_have_count(2, timeout=WAITS_MS)
    expect(replies(here)).to_have_count(1)


def test_several_quick_texts_are_all_on_the_phone_and_get_an_answer(page: Page) -> None:
    here = phone(page, "SMS phone")

    for text in ("Hi", "one question", "when do you open?"):
        write(here, text)

    for text in ("Hi", "one question", "when do you open?"):
        expect(here.get_by_role("log")).to_contain_text(text)
    expect(replies(here).first).to_be_visible(timeout=WAITS_MS)


def test_the_phones_survive_a_reload(page: Page) -> None:
    here = phone(page, "WhatsApp phone")
    write(here, "Do you sell bread?")
    expect(bubbles(here)).to_have_count(2, timeout=WAITS_MS)

    page.reload()

    expect(bubbles(phone(page, "WhatsApp phone"))).to_have_count(2)


def test_a_new_customer_has_an_empty_phone_of_another_number(page: Page) -> None:
    here = phone(page, "SMS phone")
    write(here, "Hello")
    expect(bubbles(here).first).to_be_visible()

    here.get_by_role("button", name="New customer").click()

    expect(bubbles(here)).to_have_count(0)
    write(here, "Hello again")
    expect(bubbles(here)).to_have_count(2, timeout=WAITS_MS)


@pytest.mark.parametrize("name", PHONES)
def test_a_text_of_markup_is_a_bubble_and_nothing_else(page: Page, name: str) -> None:
    here = phone(page, name)

    write(here, NASTY)

    expect(bubbles(here).first).to_contain_text(NASTY)
    expect(replies(here).first).to_be_visible(timeout=WAITS_MS)
    assert page.evaluate("window.wasRun") is None


def test_a_text_of_a_web_chat_with_thirty_thousand_characters_changes_only_its_bubble(page: Page) -> None:
    here = phone(page, "Web chat")
    before = here.bounding_box()

    write(here, "bread " * 5_000)

    expect(bubbles(here).first).to_be_visible()
    assert here.bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_picture_is_shown_on_the_phone_that_sent_it(page: Page, tmp_path: Path) -> None:
    here, picture = phone(page, "WhatsApp phone"), tmp_path / "bike.png"
    picture.write_bytes(PIXEL)

    here.locator("input[type=file]").set_input_files(picture)
    write(here, "this one")

    image = bubbles(here).first.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
