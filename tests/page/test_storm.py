"""A person starts the storm, and reads two lines that were counted."""

import re

from playwright.sync_api import Page, expect

from tests.page.people import panel

STORM_MS = 600_000  # it waits for records that a killed process had
LINE = re.compile(r"(\w+): (\d+) messages, (\d+) answered, (\d+) doubled, (\d+) lost")


def test_the_storm_loses_and_doubles_nothing_here_and_something_at_the_plain_handler(page: Page) -> None:
    storm = panel(page, "Storm")
    smallest = storm.get_by_role("combobox", name="How many").get_by_role("option").first.get_attribute("value")
    storm.get_by_role("combobox", name="How many").select_option(smallest)

    storm.get_by_role("button", name="Start the storm").click()

    storm.get_by_text(LINE).first.wait_for(timeout=STORM_MS)
    lines = {name: [int(n) for n in numbers] for name, *numbers in LINE.findall(storm.inner_text())}
    messages, answered, doubled, lost = lines["Switchboard"]
    assert (answered, doubled, lost) == (messages, 0, 0)
    plain_messages, _, plain_doubled, plain_lost = lines["plain"]
    assert plain_messages == messages
    assert plain_doubled + plain_lost > 0

    findings = storm.get_by_role("list", name=re.compile("^Doubled or lost: Plain"))
    findings.get_by_role("button").first.click()
    expect(storm.get_by_role("region", name="Conversation")).to_be_visible()
